"""The one fact."""

from holdfast.events import Event


class Changed(Event, type="changes.changed.v1", key="change"):
    """Something was changed."""

    change: str
