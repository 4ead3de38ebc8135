"""What a person decides."""

import pytest

from holdfast.ids import uuid7
from holdfast.testing import captured_events
from holdfast_cards import exceptions as no
from holdfast_cards import selectors, services
from holdfast_cards.models import Card, Discrepancy, Operation
from holdfast_cards.ports import ProviderCard
from holdfast_cards.states import CardState, OperationState
from holdfast_cards.testing import make_card, make_holder
from tests.cards.doubles import KEY, KEY_AND_REFERENCE, NONE, REFERENCE, until_quiet

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def parked(use, holder, clock):
    """An order whose answer was lost, at a provider that shows nothing."""
    provider = use(**NONE)
    provider.faults.append("lost")
    with captured_events() as told:
        services.request_card(holder_id=holder.pk, color="pink")
        until_quiet(clock)
    operation = Operation.objects.get()
    assert operation.state == OperationState.NEEDS_REVIEW
    assert [event.type for event in told] == ["holdfast_cards.review_needed.v1"]
    return operation, provider


def test_the_queue_shows_what_waits(parked):
    operation, _provider = parked
    assert list(selectors.open_reviews()) == [operation]
    assert not selectors.open_discrepancies().exists()


def test_a_card_that_was_made_is_adopted(parked):
    operation, provider = parked
    (theirs,) = provider.cards.values()
    card = services.adopt_card(operation_id=operation.id, provider_card_id=f" {theirs.id} ")

    assert (card.state, card.provider_card_id) == (CardState.ORDERED, theirs.id)
    assert card.transitions.get().source == "operator"
    assert Operation.objects.get().state == OperationState.SUCCEEDED
    with pytest.raises(no.NotInReview):
        services.adopt_card(operation_id=operation.id, provider_card_id=theirs.id)


@pytest.mark.parametrize("taken", ["taken", "", "   "])
def test_a_card_that_is_somebody_elses_or_nobodys_is_not_adopted(parked, taken):
    operation, _provider = parked
    make_card(provider_card_id="taken")
    with pytest.raises(no.CardTaken):
        services.adopt_card(operation_id=operation.id, provider_card_id=taken)

    assert Operation.objects.get(id=operation.id).state == OperationState.NEEDS_REVIEW


@pytest.mark.parametrize("holder", ["another", None])
def test_where_one_can_look_the_card_must_be_there_and_the_holders(use, clock, holder):
    provider = use(**KEY_AND_REFERENCE)
    operation = make_card(state="requested").operations.get()
    if holder:
        provider.put(ProviderCard(id="theirs", status="ORDERED", state=CardState.ORDERED, holder=holder))
    with pytest.raises(no.CardTaken):
        services.adopt_card(operation_id=operation.id, provider_card_id="theirs")


def test_what_cannot_be_looked_at_now_is_not_adopted_on_trust(use):
    provider = use(**KEY_AND_REFERENCE)
    operation = make_card(state="requested").operations.get()
    provider.unreadable = True
    with pytest.raises(no.CardTaken):
        services.adopt_card(operation_id=operation.id, provider_card_id="theirs")


def test_an_order_without_effect_has_failed_and_the_holder_may_order_again(parked, holder):
    operation, provider = parked
    provider.cards.clear()
    card = services.declare_without_effect(operation_id=operation.id)

    assert (card.state, Card.objects.get().state) == (CardState.FAILED, CardState.FAILED)
    assert card.transitions.get().source == "operator"
    assert services.request_card(holder_id=holder.pk, color="black").card.state == CardState.ORDERED


def test_an_order_is_sent_again_under_a_new_key(parked, clock):
    operation, _provider = parked
    services.send_again(operation_id=operation.id)
    until_quiet(clock)

    again = Operation.objects.get()
    assert (again.state, again.generation) == (OperationState.SUCCEEDED, 1)
    assert again.key != operation.key
    assert Card.objects.get().state == CardState.ORDERED


@pytest.mark.parametrize("decide", [services.send_again, services.retry_now], ids=lambda verb: verb.__name__)
def test_who_decides_after_it_was_given_up_gives_it_as_much_time_again(use, holder, clock, decide):
    provider = use(**KEY, SECOND_TRY_SECONDS=0)
    provider.faults.extend(["misconfigured"] * 1_000)
    with pytest.raises(no.ProviderMisconfigured):
        services.request_card(holder_id=holder.pk, color="pink")
    clock.turn(days=4)
    services.work()
    operation = Operation.objects.get()
    assert (operation.state, operation.last_reason) == (OperationState.NEEDS_REVIEW, "too_old")
    provider.faults.clear()
    decide(operation_id=operation.id)
    services.work()

    assert Card.objects.get().state == CardState.ORDERED


