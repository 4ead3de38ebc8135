"""What nobody told us of: refresh, expiry, the provider's log, cards too many, the breaker."""

import contextlib
import datetime as dt

import pytest

from holdfast.outbox.circuit import Circuit
from holdfast.testing import captured_events
from holdfast_cards import events, services
from holdfast_cards.exceptions import CardsError
from holdfast_cards.models import Card, Discrepancy, Feed, Notice, Operation
from holdfast_cards.ports import NoAnswer, ProviderCard, WebhookNotice
from holdfast_cards.services import gate, worker
from holdfast_cards.states import CardState, OperationState
from holdfast_cards.testing import make_card, make_holder, run_worker
from tests.cards.doubles import CLASSES, KEY, KEY_AND_REFERENCE, LIST, NONE, until_quiet

pytestmark = pytest.mark.django_db(transaction=True)


def known(provider, state="ordered", **fields):
    card = make_card(state=state)
    provider.put(
        ProviderCard(
            id=card.provider_card_id, status="", state=CardState(state), holder=card.holder_reference, **fields
        )
    )
    Card.objects.filter(id=card.id).update(next_refresh_at=card.created_at)
    return card


@pytest.mark.parametrize("options", [KEY_AND_REFERENCE, LIST], ids=["get", "list"])
def test_what_the_provider_shows_is_taken_over(use, options):
    provider = use(**options)
    card = known(provider)
    provider.put(
        provider.cards[card.provider_card_id],
        state=CardState.SENT,
        carrier="Post",
        tracking_number="1Z",
        expires_on=dt.date(2030, 1, 31),
        last4="0007",
    )
    assert services.refresh_cards() == 1

    card = Card.objects.get()
    assert (card.state, card.carrier, card.tracking_number) == ("sent", "Post", "1Z")
    assert (card.expires_on, card.last4) == (dt.date(2030, 1, 31), "0007")
    assert services.refresh_cards() == 0


@pytest.mark.parametrize(("state", "shown"), [("activated", "frozen"), ("frozen", "frozen"), ("sent", "sent")])
def test_a_provider_with_one_word_for_not_yet_and_no_more_is_understood_by_our_history(provider, state, shown):
    card = known(provider, state)
    provider.put(provider.cards[card.provider_card_id], state=CardState.SENT, inactive=True)
    services.refresh_cards()

    assert Card.objects.get().state == shown


def test_a_card_goes_forward_only(provider):
    card = known(provider, "activated")
    provider.put(provider.cards[card.provider_card_id], state=CardState.ORDERED)
    services.refresh_cards()

    assert Card.objects.get().state == CardState.ACTIVATED


def test_a_working_card_that_failed_at_the_provider_is_cancelled(provider):
    card = known(provider, "activated")
    provider.put(provider.cards[card.provider_card_id], state=CardState.FAILED)
    services.refresh_cards()

    assert Card.objects.get().state == CardState.CANCELLED


@pytest.mark.parametrize("hostile", ["4929731604817253", "12a4", "٣٤٥٦", "123"])
def test_nothing_but_four_digits_is_taken_for_the_last_four(provider, hostile):
    card = known(provider)
    provider.put(provider.cards[card.provider_card_id], last4=hostile, carrier="a\x00b", tracking_number="x" * 1000)
    services.refresh_cards()

    card = Card.objects.get()
    assert (card.last4, card.carrier, card.tracking_number) == ("", "ab", "x" * 100)


def test_a_card_that_the_provider_does_not_know_is_a_discrepancy_once(provider, clock):
    card = known(provider)
    provider.cards.clear()
    services.refresh_cards()
    clock.turn(days=2)
    services.refresh_cards()

    found = Discrepancy.objects.get()
    assert (found.kind, found.card, Card.objects.get().state) == ("missing", card, "ordered")


def test_a_provider_that_does_not_answer_is_left_alone(provider):
    known(provider)
    known(provider)
    provider.unreadable = True
    assert services.refresh_cards() == 0

    assert len([call for call, _id in provider.calls if call == "get"]) == 1


def test_where_nobody_can_look_nothing_is_refreshed(use):
    use(**NONE)
    make_card()
    assert services.refresh_cards() == 0


def test_a_card_past_its_last_day_is_over(use, clock):
    use(**NONE)
    today = clock().date()
    days = [today - dt.timedelta(days=2), today - dt.timedelta(days=1), today, None]
    cards = [make_card(state="frozen", expires_on=day) for day in days]
    with captured_events() as told:
        assert services.expire_cards() == 1
        assert services.expire_cards() == 0

    assert [Card.objects.get(id=card.id).state for card in cards] == ["expired", "frozen", "frozen", "frozen"]
    assert told == [
        events.CardExpired(card_id=str(cards[0].id), holder_id=str(cards[0].holder_id), source="expiry"),
    ]


def test_the_log_is_read_from_where_we_stopped(use, clock):
    provider = use(**KEY, events=True)
    provider.log.append(WebhookNotice(event_id="before", type="card.changed", card_id="a"))
    assert services.read_feed() == 0, "what was before our time is not ours"
    card = known(provider)
    assert services.read_feed() == 0, "too early"
    clock.turn(minutes=6)

    assert services.read_feed() == 1
    assert Notice.objects.get().provider_card_id == card.provider_card_id
    assert Feed.objects.get().cursor == "2"


