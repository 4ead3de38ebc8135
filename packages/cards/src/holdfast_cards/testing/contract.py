"""What every adapter of ``CardProvider`` keeps, as tests to inherit.

::

    class TestOurBank(HttpProviderContract):
        holder = Holder(external_id="customer-1", name="Ada Lovelace", address=...)

        @pytest.fixture
        def provider(self):
            return OurBank(base_url="https://sandbox.ourbank.example", api_key="...")

        def at(self, base_url, limits):
            return OurBank(base_url=base_url, api_key="...", limits=limits)

``ProviderContract`` asks a working provider, or its sandbox, for a handful of cards; what ``capabilities`` does not
promise is skipped. ``HttpProviderContract`` also lets the adapter talk to a server that misbehaves in every way we
know, which tests the adapter alone and needs no provider.
"""
# ruff: noqa: S101 - tests, shipped

import contextlib
import dataclasses
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest import SkipTest

from holdfast.ids import uuid7
from holdfast_cards.ports import (
    Address,
    Answer,
    Capabilities,
    CardChange,
    CardOrder,
    CardProvider,
    Holder,
    InvalidWebhook,
    NoAnswer,
    ProviderCard,
)
from holdfast_cards.states import LIVE, MAKING, CardKind, CardState, OpposeReason, Outcome, ReplaceReason, Verb
from holdfast_cards.testing.sandbox.books import Reply
from holdfast_cards.testing.sandbox.dialects.base import Request
from holdfast_cards.testing.sandbox.listener import Line, Listener

IMPATIENT: Mapping[str, float] = {"connect_seconds": 0.5, "read_seconds": 0.3, "total_seconds": 0.5}
"""Limits with which a test of an answer that never comes does not take minutes."""
PATIENT: Mapping[str, float] = {}
"""The adapter's own limits: for answers that do come, on however busy a machine."""

ADDRESS = Address(line1="12 Rue de la Paix", city="Paris", postal_code="75002", country="FR")
NOWHERE = "no-such-card"
ID_LENGTH = 255
CANARY = "4929731604817253"

_AFTER = {
    Verb.ACTIVATE: CardState.ACTIVATED,
    Verb.UNFREEZE: CardState.ACTIVATED,
    Verb.FREEZE: CardState.FROZEN,
    Verb.CANCEL: CardState.CANCELLED,
    Verb.OPPOSE: CardState.OPPOSED,
}
HOSTILE: tuple[tuple[Mapping[str, str], bytes], ...] = (
    ({}, b""),
    ({}, b"{}"),
    ({"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,AA=="}, b"{}"),
    ({"Stripe-Signature": "t=1,v1=" + "0" * 64}, b"{}"),
    ({"Stripe-Signature": "t=\u0661,v1=\u00e9"}, b"\xff\xfe"),
)


