"""Activate, freeze, unfreeze, cancel, oppose."""

import pytest

from holdfast.testing import captured_events
from holdfast_cards import events, services
from holdfast_cards import exceptions as no
from holdfast_cards.models import Card, Operation
from holdfast_cards.ports import ProviderCard
from holdfast_cards.services import gate
from holdfast_cards.states import FINAL, CardState, OperationState, Verb
from holdfast_cards.testing import make_card
from tests.cards.doubles import KEY, KEY_AND_REFERENCE, NONE, tell, until_quiet

pytestmark = pytest.mark.django_db(transaction=True)

VERBS = {
    "activate": (services.activate_card, {"ordered", "sent"}, "activated", events.CardActivated),
    "freeze": (services.freeze_card, {"activated"}, "frozen", events.CardFrozen),
    "unfreeze": (services.unfreeze_card, {"frozen"}, "activated", events.CardUnfrozen),
    "cancel": (services.cancel_card, {"ordered", "sent", "activated", "frozen"}, "cancelled", events.CardCancelled),
    "oppose": (services.oppose_card, {"ordered", "sent", "activated", "frozen"}, "opposed", events.CardOpposed),
}
EACH = [(verb, state) for verb in VERBS for state in CardState.values]


def call(verb, card, holder_id=None):
    reason = {"reason": "lost"} if verb == "oppose" else {}
    return VERBS[verb][0](card_id=card.id, holder_id=holder_id or card.holder_id, **reason)


@pytest.fixture
def kept(provider):
    """Make a card that the provider knows."""

    def make(state):
        card = make_card(state=state)
        if card.provider_card_id:
            provider.put(ProviderCard(id=card.provider_card_id, status="", state=CardState(state)), state=card.state)
        return card

    return make


@pytest.mark.parametrize(("verb", "state"), [(v, s) for v, s in EACH if s in VERBS[v][1]])
def test_a_verb_takes_a_card_from_where_it_may(kept, verb, state):
    card = kept(state)
    with captured_events() as told:
        result = call(verb, card)

    _verb, _from, target, fact = VERBS[verb]
    assert (result.card.state, result.is_open) == (target, False)
    assert Card.objects.get(id=card.id).state == target
    assert told == [fact(card_id=str(card.id), holder_id=str(card.holder_id), source="answer")]


@pytest.mark.parametrize(("verb", "state"), [(v, s) for v, s in EACH if s not in VERBS[v][1]])
def test_a_verb_refuses_a_card_from_where_it_may_not_and_nobody_is_told(kept, provider, verb, state):
    card = kept(state)
    provider.calls.clear()
    target = VERBS[verb][2]
    with captured_events() as told:
        if state == target or (target in FINAL and state in FINAL):
            result = call(verb, card)
            assert (result.card.state, result.operation) == (state, None)
        elif (verb, state) == ("cancel", "requested"):
            assert call(verb, card).is_open
        else:
            with pytest.raises(no.TransitionNotAllowed) as refusal:
                call(verb, card)
            assert refusal.value.context == {"card_id": str(card.id), "state": state, "verb": verb}

    assert told == []
    assert provider.calls == []
    assert Card.objects.get(id=card.id).state == state


@pytest.mark.parametrize("verb", VERBS)
def test_somebody_elses_card_is_not_found(kept, holder, verb):
    with pytest.raises(no.CardNotFound):
        call(verb, kept("activated"), holder_id=holder.pk)


@pytest.mark.parametrize("verb", ["freeze", "cancel", "oppose"])
def test_what_the_provider_cannot_do_is_said_and_not_tried(use, verb):
    provider = use(**NONE, verbs=["issue"])
    card = make_card(state="activated")
    with pytest.raises(no.NotSupportedByProvider) as refusal:
        call(verb, card)

    assert (refusal.value.status, refusal.value.context) == (501, {"verb": verb})
    assert provider.calls == []
    assert not Operation.objects.exclude(verb="issue").exists()


def test_a_change_that_is_rejected_leaves_the_card_as_it_is(kept, provider):
    card = kept("activated")
    provider.faults.append("rejected")
    with pytest.raises(no.ProviderRejected):
        call("freeze", card)

    assert Card.objects.get(id=card.id).state == CardState.ACTIVATED
    assert Operation.objects.get(verb="freeze").state == OperationState.REJECTED
    assert call("freeze", card).card.state == CardState.FROZEN


def test_one_change_at_a_time_but_an_end_may_follow_any(kept, provider, clock):
    card = kept("activated")
    provider.faults.append("cut")
    assert call("freeze", card).is_open
    Card.objects.filter(id=card.id).update(state=CardState.FROZEN)  # as a webhook may have told meanwhile
    with pytest.raises(no.ChangeUnderWay) as refusal:
        call("unfreeze", card)
    assert refusal.value.context == {"card_id": str(card.id), "verb": "freeze"}
    assert not call("cancel", card).is_open
    until_quiet(clock)

    assert Card.objects.get(id=card.id).state == CardState.CANCELLED
    assert [call for call, _key in provider.calls if call in ("freeze", "cancel")][-1] == "cancel"


def test_the_same_change_asked_again_is_the_same_operation(kept, provider, clock):
    card = kept("activated")
    provider.faults.append("cut")
    first, second = call("freeze", card), call("freeze", card)

    assert second.operation.id == first.operation.id
    assert second.card.state == CardState.FROZEN
    assert Operation.objects.filter(verb="freeze").count() == 1


