"""A protected state stays protected, also while another instance or another thread refreshes."""

import threading

import pytest
from django.db import connection

from holdfast.testing import race, state_diagram, transition_table
from tests.foundation.host.models import Door, DoorState, Nail, Owner, UnguardedDoor

pytestmark = pytest.mark.django_db


def test_the_state_cannot_be_assigned():
    with pytest.raises(AttributeError):
        Door.objects.create().state = DoorState.LOCKED


def test_a_refresh_brings_the_stored_state():
    door = Door.objects.create()
    Door.objects.update(state=DoorState.LOCKED, name="back")
    door.refresh_from_db()

    assert (door.state, door.name, door.shout) == (DoorState.LOCKED, "back", "BACK")
    with pytest.raises(AttributeError):
        door.state = DoorState.OPEN


def test_a_refresh_of_one_field_leaves_the_others():
    door = Door.objects.create()
    Door.objects.update(state=DoorState.LOCKED, name="back")

    door.refresh_from_db(fields=["name"])
    assert (door.state, door.name) == (DoorState.OPEN, "back")

    door.name = "unsaved"
    door.refresh_from_db(fields=["state"])
    assert (door.state, door.name) == (DoorState.LOCKED, "unsaved")


@pytest.mark.parametrize("manager", [Door.objects.only("name"), Door.objects.defer("state")])
def test_a_deferred_state_is_loaded_when_it_is_read_and_protected_then(manager):
    Door.objects.create()
    Door.objects.update(state=DoorState.LOCKED)
    door = manager.get()

    assert "state" in door.get_deferred_fields()
    assert door.state == DoorState.LOCKED
    with pytest.raises(AttributeError):
        door.state = DoorState.OPEN


def test_a_refresh_leaves_deferred_fields_deferred():
    Door.objects.create()
    door = Door.objects.defer("state").get()
    door.refresh_from_db()

    assert "state" in door.get_deferred_fields()


def test_a_refresh_reads_through_the_queryset_that_it_is_given():
    door = Door.objects.create()

    with pytest.raises(Door.DoesNotExist):
        door.refresh_from_db(from_queryset=Door.objects.filter(state=DoorState.LOCKED))
    assert door.state == DoorState.OPEN


def test_a_refresh_forgets_cached_relations():
    anna, bob = Owner.objects.create(), Owner.objects.create()
    door = Door.objects.create(owner=anna)
    nail = Nail.objects.create(door=door)
    assert door.nail == nail
    Door.objects.update(owner=bob)
    nail.delete()

    door.refresh_from_db()

    assert door.owner == bob
    with pytest.raises(Nail.DoesNotExist):
        _ = door.nail


def test_a_refresh_of_a_row_that_is_gone_keeps_the_state_and_the_protection():
    door = Door.objects.create()
    Door.objects.all().delete()

    with pytest.raises(Door.DoesNotExist):
        door.refresh_from_db()

    assert door.state == DoorState.OPEN
    for other in (door, Door()):
        with pytest.raises(AttributeError):
            other.state = DoorState.LOCKED


def test_django_fsm_alone_loses_the_protection_of_every_row_when_one_is_gone():
    """If this fails, django-fsm-2 has closed the hole, and the base model can go."""
    door = UnguardedDoor.objects.create()
    UnguardedDoor.objects.all().delete()
    try:
        with pytest.raises(UnguardedDoor.DoesNotExist):
            door.refresh_from_db()
        UnguardedDoor().state = DoorState.LOCKED
    finally:
        UnguardedDoor._meta.get_field("state").protected = True


@pytest.mark.parametrize(("model", "open_to_others"), [(Door, False), (UnguardedDoor, True)])
def test_while_one_thread_refreshes_the_state_is_closed_to_another(model, open_to_others):
    door, other = model.objects.create(), model()
    refused = []

    def intrude():
        try:
            other.state = DoorState.LOCKED
        except AttributeError:
            refused.append(True)

    def in_the_middle_of_the_refresh(execute, *args):
        thread = threading.Thread(target=intrude)
        thread.start()
        thread.join()
        return execute(*args)

    with connection.execute_wrapper(in_the_middle_of_the_refresh):
        door.refresh_from_db()

    assert bool(refused) is not open_to_others


def test_the_law_of_a_machine_is_a_table():
    assert transition_table(Door) == {
        ("open", "close"): "closed",
        ("closed", "brick_up"): "bricked_up",
        ("closed", "knock"): "closed",
        ("closed", "lock"): "locked",
        ("closed", "open"): "open",
        ("locked", "open"): "open",
    }


def test_the_law_of_a_machine_is_a_diagram():
    assert state_diagram(Door) == (
        "stateDiagram-v2\n"
        "    [*] --> open\n"
        "    open --> closed: close\n"
        "    closed --> bricked_up: brick_up\n"
        "    closed --> closed: knock\n"
        "    closed --> locked: lock\n"
        "    closed --> open: open\n"
        "    locked --> open: open\n"
        "    bricked_up --> [*]\n"
    )


def test_a_target_that_is_decided_at_run_time_lists_what_it_may_be():
    assert transition_table(Door, field="light")[("off", "switch")] == "on | off"
    assert transition_table(Door, field="light")[("on", "dim")] == "?"


def test_only_a_state_field_has_a_table():
    with pytest.raises(TypeError):
        transition_table(Door, field="name")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_racers_start_together_and_each_answers_for_itself():
    door = Door.objects.create()
    start = threading.Barrier(3)

    def contend():
        start.wait(timeout=30)  # passes only if all three run at once
        return Door.objects.get(pk=door.pk).name

    def refuse():
        start.wait(timeout=30)
        raise ValueError("no")

    first, second, third = race(contend, refuse, contend)
    assert (first, str(second), third) == ("front", "no", "front")
    assert race(lambda: 1) == [1, 1, 1, 1]