class ProviderContract:
    """What every adapter keeps; inherit it and give a fixture ``provider``, of a provider that answers."""

    holder = Holder(external_id="holder-1", name="Ada Lovelace", address=ADDRESS)
    """Somebody to whom the provider makes cards."""
    other_holder = Holder(external_id="holder-2", name="Grace Hopper", address=ADDRESS)
    many = 3
    """How many cards are listed; more than the provider puts on a page, where making so many costs nothing."""

    # --- Makers

    def order(self, provider: CardProvider, **changes: Any) -> CardOrder:
        """Return a new order."""
        values = {"reference": str(uuid7()), "holder": self.holder, "color": provider.capabilities.colors[0]}
        return CardOrder(**{**values, **changes})

    def make(self, provider: CardProvider, **changes: Any) -> tuple[CardOrder, ProviderCard]:
        """Return an order, and the card that was made of it."""
        order = self.order(provider, **changes)
        answer = provider.create(provider.compose(order), key=str(uuid7()))
        assert answer.outcome == Outcome.DONE, answer
        assert answer.card is not None
        return order, answer.card

    # --- Orders

    def test_it_says_what_it_can_do(self, provider: CardProvider) -> None:
        """A name to keep cards under, colors, and at least the verb that makes a card."""
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,31}", provider.name)
        assert isinstance(provider.capabilities, Capabilities)
        assert provider.capabilities.colors
        assert provider.capabilities.kinds
        assert Verb.ISSUE in provider.capabilities.verbs

    def test_an_order_is_composed_the_same_each_time_and_survives_storage(self, provider: CardProvider) -> None:
        """What is stored as JSON before the first send is what every send sends."""
        order = self.order(provider)
        payload = provider.compose(order)
        assert payload == provider.compose(order)
        assert payload == json.loads(json.dumps(payload))

    def test_colors_are_not_confused(self, provider: CardProvider) -> None:
        """Each color is another payload, and the card that comes of it says so, or says nothing."""
        payloads = []
        for color in provider.capabilities.colors:
            order = self.order(provider, reference="the-same", color=color)
            payloads.append(json.dumps(provider.compose(order), sort_keys=True))
            assert self.make(provider, color=color)[1].color in {color, ""}
        assert len(set(payloads)) == len(payloads)

    def test_a_color_that_there_is_not_cannot_be_ordered(self, provider: CardProvider) -> None:
        """The refusal comes before anything is stored or sent."""
        with refused(ValueError):
            provider.compose(self.order(provider, color="no such color"))

    # --- Cards

    def test_each_kind_of_card_is_made(self, provider: CardProvider) -> None:
        """A new card has an id that can be stored, and is on its way."""
        for kind in provider.capabilities.kinds:
            card = self.make(provider, kind=CardKind(kind))[1]
            assert 0 < len(card.id) <= ID_LENGTH
            assert card.status
            assert card.state in LIVE, card
            assert card.anomalies == ()

    def test_nothing_gets_past_that_nobody_may_see(self, provider: CardProvider) -> None:
        """No field of a card holds what could be its number."""
        card = self.make(provider)[1]
        for name, value in dataclasses.asdict(card).items():
            digits = re.sub(r"\D", "", value) if isinstance(value, str) else ""
            assert name in {"id", "reference", "holder", "tracking_number"} or len(digits) < 12, name
        assert len(card.last4) in {0, 4}

    def test_one_key_makes_one_card(self, provider: CardProvider) -> None:
        """Sent again with its key, an order finds its card."""
        self._needs(provider.capabilities.idempotency_key)
        payload, key = provider.compose(self.order(provider)), str(uuid7())
        first, again = provider.create(payload, key=key), provider.create(payload, key=key)
        assert first.card is not None
        assert again.card is not None
        assert first.card.id == again.card.id

    def test_two_orders_are_two_cards(self, provider: CardProvider) -> None:
        """Two orders of one holder for one color are not taken for each other."""
        assert self.make(provider)[1].id != self.make(provider)[1].id

    # --- Finding cards again

    def test_a_card_can_be_read_again(self, provider: CardProvider) -> None:
        """It is the same card; one that there is not, is none."""
        self._needs(provider.capabilities.get)
        card = self.make(provider)[1]
        read = provider.get(card.id)
        assert read is not None
        assert (read.id, read.color, read.expires_on) == (card.id, card.color, card.expires_on)
        assert provider.get(NOWHERE) is None

    def test_a_card_is_found_by_the_reference_of_its_order(self, provider: CardProvider) -> None:
        """That card and no other, and none for a reference that nobody sent."""
        self._needs(provider.capabilities.find_by_reference)
        made = [self.make(provider) for _ in range(2)]
        for order, card in made:
            found = provider.find_by_reference(reference=order.reference, holder=self.holder.external_id)
            assert [each.id for each in found] == [card.id]
        assert provider.find_by_reference(reference=str(uuid7()), holder=self.holder.external_id) == []

    def test_a_holders_cards_are_listed_all_and_nobody_elses(self, provider: CardProvider) -> None:
        """Every page of them: a card that is overlooked is made twice."""
        self._needs(provider.capabilities.list_by_holder)
        mine = {self.make(provider)[1].id for _ in range(self.many)}
        theirs = self.make(provider, holder=self.other_holder)[1].id
        listed = {card.id for card in provider.list_by_holder(holder=self.holder.external_id)}
        assert mine <= listed
        assert theirs not in listed

    # --- Changes

    def test_a_change_brings_the_card_into_its_state_also_when_it_is_asked_for_twice(
        self, provider: CardProvider
    ) -> None:
        """Changes name the state wanted, so that one whose answer was lost may be sent again."""
        verbs = provider.capabilities.verbs - MAKING
        self._needs(bool(verbs))
        for verb in sorted(verbs):
            card = self.make(provider)[1]
            if verb in {Verb.FREEZE, Verb.UNFREEZE} and Verb.ACTIVATE in verbs:
                self.change(provider, card, Verb.ACTIVATE)
            for _ in range(2):
                after = self.change(provider, card, verb)
                # Some have one word for what is not active yet and what is frozen.
                frozen = verb == Verb.FREEZE and after.inactive
                assert frozen or after.state == _AFTER[verb], (verb, after)

    def test_a_card_is_replaced_by_another(self, provider: CardProvider) -> None:
        """The replacement is a card of its own."""
        self._needs(Verb.REPLACE in provider.capabilities.verbs)
        card = self.make(provider)[1]
        for reason in ReplaceReason:
            assert self.make(provider, replaces=card.id, replace_reason=reason)[1].id != card.id

    def change(self, provider: CardProvider, card: ProviderCard, verb: Verb) -> ProviderCard:
        """Change a card, and return it as it is then."""
        reason = OpposeReason.STOLEN if verb == Verb.OPPOSE else None
        answer = provider.change(card.id, CardChange(verb=verb, reason=reason), key=str(uuid7()))
        assert answer.outcome == Outcome.DONE, answer
        assert answer.card is not None
        assert answer.card.id == card.id
        return answer.card

    # --- What the provider tells

    def test_a_webhook_that_is_not_the_providers_has_one_error(self, provider: CardProvider) -> None:
        """Whatever a stranger sends."""
        for headers, body in HOSTILE:
            with refused(InvalidWebhook):
                provider.read_webhook(headers, body)

    def test_what_happened_can_be_read_from_where_one_was(self, provider: CardProvider) -> None:
        """First a cursor and nothing else; then what came after it, once."""
        self._needs(provider.capabilities.events)
        start = provider.events(after="")
        assert start.notices == ()
        assert start.cursor
        cards = [self.make(provider)[1].id for _ in range(2)]
        page = provider.events(after=start.cursor)
        assert [notice.card_id for notice in page.notices] == cards
        assert all(notice.event_id and notice.type for notice in page.notices)
        assert provider.events(after=page.cursor).notices == ()

    @staticmethod
    def _needs(promised: bool) -> None:  # noqa: FBT001 - it is the sentence's only word
        if not promised:
            raise SkipTest("The provider does not promise this.")


