"""Events are frozen facts of plain values, each type declared once."""

import dataclasses
import datetime as dt
from uuid import uuid4

import pytest

from holdfast.events import Envelope, Event, registry


class DoorOpened(Event, type="house.door_opened.v1", key="door_id"):
    """A door was opened."""

    door_id: int
    by: str = "nobody"


def test_an_event_is_a_frozen_value():
    event = DoorOpened(door_id=7, by="anna")

    assert event == DoorOpened(door_id=7, by="anna")
    assert (event.type, event.key, event.payload()) == ("house.door_opened.v1", "7", {"door_id": 7, "by": "anna"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.by = "bob"
    with pytest.raises(TypeError):
        DoorOpened(7)


def test_a_payload_may_be_older_or_newer_than_the_code():
    assert DoorOpened.from_payload({"door_id": 7}) == DoorOpened(door_id=7)
    assert DoorOpened.from_payload({"door_id": 7, "by": "anna", "with": "a key"}) == DoorOpened(door_id=7, by="anna")


def test_a_payload_is_a_copy():
    event = DoorOpened(door_id=7)
    event.payload()["door_id"] = 8

    assert event.door_id == 7


@pytest.mark.parametrize(
    "name",
    [
        "",
        "door_opened",
        "house.door_opened",
        "house.door_opened.1",
        "house.door_opened.v0",
        "House.opened.v1",
        "a.b.c.v1",
        "a.b.v1\n",
    ],
)
def test_a_type_names_package_fact_and_version(name):
    with pytest.raises(TypeError, match="is not of the form"):

        class Misnamed(Event, type=name, key="door_id"):
            door_id: int


def test_a_key_is_a_field():
    with pytest.raises(TypeError, match="no field 'window_id'"):

        class Keyless(Event, type="house.keyless.v1", key="window_id"):
            door_id: int

    assert "house.keyless.v1" not in registry


def test_a_type_is_declared_once():
    with pytest.raises(TypeError, match="declared twice"):

        class Impostor(Event, type="house.door_opened.v1", key="door_id"):
            door_id: int

    assert registry["house.door_opened.v1"] is DoorOpened


def envelope_of(event_type):
    return Envelope(
        id=uuid4(),
        sequence=1,
        type=event_type,
        key="7",
        payload={"door_id": 7},
        headers={},
        occurred_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )


def test_an_envelope_opens_to_the_typed_event():
    assert envelope_of("house.door_opened.v1").event == DoorOpened(door_id=7)


def test_an_envelope_of_an_app_that_is_gone_does_not_open():
    with pytest.raises(LookupError):
        _ = envelope_of("house.door_painted.v1").event