def test_what_was_to_be_done_with_a_card_that_ends_is_ended(kept, provider):
    card = kept("activated")
    provider.faults.append("down")
    call("freeze", card)
    call("oppose", card)
    services.work()

    states = {one.verb: one.state for one in Operation.objects.exclude(verb="issue")}
    assert states["oppose"] == OperationState.SUCCEEDED or Card.objects.get(id=card.id).state == CardState.OPPOSED
    assert Operation.objects.filter(state__in=["pending", "unknown"]).count() == 0


def test_a_repeated_change_that_is_refused_because_it_is_in_effect_has_succeeded(use, clock):
    provider = use(**KEY_AND_REFERENCE)
    card = make_card(state="activated")

    known = provider.put(ProviderCard(id=card.provider_card_id, status="", state=CardState.ACTIVATED))
    provider.faults.append("lost")
    provider.meanwhile = lambda: provider.put(known, state=CardState.CANCELLED)
    assert call("cancel", card).is_open
    until_quiet(clock)

    assert Operation.objects.get(verb="cancel").state == OperationState.SUCCEEDED
    assert [name for name, _key in provider.calls].count("cancel") == 1


def test_a_change_that_only_repetition_can_prove_is_repeated_under_a_new_key(use, clock):
    provider = use(**KEY)
    card = make_card(state="activated")
    provider.faults.extend(["error", "error", "error"])
    assert call("freeze", card).is_open
    until_quiet(clock)

    keys = [key for name, key in provider.calls if name == Verb.FREEZE]
    assert len(keys) == len(set(keys)) == 4
    assert Card.objects.get(id=card.id).state == CardState.FROZEN


def test_a_card_that_the_provider_does_not_know_any_more_is_a_discrepancy(use, clock):
    provider = use(**KEY_AND_REFERENCE)
    card = make_card(state="activated")
    provider.faults.append("cut")
    call("freeze", card)
    until_quiet(clock)

    assert card.discrepancies.get().kind == "missing"
    assert Operation.objects.get(verb="freeze").state == OperationState.REJECTED
    assert Card.objects.get(id=card.id).state == CardState.ACTIVATED


def test_a_provider_that_says_done_and_shows_otherwise_is_not_believed(use, clock, monkeypatch):
    provider = use(**KEY)
    card = make_card(state="activated")
    monkeypatch.setitem(
        __import__("holdfast_cards.backends.dummy", fromlist=["_AFTER"])._AFTER, Verb.FREEZE, "activated"
    )

    result = call("freeze", card)

    assert result.is_open
    assert Operation.objects.get(verb="freeze").last_reason == "not_in_effect"
    assert provider.calls


def test_an_answer_that_comes_late_does_not_undo_what_was_done_since(kept, provider, clock):
    card = kept("activated")

    def meanwhile():
        clock.turn(minutes=1)
        services.work()
        assert Card.objects.get(id=card.id).state == CardState.FROZEN
        call("unfreeze", card)

    provider.meanwhile = meanwhile
    result = call("freeze", card)

    assert (result.card.state, result.is_open) == (CardState.ACTIVATED, False)
    assert Card.objects.get(id=card.id).state == CardState.ACTIVATED
    assert [step.target_state for step in card.transitions.all()] == ["frozen", "activated"]


def test_a_look_that_comes_late_does_not_undo_what_was_done_since(kept, provider, clock):
    card = kept("activated")
    provider.faults.append("lost")
    assert call("freeze", card).is_open
    get = provider.get

    def late(card_id):
        provider.get = get
        shown = get(card_id)
        provider.put(shown, state=CardState.ACTIVATED)  # its own staff has unfrozen it
        services.apply_notice(notice_id=tell(shown).id)
        return shown

    provider.get = late
    clock.turn(minutes=1)
    services.work()

    assert Card.objects.get(id=card.id).state == CardState.ACTIVATED


def test_an_answer_that_comes_after_the_end_resurrects_nothing(kept, provider, clock):
    card = kept("activated")
    provider.meanwhile = lambda: call("cancel", card)
    with pytest.raises(no.TransitionNotAllowed):
        call("freeze", card)

    assert Card.objects.get(id=card.id).state == CardState.CANCELLED
    assert not card.discrepancies.exists()


@pytest.mark.parametrize("verb", ["cancel", "oppose"])
def test_an_end_does_not_wait_for_a_change_whose_outcome_is_open(kept, provider, clock, verb):
    card = kept("activated")
    provider.faults.append("cut")
    assert call("freeze", card).is_open

    assert not call(verb, card).is_open
    assert Card.objects.get(id=card.id).state == VERBS[verb][2]
    assert Operation.objects.get(verb="freeze").state == OperationState.REJECTED


def test_a_change_that_waits_for_a_person_does_not_hold_back_the_end(use, clock):
    provider = use(**KEY, GIVE_UP_SECONDS=60)
    card = make_card(state="activated")
    provider.faults.extend(["cut"] * 100)
    call("freeze", card)
    until_quiet(clock)
    assert Operation.objects.get(verb="freeze").state == OperationState.NEEDS_REVIEW
    provider.faults.clear()
    gate._circuits.clear()  # whose clock is the system's, and not turned

    assert call("cancel", card).card.state == CardState.CANCELLED
    assert Operation.objects.get(verb="freeze").state == OperationState.REJECTED


def test_a_cancellation_that_waits_goes_on_as_soon_as_its_card_is_known(use, holder, clock):
    provider = use(**NONE, verbs=[*VERBS, "issue"])
    provider.faults.append("lost")
    result = services.request_card(holder_id=holder.pk, color="pink")
    call("cancel", result.card)
    clock.turn(hours=20)
    services.work()
    services.work()
    (theirs,) = provider.cards.values()
    services.adopt_card(operation_id=result.operation.id, provider_card_id=theirs.id)
    services.work()

    assert Card.objects.get().state == CardState.CANCELLED
