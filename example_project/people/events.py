"""What is told about people."""

from holdfast.events import Event


class PersonRegistered(Event, type="people.person_registered.v1", key="user_id"):
    """Somebody has an account now."""

    user_id: int
    role: str
