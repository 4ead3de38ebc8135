"""Ordering and replacing cards, where nothing fails."""

import pytest
from django.db import IntegrityError
from django.test import override_settings

from holdfast.testing import captured_events
from holdfast_cards import events, selectors, services
from holdfast_cards import exceptions as no
from holdfast_cards.models import Card, CardTransition, Operation
from holdfast_cards.ports import HolderUnknown
from holdfast_cards.services.operations import advance
from holdfast_cards.services.rows import load_operation
from holdfast_cards.states import LIVE, CardKind, CardState, OperationState, ReplaceReason, Verb
from holdfast_cards.testing import make_card, make_holder, run_worker
from tests.cards.doubles import KEY, KEY_AND_REFERENCE, NONE, until_quiet

pytestmark = pytest.mark.django_db(transaction=True)


def order(holder, color="pink", **options):
    return services.request_card(holder_id=holder.pk, color=color, **options)


def test_a_card_is_ordered_and_told(provider, holder):
    with captured_events() as told:
        result = order(holder, "black")

    card = Card.objects.get()
    assert result.card == card
    assert not result.is_open
    assert result.retry_after_seconds is None
    assert (card.state, card.color, card.kind) == (CardState.ORDERED, "black", CardKind.PHYSICAL)
    assert (card.holder_reference, card.last4) == (str(holder.pk), "4242")
    assert told == [
        events.CardOrdered(
            card_id=str(card.id), holder_id=str(holder.pk), source="answer", color="black", kind="physical"
        )
    ]
    operation = Operation.objects.get()
    assert operation.key == operation.id
    assert provider.calls == [("create", str(operation.id))]
    assert next(iter(provider.cards.values())).reference == str(operation.id)


def test_the_call_is_logged_without_its_body(provider, holder):
    order(holder)

    (attempt,) = Operation.objects.get().log.all()
    assert (attempt.call, attempt.number, attempt.outcome, attempt.http_status) == ("create", 1, "done", 201)


def test_a_card_may_be_virtual(provider, holder):
    assert order(holder, kind=CardKind.VIRTUAL).card.kind == "virtual"


@pytest.mark.parametrize("color", ["", "PINK", "green", "pink "])
def test_a_color_that_the_provider_has_not_is_refused(provider, holder, color):
    with pytest.raises(no.InvalidColor) as refusal:
        order(holder, color)

    assert refusal.value.context == {"color": color, "colors": ["pink", "black"]}
    assert not Card.objects.exists()


def test_a_kind_that_the_provider_has_not_is_refused(provider, holder):
    with pytest.raises(no.InvalidKind):
        order(holder, kind="wooden")


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 256, "a\n"])
def test_a_key_that_is_none_is_refused(provider, holder, key):
    with pytest.raises(no.InvalidKey):
        order(holder, key=key)


def test_a_key_is_a_holders_own(provider, holder):
    order(holder, key="k")

    assert not order(make_holder(), "black", key="k").replayed
    assert order(holder, key="k").replayed


@pytest.mark.parametrize("error", [HolderUnknown("nobody"), None])
def test_a_holder_of_whom_the_provider_knows_too_little_gets_none(provider, holder, monkeypatch, error):
    def fails(order):
        raise error or ValueError("no address")

    monkeypatch.setattr(provider, "compose", fails)
    if error:
        monkeypatch.setattr("holdfast_cards.backends.holders.PrimaryKeys.of", lambda self, holder_id: fails(None))

    with pytest.raises(no.HolderNotReady):
        order(holder)
    assert not Card.objects.exists()


def test_the_provider_knows_the_holder_by_a_field_of_his(settings, use, holder):
    provider = use(
        **KEY,
        HOLDER_REFERENCE={"BACKEND": "holdfast_cards.backends.holders.UserAttribute", "OPTIONS": {"name": "username"}},
    )
    order(holder)

    assert next(iter(provider.cards.values())).holder == holder.username


