"""The sandbox tells: in order, signed, again where nobody listened; and otherwise as it is told to."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from holdfast_cards.ports import InvalidWebhook
from holdfast_cards.testing.sandbox import FaultKind
from tests.cards.adapters.providers import create, provider_of, wait_until


@pytest.fixture
def provider(sandbox, receiver):
    sandbox.choose(webhook_url=receiver.url)
    return provider_of(sandbox)


def made(sandbox, provider):
    """Return a new card, of which everybody has been told."""
    card = create(provider).card
    sandbox.settle()
    return card


def told(sandbox, receiver):
    """Return the ids of the events that were delivered, in order."""
    sandbox.settle()
    return [event_id(headers, body) for headers, body in receiver.received]


def event_id(headers, body):
    return headers.get("webhook-id") or json.loads(body)["id"]


def test_each_thing_that_happens_is_told_in_order(sandbox, provider, receiver):
    card = made(sandbox, provider)
    sandbox.befall(card.id, "ship")
    sandbox.befall(card.id, "activate")

    assert told(sandbox, receiver) == [event.id for event in sandbox.events]
    notices = [provider.read_webhook(headers, body) for headers, body in receiver.received]
    assert {notice.card_id for notice in notices} == {card.id}
    assert len(notices) == 3


def test_nothing_is_told_of_what_is_over(sandbox, provider, receiver):
    card = made(sandbox, provider)
    sandbox.befall(card.id, "cancel")
    sandbox.befall(card.id, "activate")

    assert len(told(sandbox, receiver)) == 2


def test_early_is_before_the_answer(sandbox, provider, receiver):
    sandbox.arm("webhook_early")
    receiver.gate.clear()

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(create, provider)
        wait_until(lambda: len(receiver.received) == 1)
        # As long as nobody takes the news, there is no answer.
        with pytest.raises(TimeoutError):
            asked.result(timeout=0.2)
        receiver.gate.set()

    assert asked.result().card


def test_late_is_late_by_the_providers_clock(sandbox, provider, receiver):
    sandbox.arm("webhook_late", seconds=3600)
    create(provider)
    assert told(sandbox, receiver) == []

    sandbox.server.advance(3601)

    assert told(sandbox, receiver) == [sandbox.events[0].id]


def test_twice_is_the_same_event_twice(sandbox, provider, receiver):
    sandbox.arm("webhook_twice")
    create(provider)

    assert told(sandbox, receiver) == [sandbox.events[0].id] * 2


def test_reordered_is_behind_the_next_one(sandbox, provider, receiver):
    sandbox.arm("webhook_reordered")
    card = made(sandbox, provider)
    sandbox.befall(card.id, "ship")

    first, second = (event.id for event in sandbox.events)
    assert told(sandbox, receiver) == [second, first]


def test_never_is_never_though_the_events_remember(sandbox, provider, receiver):
    sandbox.arm("webhook_never")
    create(provider)
    sandbox.server.advance(86_400)

    assert told(sandbox, receiver) == []
    assert len(sandbox.events) == 1


@pytest.mark.parametrize("fault", ["webhook_forged", "webhook_stale"])
def test_what_is_wrongly_signed_is_refused(sandbox, provider, receiver, fault):
    sandbox.arm(fault)
    create(provider)
    told(sandbox, receiver)

    with pytest.raises(InvalidWebhook):
        provider.read_webhook(*receiver.received[0])


def test_what_nobody_took_is_sent_again(sandbox, provider, receiver):
    receiver.status = 503
    create(provider)
    assert len(told(sandbox, receiver)) == 1

    receiver.status = 200
    sandbox.server.advance(6)

    assert told(sandbox, receiver) == [sandbox.events[0].id] * 2
    assert [delivery.note for delivery in sandbox.events[0].deliveries] == ["503", "200"]
    sandbox.server.advance(86_400)
    assert len(told(sandbox, receiver)) == 2


def test_an_event_can_be_delivered_again(sandbox, provider, receiver):
    create(provider)
    sandbox.resend(sandbox.events[0].id)

    assert told(sandbox, receiver) == [sandbox.events[0].id] * 2
    with pytest.raises(KeyError):
        sandbox.resend("none")


def test_nobody_is_told_where_there_is_no_address(sandbox):
    create(provider_of(sandbox))
    sandbox.settle()

    assert sandbox.events[0].deliveries == []


def test_a_card_made_at_the_counter_is_told_too(sandbox, provider, receiver):
    card = sandbox.make_card(owner="somebody", color="black")
    quiet = sandbox.make_card(owner="somebody", announce=False)

    assert told(sandbox, receiver) == [sandbox.events[0].id]
    assert (card.color, quiet.color) == ("black", "pink")
    assert sandbox.cards_of("somebody") == [card, quiet]


def test_every_fault_of_webhooks_has_a_test_here():
    source = Path(__file__).read_text()

    assert [kind for kind in FaultKind if kind.is_of_webhooks and f'"{kind}"' not in source] == []
