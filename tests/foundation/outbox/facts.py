"""The events of these tests."""

from holdfast.events import Event


class Noted(Event, type="outbox_tests.noted.v1", key="topic"):
    """Something was noted."""

    topic: str
    number: int = 0


class Mentioned(Event, type="outbox_tests.mentioned.v1", key="topic"):
    """Something was mentioned."""

    topic: str