def test_to_go_on_is_never_to_order_twice(parked, clock):
    operation, provider = parked
    services.retry_now(operation_id=operation.id)
    assert Operation.objects.get().state == OperationState.UNKNOWN
    until_quiet(clock)

    assert Operation.objects.get().state == OperationState.NEEDS_REVIEW
    assert provider.posts == 1


def test_an_order_that_waits_goes_on_at_once(use, holder, clock):
    provider = use(**KEY, SECOND_TRY_SECONDS=0)
    provider.faults.append("limited")
    operation = services.request_card(holder_id=holder.pk, color="pink").operation
    assert not services.work()
    services.retry_now(operation_id=operation.id)
    services.work()

    assert Card.objects.get().state == CardState.ORDERED


def test_what_can_be_looked_at_since_is_found(parked, use, clock):
    operation, before = parked
    provider = use(**REFERENCE)
    provider.cards.update(before.cards)
    services.retry_now(operation_id=operation.id)
    until_quiet(clock)

    assert Card.objects.get().provider_card_id in before.cards
    assert provider.posts == 0


@pytest.mark.parametrize(
    "decide", [services.declare_without_effect, services.send_again, services.retry_now], ids=lambda verb: verb.__name__
)
def test_what_is_decided_or_unknown_is_not_decided_again(provider, decide):
    operation = make_card().operations.get()
    with pytest.raises(no.NotInReview) as refusal:
        decide(operation_id=operation.id)
    assert refusal.value.context == {"operation_id": str(operation.id), "state": "succeeded"}
    with pytest.raises(no.OperationNotFound):
        decide(operation_id=uuid7())


@pytest.mark.parametrize("decide", [services.declare_without_effect, services.send_again, services.retry_now])
def test_an_order_whose_card_is_of_another_color_is_neither_undone_nor_repeated(provider, decide, monkeypatch):
    card = make_card()
    card.operations.update(state=OperationState.NEEDS_REVIEW, last_reason="color_mismatch", ended_at=None)
    with pytest.raises(no.NotInReview):
        decide(operation_id=card.operations.get().id)


def test_a_change_without_effect_has_ended(use, clock):
    provider = use(**KEY, GIVE_UP_SECONDS=60)
    provider.faults.extend(["cut"] * 100)
    card = make_card(state="activated")
    services.freeze_card(card_id=card.id, holder_id=card.holder_id)
    until_quiet(clock)
    operation = Operation.objects.get(verb="freeze")
    assert operation.state == OperationState.NEEDS_REVIEW
    with pytest.raises(no.CardTaken):
        services.adopt_card(operation_id=operation.id, provider_card_id="x")
    services.declare_without_effect(operation_id=operation.id)

    assert Operation.objects.get(verb="freeze").state == OperationState.REJECTED
    assert Card.objects.get(id=card.id).state == CardState.ACTIVATED


@pytest.mark.parametrize(
    "decide", [services.declare_without_effect, services.send_again, services.retry_now], ids=lambda verb: verb.__name__
)
def test_a_decision_that_a_worker_has_overtaken_is_refused(parked, monkeypatch, decide):
    operation, _provider = parked
    for module in ("review", "operations"):
        monkeypatch.setattr(f"holdfast_cards.services.{module}.save_if_unchanged", lambda *, operation: False)
    with pytest.raises(no.NotInReview) as refusal:
        decide(operation_id=operation.id)

    assert refusal.value.context["state"] == "in_flight"
    assert Card.objects.get().state == CardState.REQUESTED


def test_a_discrepancy_is_resolved_once(provider):
    found = Discrepancy.objects.create(kind="unknown_card", provider="dummy", provider_card_id="x")
    services.resolve_discrepancy(discrepancy_id=found.id, note="Made by hand.")
    with pytest.raises(no.DiscrepancyNotFound):
        services.resolve_discrepancy(discrepancy_id=found.id, note="Again.")

    found = Discrepancy.objects.get()
    assert (found.state, found.note) == ("resolved", "Made by hand.")
    assert found.resolved_at is not None


def test_a_holder_in_review_is_told_where_his_request_stands(parked, client):
    operation, _provider = parked
    client.force_authenticate(operation.card.holder)
    response = client.post("/api/v1/cards/", {"color": "pink"}, format="json")

    assert response.status_code == 409
    assert str(operation.card_id) in response.json()["context"]["location"]
    assert make_holder()