def test_a_holder_whose_field_is_empty_is_not_ready(use, holder):
    use(
        HOLDER_REFERENCE={
            "BACKEND": "holdfast_cards.backends.holders.UserAttribute",
            "OPTIONS": {"name": "first_name"},
        }
    )
    with pytest.raises(no.HolderNotReady):
        order(holder)


def test_a_holder_has_at_most_so_many_cards(use, holder):
    use(**KEY, MAX_LIVE_CARDS=1)
    first = order(holder).card
    with pytest.raises(no.CardLimitReached) as refusal:
        order(holder)
    services.cancel_card(card_id=first.id, holder_id=holder.pk)

    assert refusal.value.context == {"limit": 1}
    assert order(holder).card.state == CardState.ORDERED
    assert Card.objects.filter(holder=holder, state__in=LIVE).count() == 1


def test_a_replacement_does_not_count_beside_the_card_that_it_replaces(use, holder):
    use(**KEY, MAX_LIVE_CARDS=1)
    card = make_card(holder=holder, state="activated")

    assert services.replace_card(card_id=card.id, holder_id=holder.pk, reason="damaged").card.replaces == card


def test_a_deferred_order_is_the_workers(use, holder):
    provider = use(**KEY, MODE="deferred")
    result = order(holder)

    assert result.is_open
    assert provider.calls == []
    run_worker()
    assert Card.objects.get().state == CardState.ORDERED


def test_the_worker_does_nothing_for_a_former_provider(use, holder):
    use(**KEY, MODE="deferred")
    order(holder)
    Card.objects.update(provider="former")
    Operation.objects.update(provider="former")

    assert not services.work()
    with pytest.raises(no.NotSupportedByProvider):
        services.cancel_card(card_id=Card.objects.get().id, holder_id=holder.pk)


def test_an_order_of_a_former_provider_is_not_sent_to_the_present_one(use, holder, clock):
    use(**KEY, MODE="deferred")
    order(holder, key="k")
    Card.objects.update(provider="former")
    Operation.objects.update(provider="former")
    provider = use(**KEY)

    assert order(holder, key="k").is_open
    assert provider.calls == []


def test_an_order_that_has_ended_takes_no_further_step(provider, holder):
    operation = order(holder).operation
    provider.calls.clear()

    assert advance(operation=load_operation(operation_id=operation.id)).state == OperationState.SUCCEEDED
    assert provider.calls == []


def test_a_holder_that_there_is_not_gets_no_card(provider):
    with pytest.raises(IntegrityError):
        services.request_card(holder_id=987_654, color="pink")

    assert not Card.objects.exists()
    assert provider.calls == []


def test_a_holder_sees_his_own_cards_only(provider, holder):
    mine, other = make_card(holder=holder), make_card()

    assert list(selectors.cards_of(holder_id=holder.pk)) == [mine]
    for look in (selectors.get_card, selectors.history):
        with pytest.raises(no.CardNotFound):
            look(card_id=other.id, holder_id=holder.pk)


def test_a_damaged_card_works_until_its_replacement_does(provider, holder):
    old = order(holder).card
    services.activate_card(card_id=old.id, holder_id=holder.pk)
    new = services.replace_card(card_id=old.id, holder_id=holder.pk, reason=ReplaceReason.DAMAGED, key="k").card

    assert (new.replaces_id, new.color, new.state) == (old.id, "pink", CardState.ORDERED)
    assert Card.objects.get(id=old.id).state == CardState.ACTIVATED
    services.activate_card(card_id=new.id, holder_id=holder.pk)
    run_worker()
    assert Card.objects.get(id=old.id).state == CardState.CANCELLED
    again = services.replace_card(card_id=old.id, holder_id=holder.pk, reason=ReplaceReason.DAMAGED, key="k")
    assert (again.card.id, again.replayed) == (new.id, True)


def test_a_stolen_card_is_opposed_before_another_is_ordered(provider, holder):
    old = order(holder).card
    provider.calls.clear()
    new = services.replace_card(card_id=old.id, holder_id=holder.pk, reason=ReplaceReason.STOLEN).card

    assert [call for call, _key in provider.calls] == ["oppose", "create"]
    assert Card.objects.get(id=old.id).state == CardState.OPPOSED
    assert Operation.objects.get(verb=Verb.OPPOSE).reason == "stolen"
    assert new.state == CardState.ORDERED