Misbehavior = Callable[[Line], None]


def answers(status: int, body: bytes = b"{}", **headers: str) -> Misbehavior:
    """Return what answers so."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda line: line.send(Reply(status, body, {"Content-Type": "application/json", **named}))


_CARD = json.dumps({"note": CANARY}).encode()
LOST: dict[str, Misbehavior] = {
    "cut": lambda line: line.cut(),
    "reset": lambda line: line.reset(),
    "hang": lambda line: line.hang(10),
    "drip": lambda line: line.drip(Reply(200, _CARD), seconds=5),
    "drip of headers": lambda line: line.drip(Reply(200, _CARD), seconds=5, head=True),
    "half an answer": lambda line: line.send_half(Reply(200, _CARD)),
    "no HTTP": lambda line: line.send_raw(b"\x00\xffnonsense\r\n\r\n"),
    "broken gzip": answers(200, _CARD, Content_Encoding="gzip"),
    "no JSON": answers(200, _CARD[:-1]),
    "no object": answers(200, b"[]"),
    "no id": answers(200, _CARD),
    "deep JSON": answers(200, b"[" * 100_000),
    "too much": answers(200, b'{"id": "' + b"x" * 1_000_000 + b'"}'),
    "redirect": answers(302, b"", Location="/elsewhere"),
    **{str(status): answers(status) for status in (408, 409, 418, 500, 502, 503)},
}
# What takes as long as the limits allow: one call of each kind is enough.
SLOW = frozenset({"hang", "drip", "drip of headers"})
REFUSED: dict[int, Outcome] = {
    **dict.fromkeys((400, 402, 422), Outcome.REJECTED),
    **dict.fromkeys((401, 403, 405), Outcome.MISCONFIGURED),
}


class HttpProviderContract(ProviderContract):
    """What every adapter over HTTP keeps besides, whoever it talks to."""

    def at(self, base_url: str, limits: Mapping[str, float]) -> CardProvider:
        """Return the adapter for another address and other limits; every adapter's test says how."""
        raise AssertionError(f"{type(self).__name__} needs a method at(base_url, limits).")

    def test_a_lost_answer_is_never_taken_for_anything_else(self) -> None:
        """One request for each call, and the outcome unknown: a silent repetition is a second card."""
        for name, misbehavior in LOST.items():
            with misbehaving(misbehavior) as (base_url, seen):
                answers = self._changes(self._at(base_url, name), only_create=name in SLOW)
                for answer in answers:
                    assert answer.outcome == Outcome.UNKNOWN, (name, answer)
                    assert answer.reason
                    assert answer.card is None
                assert len(seen) == len(answers), name

    def test_a_refusal_is_told_from_a_wrong_setting(self) -> None:
        """Either way nothing was done; the one is for the holder to know, the other for the operator."""
        for status, outcome in REFUSED.items():
            with misbehaving(answers(status)) as (base_url, _):
                assert {answer.outcome for answer in self._changes(self.at(base_url, PATIENT))} == {outcome}, status
        with misbehaving(answers(404, b"<h1>Not here</h1>")) as (base_url, _):
            assert self._create(self.at(base_url, PATIENT)).outcome == Outcome.MISCONFIGURED

    def test_it_waits_as_long_as_it_is_asked_to(self) -> None:
        """429 says that nothing was done, and when to come back."""
        with misbehaving(answers(429, Retry_After="7")) as (base_url, _):
            answer = self._create(self.at(base_url, PATIENT))
            assert (answer.outcome, answer.retry_after_seconds) == (Outcome.LIMITED, 7.0)
        now, then = "Fri, 20 Nov 2026 12:00:00 GMT", "Fri, 20 Nov 2026 12:00:30 GMT"
        with misbehaving(answers(429, Date=now, Retry_After=then)) as (base_url, _):
            # By the provider's clock: ours has nothing to do with it.
            assert self._create(self.at(base_url, PATIENT)).retry_after_seconds == 30.0

    def test_what_never_left_is_not_sent(self) -> None:
        """A host that refuses, and an address that is none."""
        with misbehaving(answers(200)) as (base_url, seen):
            pass
        for nowhere in (base_url, "gopher://127.0.0.1", "http://[broken", "http://no-such-host.invalid"):
            assert self._create(self.at(nowhere, PATIENT)).outcome == Outcome.NOT_SENT, nowhere
        assert seen == []

    def test_a_read_that_fails_says_so(self) -> None:
        """Neither "there is no such card" nor "he has none": one of them would make a second card."""
        for name, misbehavior in {**LOST, "401": answers(401), "404": answers(404, b"<h1>Not here</h1>")}.items():
            with misbehaving(misbehavior) as (base_url, _):
                provider = self._at(base_url, name)
                for read in self._reads(provider)[: 1 if name in SLOW else None]:
                    with refused(NoAnswer, name):
                        read()

    def test_nothing_that_is_said_is_logged(self) -> None:
        """Not even at the lowest level: an answer may hold a card's number."""
        with logged() as lines:
            for status in (200, 400, 500):
                with misbehaving(answers(status, _CARD)) as (base_url, _):
                    answer = self._create(self.at(base_url, PATIENT))
                    assert CANARY not in repr(answer)
        assert [line for line in lines if CANARY in line] == []

    def _at(self, base_url: str, misbehavior: str) -> CardProvider:
        return self.at(base_url, IMPATIENT if misbehavior in SLOW else PATIENT)

    def _create(self, provider: CardProvider) -> Answer:
        return provider.create(provider.compose(self.order(provider)), key=str(uuid7()))

    def _changes(self, provider: CardProvider, *, only_create: bool = False) -> list[Answer]:
        """Return what comes of each call that would change something."""
        found = [self._create(provider)]
        for verb in sorted(provider.capabilities.verbs - MAKING) if not only_create else ():
            reason = OpposeReason.LOST if verb == Verb.OPPOSE else None
            found.append(provider.change("card", CardChange(verb=verb, reason=reason), key=str(uuid7())))
        return found

    def _reads(self, provider: CardProvider) -> list[Callable[[], object]]:
        can, holder = provider.capabilities, self.holder.external_id
        promised: list[tuple[bool, Callable[[], object]]] = [
            (can.get, lambda: provider.get("card")),
            (can.find_by_reference, lambda: provider.find_by_reference(reference="reference", holder=holder)),
            (can.list_by_holder, lambda: provider.list_by_holder(holder=holder)),
            (can.events, lambda: provider.events(after="")),
        ]
        return [read for can_be_called, read in promised if can_be_called]


@contextlib.contextmanager
def misbehaving(misbehavior: Misbehavior) -> Iterator[tuple[str, list[Request]]]:
    """Lend the address of a server that treats every request so, and the requests that it sees."""
    seen: list[Request] = []

    def answer(request: Request, line: Line) -> None:
        seen.append(request)
        misbehavior(line)

    listener = Listener(answer)
    listener.listen()
    try:
        yield listener.url, seen
    finally:
        listener.close()


@contextlib.contextmanager
def refused(error: type[Exception], about: object = "") -> Iterator[None]:
    """Fail unless the block raises this very error."""
    try:
        yield
    except error:
        return
    raise AssertionError(f"{error.__name__} was not raised. {about}")


@contextlib.contextmanager
def logged() -> Iterator[list[str]]:
    """Collect every line that anybody logs, at every level."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    root, collector = logging.getLogger(), Collector()
    level = root.level
    root.addHandler(collector)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(level)
        root.removeHandler(collector)
