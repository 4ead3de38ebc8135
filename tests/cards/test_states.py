"""The law of the two state machines, written down; every step that is not in it is refused."""

from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from holdfast.testing import transition_table
from holdfast_cards.models import Card, Operation
from holdfast_cards.states import FINAL, LIVE, CardState, OperationState
from holdfast_cards.testing import make_card

CARD_LAW = {
    ("requested", "activate"): "activated",
    ("requested", "cancel"): "cancelled",
    ("requested", "expire"): "expired",
    ("requested", "fail"): "failed",
    ("requested", "freeze"): "frozen",
    ("requested", "oppose"): "opposed",
    ("requested", "order"): "ordered",
    ("requested", "send"): "sent",
    ("ordered", "activate"): "activated",
    ("ordered", "cancel"): "cancelled",
    ("ordered", "expire"): "expired",
    ("ordered", "fail"): "failed",
    ("ordered", "freeze"): "frozen",
    ("ordered", "oppose"): "opposed",
    ("ordered", "send"): "sent",
    ("sent", "activate"): "activated",
    ("sent", "cancel"): "cancelled",
    ("sent", "expire"): "expired",
    ("sent", "fail"): "failed",
    ("sent", "freeze"): "frozen",
    ("sent", "oppose"): "opposed",
    ("activated", "cancel"): "cancelled",
    ("activated", "expire"): "expired",
    ("activated", "freeze"): "frozen",
    ("activated", "oppose"): "opposed",
    ("frozen", "cancel"): "cancelled",
    ("frozen", "expire"): "expired",
    ("frozen", "oppose"): "opposed",
    ("frozen", "unfreeze"): "activated",
}
STEPS = sorted({step for _state, step in CARD_LAW})
OPERATION_LAW = {
    ("pending", "claim"): "in_flight",
    ("pending", "lose"): "unknown",
    ("pending", "park"): "needs_review",
    ("pending", "put_back"): "pending",
    ("pending", "reject"): "rejected",
    ("pending", "succeed"): "succeeded",
    ("in_flight", "claim"): "in_flight",
    ("in_flight", "lose"): "unknown",
    ("in_flight", "park"): "needs_review",
    ("in_flight", "put_back"): "pending",
    ("in_flight", "reject"): "rejected",
    ("in_flight", "succeed"): "succeeded",
    ("unknown", "claim"): "in_flight",
    ("unknown", "lose"): "unknown",
    ("unknown", "park"): "needs_review",
    ("unknown", "put_back"): "pending",
    ("unknown", "reject"): "rejected",
    ("unknown", "succeed"): "succeeded",
    ("needs_review", "lose"): "unknown",
    ("needs_review", "park"): "needs_review",
    ("needs_review", "put_back"): "pending",
    ("needs_review", "reject"): "rejected",
    ("needs_review", "succeed"): "succeeded",
}


def test_the_law_of_cards():
    assert transition_table(Card) == CARD_LAW


def test_the_law_of_operations():
    assert transition_table(Operation) == OPERATION_LAW


def test_what_is_over_is_never_left():
    assert {state for state, _step in CARD_LAW} & FINAL == set()
    assert FINAL | LIVE | {CardState.REQUESTED} == set(CardState)


@pytest.mark.parametrize("state", CardState.values)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_is_not_in_the_law_is_refused(state, step):
    card = Card(state=state)
    if (state, step) in CARD_LAW:
        getattr(card, step)(at=timezone.now())
        assert card.state == CARD_LAW[state, step]
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(card, step)(at=timezone.now())
        assert card.state == state


def test_nobody_sets_a_state_by_hand():
    card = Card(state=CardState.ORDERED)
    with pytest.raises(AttributeError):
        card.state = CardState.ACTIVATED


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"state": "lost"},
        {"kind": "wooden"},
        {"provider_card_id": None},
        {"provider_card_id": "taken"},
    ],
    ids=str,
)
def test_the_database_refuses_what_the_code_never_writes(change):
    make_card(provider_card_id="taken")
    card = make_card()
    with pytest.raises(IntegrityError), transaction.atomic():
        Card.objects.filter(pk=card.pk).update(**change)


@pytest.mark.django_db
def test_the_database_lets_a_holder_have_one_open_request():
    first = make_card(state="requested")
    with pytest.raises(IntegrityError), transaction.atomic():
        Card.objects.create(holder=first.holder, color="pink", provider="dummy")


@pytest.mark.django_db
def test_the_database_lets_a_card_be_made_by_one_operation_only():
    card = make_card()
    with pytest.raises(IntegrityError), transaction.atomic():
        Operation(card=card, verb="issue", provider="dummy", payload={}, next_attempt_at=timezone.now()).save()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"state": "pending", "next_attempt_at": None},
        {"state": "unknown", "next_attempt_at": None},
        {"state": "in_flight", "lease_until": None, "lease_token": UUID(int=1)},
        {"state": "succeeded", "ended_at": None},
        {"state": "lost"},
        {"payload": None},
    ],
    ids=str,
)
def test_the_database_knows_no_operation_that_is_stuck_or_without_its_payload(change):
    card = make_card(state="requested")
    with pytest.raises(IntegrityError), transaction.atomic():
        card.operations.update(**change)


def test_each_state_of_an_operation_is_in_the_law():
    assert {state for state, _ in OPERATION_LAW} | set(OPERATION_LAW.values()) == set(OperationState)