def test_a_log_of_many_pages_is_read_and_told_twice_is_stored_once(use, clock):
    provider = use(**KEY, events=True)
    services.read_feed()
    card = known(provider)
    for _ in range(119):
        provider.put(provider.cards[card.provider_card_id])
    page = provider.events

    def pages(*, after):
        from dataclasses import replace

        found = page(after=after)
        return replace(found, more=int(found.cursor) < len(provider.log))

    provider.events = pages
    clock.turn(minutes=6)
    assert services.read_feed() == 120
    Feed.objects.update(cursor="0")
    clock.turn(minutes=6)
    assert services.read_feed() == 0


def test_a_log_that_cannot_be_read_is_read_later(use, clock):
    provider = use(**KEY, events=True)
    provider.unreadable = True
    assert services.read_feed() == 0
    provider.unreadable = False
    clock.turn(minutes=6)
    services.read_feed()

    assert Feed.objects.get().cursor == "0"


def test_extra_cards_stay_written_down_where_they_cannot_be_cancelled(use):
    use(**NONE, verbs=["issue"])
    Discrepancy.objects.create(kind="extra_card", provider="dummy", provider_card_id="extra")

    assert services.cancel_extra_cards() == 0
    assert Discrepancy.objects.get().state == "open"


def test_the_breaker_opens_after_five_failures_and_spends_no_attempts(use, clock):
    provider = use(**KEY, SECOND_TRY_SECONDS=0)
    provider.faults.extend(["down"] * 5)
    for _ in range(5):
        services.request_card(holder_id=make_holder().pk, color="pink")
    result = services.request_card(holder_id=make_holder().pk, color="pink")

    assert result.is_open
    assert (result.operation.attempts, result.operation.last_reason) == (0, "circuit_open")
    assert provider.posts == 5


@pytest.mark.parametrize("options", CLASSES.values(), ids=CLASSES.keys())
def test_behind_an_open_breaker_one_order_at_a_time_tries_whether_the_provider_is_back(
    use, clock, monkeypatch, options
):
    provider = use(**options, SECOND_TRY_SECONDS=0)
    monkeypatch.setitem(gate._circuits, "dummy", Circuit(opens_after=1, probe_seconds=3600))
    services.request_card(holder_id=make_holder().pk, color="pink")
    gate._circuits["dummy"].failed()
    assert services.request_card(holder_id=make_holder().pk, color="pink").is_open
    monkeypatch.setattr(gate._circuits["dummy"], "_silent_until", 0.0)
    clock.turn(minutes=1)

    assert services.work().operations == 1
    assert set(Card.objects.values_list("state", flat=True)) == {CardState.ORDERED}
    assert provider.posts == 2


def test_what_the_provider_refuses_never_opens_the_breaker(use):
    provider = use(**KEY)
    provider.faults.extend(["rejected", "misconfigured", "limited"] * 4)
    for _ in range(12):
        with contextlib.suppress(CardsError):
            services.request_card(holder_id=make_holder().pk, color="pink")

    assert provider.posts == 12


def test_a_read_that_was_refused_is_no_outage(provider, monkeypatch):
    def refused(card_id):
        raise NoAnswer("http_429", http_status=429)

    monkeypatch.setattr(provider, "get", refused)
    for _ in range(10):
        known(provider)
        services.refresh_cards()

    assert gate.Gate().admits()


def test_an_open_breaker_lets_reads_wait_too(provider, monkeypatch):
    known(provider)
    circuit = Circuit(opens_after=1)
    circuit.failed()
    monkeypatch.setitem(gate._circuits, "dummy", circuit)

    assert services.refresh_cards() == 0
    assert provider.calls == []


def test_what_breaks_on_one_operation_does_not_keep_the_worker_from_the_next(use, monkeypatch, caplog):
    provider = use(**KEY, MODE="deferred")
    for _ in range(3):
        services.request_card(holder_id=make_holder().pk, color="pink")
    broken = Operation.objects.order_by("next_attempt_at").first()
    advance = worker.advance

    def breaks(*, operation):
        if operation.id == broken.id:
            raise ValueError("a bug")
        return advance(operation=operation)

    monkeypatch.setattr(worker, "advance", breaks)
    services.work()

    assert len(provider.cards) == 2
    assert str(broken.id) in caplog.text


def test_an_operation_that_nothing_helps_is_left_to_a_person(use, clock):
    provider = use(**KEY, SECOND_TRY_SECONDS=0, GIVE_UP_SECONDS=3600)
    provider.faults.extend(["down"] * 1000)
    with captured_events() as told:
        services.request_card(holder_id=make_holder().pk, color="pink")
        until_quiet(clock, rounds=3000)

    operation = Operation.objects.get()
    assert (operation.state, operation.last_reason) == (OperationState.NEEDS_REVIEW, "too_old")
    assert [type(one) for one in told] == [events.ReviewNeeded]


def test_the_maker_of_tests_lets_the_worker_run_until_nothing_is_due(use):
    use(**KEY, MODE="deferred")
    services.request_card(holder_id=make_holder().pk, color="pink")

    assert run_worker().operations == 1
    assert not run_worker()
