"""A refusal is an answer: a code, a message, a context."""

import pytest

from holdfast import errors


class DoorLocked(errors.Conflict):
    """The door is locked.

    Somebody has the key.
    """

    code = "house.door_locked"


def test_the_first_line_of_the_docstring_is_the_message():
    refusal = DoorLocked(door=7)

    assert (str(refusal), refusal.message, refusal.context) == (
        "The door is locked.",
        "The door is locked.",
        {"door": 7},
    )


def test_a_refusal_may_say_more_this_time():
    refusal = DoorLocked("The door is locked since noon.", message="kept in the context")

    assert (str(refusal), refusal.title()) == ("The door is locked since noon.", "The door is locked.")
    assert refusal.context == {"message": "kept in the context"}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.NotFound, 404),
        (errors.Conflict, 409),
        (errors.Invalid, 422),
        (errors.Denied, 403),
        (errors.Unavailable, 503),
    ],
)
def test_there_are_five_kinds(kind, status):
    assert kind.status == status
    assert issubclass(kind, errors.Refusal)
    assert kind().message.endswith(".")