def test_while_the_opposition_is_open_the_replacement_waits(use, holder, clock):
    provider = use(**KEY_AND_REFERENCE)
    old = order(holder).card
    provider.faults.append("cut")
    new = services.replace_card(card_id=old.id, holder_id=holder.pk, reason=ReplaceReason.LOST)

    assert new.is_open
    until_quiet(clock)
    assert [call for call, _key in provider.calls if call in ("oppose", "create")] == [
        "create",
        "oppose",
        "oppose",
        "create",
    ]
    assert Card.objects.get(id=new.card.id).state == CardState.ORDERED
    assert Card.objects.get(id=old.id).state == CardState.OPPOSED


@pytest.mark.parametrize(
    ("state", "reason"),
    [("ordered", "damaged"), ("cancelled", "lost"), ("failed", "damaged"), ("opposed", "expired"), ("sent", "expired")],
)
def test_a_card_that_cannot_be_replaced_for_this_is_refused(provider, holder, state, reason):
    card = make_card(holder=holder, state=state)
    with pytest.raises(no.TransitionNotAllowed) as refusal:
        services.replace_card(card_id=card.id, holder_id=holder.pk, reason=reason)

    assert refusal.value.context == {"card_id": str(card.id), "state": state, "verb": "replace"}


def test_a_card_is_replaced_once(provider, holder):
    card = make_card(holder=holder, state="expired")
    new = services.replace_card(card_id=card.id, holder_id=holder.pk, reason="expired").card
    with pytest.raises(no.AlreadyReplaced) as refusal:
        services.replace_card(card_id=card.id, holder_id=holder.pk, reason="expired")

    assert refusal.value.context == {"card_id": str(card.id), "replaced_by": str(new.id)}


def test_a_replacement_that_failed_may_be_tried_again(provider, holder):
    card = make_card(holder=holder, state="expired")
    provider.faults.append("rejected")
    with pytest.raises(no.ProviderRejected):
        services.replace_card(card_id=card.id, holder_id=holder.pk, reason="expired")

    assert services.replace_card(card_id=card.id, holder_id=holder.pk, reason="expired").card.state == CardState.ORDERED


def test_somebody_elses_card_is_not_replaced(provider, holder):
    card = make_card(state="expired")
    with pytest.raises(no.CardNotFound):
        services.replace_card(card_id=card.id, holder_id=holder.pk, reason="expired")


def test_a_provider_that_replaces_no_cards_says_so(use, holder):
    use(**NONE, verbs=["issue"])
    card = make_card(holder=holder, state="expired")
    with pytest.raises(no.NotSupportedByProvider):
        services.replace_card(card_id=card.id, holder_id=holder.pk, reason="expired")


def test_what_stood_in_the_way_and_is_gone_is_no_refusal(provider, holder, monkeypatch):
    waiting = make_card(holder=holder, state="requested")
    from holdfast_cards.services import requests

    write = requests._write

    def once_more(card, operation):
        try:
            write(card, operation)
        finally:
            waiting.operations.update(state=OperationState.REJECTED, ended_at=waiting.created_at, next_attempt_at=None)
            Card.objects.filter(id=waiting.id).update(state=CardState.FAILED)

    monkeypatch.setattr(requests, "_write", once_more)

    assert order(holder).card.state == CardState.ORDERED


@override_settings(HOLDFAST_CARDS={})
def test_without_any_setting_the_dummy_makes_the_cards_and_needs_no_memory(holder):
    card = order(holder).card
    from holdfast.conf import _backends

    _backends.clear()
    services.activate_card(card_id=card.id, holder_id=holder.pk)
    services.freeze_card(card_id=card.id, holder_id=holder.pk)

    assert Card.objects.get().state == CardState.FROZEN
    assert not services.work()
    assert [step.target_state for step in CardTransition.objects.all()] == ["ordered", "activated", "frozen"]
