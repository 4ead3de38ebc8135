"""Everything at once, on PostgreSQL with a connection for each: each lock and each claim has a race."""

import threading
from collections import Counter

import pytest
from rest_framework.test import APIClient

from holdfast.testing import race
from holdfast_cards import exceptions as no
from holdfast_cards import services
from holdfast_cards.models import Attempt, Card, Discrepancy, Notice, Operation
from holdfast_cards.ports import ProviderCard
from holdfast_cards.services.operations import advance
from holdfast_cards.services.rows import load_operation
from holdfast_cards.states import CardState, OperationState
from holdfast_cards.testing import make_card, make_holder
from tests.cards.doubles import KEY, KEY_AND_REFERENCE, LIST, NONE, tell, until_quiet, webhook

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 10


def kinds(outcomes):
    return Counter(type(outcome) for outcome in outcomes)


@pytest.mark.parametrize("options", [KEY, LIST, NONE], ids=["key", "list", "none"])
def test_of_48_requests_with_one_key_one_is_sent(use, options, holder):
    provider = use(**options)

    def ask():
        client = APIClient()
        client.force_authenticate(holder)
        headers = {"Idempotency-Key": "k"}
        return client.post("/api/v1/cards/", {"color": "pink"}, format="json", headers=headers)

    answers = race(ask, times=48)

    assert {answer.status_code for answer in answers} <= {201, 202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert provider.posts == len(provider.cards) == Card.objects.count() == 1
    assert Card.objects.get().state == CardState.ORDERED


def test_of_two_devices_with_two_keys_one_gets_a_card_and_one_its_address(use, holder):
    provider = use(**KEY)
    both_have_asked = threading.Barrier(2)
    create = provider.create

    def slowly(payload, *, key):
        # The provider answers when the other device was refused: until then the request is open.
        both_have_asked.wait(timeout=30)
        return create(payload, key=key)

    provider.create = slowly

    def device(key):
        client = APIClient()
        client.force_authenticate(holder)
        headers = {"Idempotency-Key": key}
        answer = client.post("/api/v1/cards/", {"color": "pink"}, format="json", headers=headers)
        if answer.status_code == 409:
            both_have_asked.wait(timeout=30)
        return answer

    answers = sorted(race(lambda: device("one"), lambda: device("another")), key=lambda answer: answer.status_code)

    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["context"]["location"] == answers[0].headers["Location"]
    assert provider.posts == Card.objects.count() == 1


def test_of_many_requests_with_keys_of_their_own_no_more_pass_than_the_limit(use, holder):
    use(**KEY, MAX_LIVE_CARDS=2)
    for _ in range(3):
        outcomes = race(lambda: services.request_card(holder_id=holder.pk, color="pink"), times=8)
        assert set(kinds(outcomes)) <= {services.Result, no.RequestAlreadyOpen, no.CardLimitReached}

    assert Card.objects.filter(holder=holder, state=CardState.ORDERED).count() == 2


def test_of_many_workers_one_sends_an_order(use):
    provider = use(**NONE, MODE="deferred")
    for _ in range(ROUNDS):
        services.request_card(holder_id=make_holder().pk, color="pink")
    race(services.work, times=8)

    assert provider.posts == ROUNDS
    assert set(Operation.objects.values_list("state", "attempts")) == {(OperationState.SUCCEEDED, 1)}


def test_of_many_who_take_the_same_step_one_takes_it(use):
    provider = use(**NONE, MODE="deferred")
    for _ in range(ROUNDS):
        operation = services.request_card(holder_id=make_holder().pk, color="pink").operation
        outcomes = race(
            lambda operation_id=operation.id: advance(operation=load_operation(operation_id=operation_id)), times=8
        )
        assert kinds(outcomes) == {Operation: 8}

    assert provider.posts == ROUNDS


def test_a_client_and_the_worker_do_not_both_order(use):
    provider = use(**NONE)
    holders = [make_holder() for _ in range(ROUNDS)]
    for holder in holders:
        race(
            lambda holder=holder: services.request_card(holder_id=holder.pk, color="pink", key="k"),
            lambda holder=holder: services.request_card(holder_id=holder.pk, color="pink", key="k"),
            services.work,
            services.work,
        )

    assert provider.posts == ROUNDS
    assert set(Card.objects.values_list("state", flat=True)) == {CardState.ORDERED}


def test_of_the_same_change_at_once_one_operation_is_made(use):
    use(**KEY_AND_REFERENCE)
    for _ in range(ROUNDS):
        card = make_card(state="activated")
        outcomes = race(lambda c=card: services.freeze_card(card_id=c.id, holder_id=c.holder_id), times=6)
        assert set(kinds(outcomes)) <= {services.Result, no.ChangeUnderWay}
        assert Card.objects.get(id=card.id).state == CardState.FROZEN
        assert card.transitions.count() == 1


def test_of_different_changes_at_once_the_end_wins(use, clock):
    provider = use(**KEY_AND_REFERENCE)
    for _ in range(ROUNDS):
        card = make_card(state="activated")
        provider.put(ProviderCard(id=card.provider_card_id, status="", state=CardState.ACTIVATED))

        def call(verb, card=card, **reason):
            return verb(card_id=card.id, holder_id=card.holder_id, **reason)

        race(
            lambda call=call: call(services.freeze_card),
            lambda call=call: call(services.cancel_card),
            lambda call=call: call(services.oppose_card, reason="lost"),
        )
        until_quiet(clock)
        state = Card.objects.get(id=card.id).state
        assert state in (CardState.CANCELLED, CardState.OPPOSED)
        assert provider.cards[card.provider_card_id].state == state
        assert not Operation.objects.filter(card=card, state__in=["pending", "unknown", "in_flight"]).exists()


def test_a_webhook_that_comes_in_many_copies_at_once_is_stored_and_applied_once(use):
    provider = use(**KEY_AND_REFERENCE)
    for number in range(ROUNDS):
        card = make_card()
        theirs = provider.put(ProviderCard(id=card.provider_card_id, status="SENT", state=CardState.SENT))
        headers, body = webhook(theirs, event_id=f"event-{number}")
        stored = race(lambda h=headers, b=body: services.receive_webhook(provider="dummy", headers=h, body=b), times=6)
        assert kinds(stored) == {Notice: 1, type(None): 5}
        (notice,) = [one for one in stored if one]
        race(lambda notice=notice: services.apply_notice(notice_id=notice.id), times=6)
        assert card.transitions.count() == 1


def test_webhooks_of_one_card_at_once_end_where_the_provider_has_it(use):
    provider = use(**KEY_AND_REFERENCE)
    for number in range(ROUNDS):
        card = make_card()
        theirs = ProviderCard(id=card.provider_card_id, status="", state=CardState.ORDERED)
        notices = []
        for state in (CardState.SENT, CardState.ACTIVATED, CardState.FROZEN):
            theirs = provider.put(theirs, state=state)
            notices.append(tell(theirs, event_id=f"{number}-{state}"))
        race(*(lambda notice=notice: services.apply_notice(notice_id=notice.id) for notice in notices))
        assert Card.objects.get(id=card.id).state == CardState.FROZEN
        assert card.transitions.count() == 1


def test_an_answer_and_its_webhook_at_once_settle_one_card_without_a_deadlock(use, holder):
    provider = use(**KEY_AND_REFERENCE)
    for _ in range(ROUNDS):
        holder = make_holder()

        def order(holder=holder):
            return services.request_card(holder_id=holder.pk, color="pink")

        told = threading.Event()

        def notify(told=told):
            assert told.wait(timeout=30)
            card = list(provider.cards.values())[-1]
            services.apply_notice(notice_id=tell(card, event_id=card.id).id)

        provider.meanwhile = told.set
        outcomes = race(order, notify)
        assert kinds(outcomes) == {services.Result: 1, type(None): 1}
    services.work()

    assert set(Card.objects.values_list("state", flat=True)) == {CardState.ORDERED}
    assert set(Operation.objects.values_list("state", flat=True)) == {OperationState.SUCCEEDED}
    assert not Discrepancy.objects.exists()
    assert Card.objects.filter(transitions__isnull=False).count() == ROUNDS


def test_of_many_workers_one_compares_a_card(use):
    provider = use(**KEY_AND_REFERENCE)
    cards = [make_card() for _ in range(ROUNDS)]
    for card in cards:
        provider.put(ProviderCard(id=card.provider_card_id, status="", state=CardState.SENT))
        Card.objects.filter(id=card.id).update(next_refresh_at=card.created_at)
    compared = race(services.refresh_cards, times=6)

    assert sum(compared) == ROUNDS
    assert len([call for call, _id in provider.calls if call == "get"]) == ROUNDS


def test_of_many_workers_one_reads_the_log_and_one_cancels_a_card_too_many(use):
    provider = use(**KEY, events=True)
    Discrepancy.objects.create(kind="extra_card", provider="dummy", provider_card_id="extra")
    assert sum(race(services.cancel_extra_cards, times=6)) == 1
    race(services.read_feed, times=6)

    assert [call for call, _about in provider.calls].count("cancel") == 1
    assert [call for call, _about in provider.calls].count("events") == 1


def test_of_two_decisions_one_is_taken(use):
    use(**NONE)
    for _ in range(ROUNDS):
        operation = make_card(state="requested").operations.get()
        Operation.objects.filter(id=operation.id).update(state=OperationState.NEEDS_REVIEW)
        outcomes = race(
            lambda o=operation: services.declare_without_effect(operation_id=o.id),
            lambda o=operation: services.adopt_card(operation_id=o.id, provider_card_id=str(o.id)),
        )
        assert kinds(outcomes)[no.NotInReview] == 1, outcomes
    assert not Attempt.objects.exists()
