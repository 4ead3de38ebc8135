"""Several at once: one wins, the others are told, and the history has what happened, once."""

import pytest

from holdfast.outbox.models import OutboxEvent
from holdfast.testing import race
from holdfast_defects import selectors, services
from holdfast_defects.exceptions import DefectNotFound, StepNotAllowed, VersionOutdated
from holdfast_defects.models import Defect
from holdfast_defects.testing import make_defect, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def events(name):
    return OutboxEvent.objects.filter(type=f"holdfast_defects.{name}.v1").count()


def test_of_four_who_delete_a_defect_one_does_and_one_event_tells_it():
    user = make_user()
    defect = make_defect(user=user)

    outcomes = race(lambda: services.delete_defect(defect_id=defect.pk, user_id=user.pk))

    assert sorted(map(type, outcomes), key=str) == sorted([type(None), *[DefectNotFound] * 3], key=str)
    assert (Defect.objects.count(), events("defect_deleted")) == (0, 1)


def test_of_two_editors_who_have_seen_the_same_version_one_is_told():
    defect = make_defect()

    outcomes = race(
        *(
            lambda comment=comment: services.change_defect(defect_id=defect.pk, comment=comment, expected_version=1)
            for comment in ("It floods.", "It burns.")
        )
    )

    (winner,) = [outcome for outcome in outcomes if isinstance(outcome, Defect)]
    (_loser,) = [outcome for outcome in outcomes if isinstance(outcome, VersionOutdated)]
    kept = selectors.get_defect(defect_id=defect.pk)
    assert (kept.comment, kept.version, events("defect_changed")) == (winner.comment, 2, 1)


def test_no_change_of_several_editors_who_named_no_version_is_counted_away():
    defect = make_defect()
    race(
        *(lambda number=number: services.change_defect(defect_id=defect.pk, comment=f"{number}") for number in range(4))
    )
    assert (selectors.get_defect(defect_id=defect.pk).version, events("defect_changed")) == (5, 4)


def test_of_four_who_take_a_step_one_does():
    defect = make_defect()
    outcomes = race(lambda: services.triage_defect(defect_id=defect.pk))
    assert sum(isinstance(outcome, StepNotAllowed) for outcome in outcomes) == 3
    assert (selectors.get_defect(defect_id=defect.pk).version, events("defect_moved")) == (2, 1)


def test_who_changes_what_another_deletes_finds_it_or_does_not():
    user = make_user()
    defect = make_defect(user=user)

    deleted, changed = race(
        lambda: services.delete_defect(defect_id=defect.pk, user_id=user.pk),
        lambda: services.change_defect(defect_id=defect.pk, comment="It floods."),
    )

    assert deleted is None
    assert isinstance(changed, (Defect, DefectNotFound))
    assert (Defect.objects.count(), events("defect_deleted")) == (0, 1)
    # Nothing is told of a defect after its end.
    assert OutboxEvent.objects.order_by("id").last().type == "holdfast_defects.defect_deleted.v1"
