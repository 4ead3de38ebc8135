"""One provider in the sandbox: a dialect over books, and the layers that a request passes on its way to them.

::

    route, credentials (404, 405, 401)
    what stands in front: rate limiter, balancer (429, 5xx, a cut line): nothing is kept of it
    parameters (400): nothing was begun, so nothing is kept either
    the idempotency layer: a saved answer, or 409 while the first request with the key still runs
    the work: a card
    the way back, on which an answer may be lost
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from holdfast_cards.testing.sandbox import keeping
from holdfast_cards.testing.sandbox.books import (
    Happening,
    KeyInUse,
    KeyMismatch,
    Numbers,
    Rejected,
    Reply,
    SandboxCard,
    SandboxEvent,
    SavedAnswers,
    SeenRequest,
)
from holdfast_cards.testing.sandbox.dialects import DIALECTS
from holdfast_cards.testing.sandbox.dialects.base import Request, Route
from holdfast_cards.testing.sandbox.faults import Fault, FaultKind, Faults, On
from holdfast_cards.testing.sandbox.listener import Line
from holdfast_cards.testing.sandbox.webhooks import Webhooks

if TYPE_CHECKING:
    from holdfast_cards.testing.sandbox.server import SandboxServer

RETENTION_SECONDS = 86_400.0
PAGE_SIZE_MAX = 100
SHOWN = 60
UNKNOWN_STATUS = "MISLAID"
OVERSIZE_BYTES = 1_048_576
REQUEST_ID = "Request-Id"


class Sandbox:
    """One provider: what it believes, what is wrong with it, and the buttons for both."""

    def __init__(self, dialect: str, *, server: "SandboxServer") -> None:
        self.name = dialect
        self.server = server
        self.clock = server.clock
        self.dialect = DIALECTS[dialect](self.clock)
        self.base_url = f"{server.url}/{dialect}"
        self.faults = Faults()
        self.webhooks = Webhooks(self.dialect, self.clock, self.faults)
        self.list_lag_seconds = 0.0
        """For how long a new card is missing from lists."""
        self._lock = threading.RLock()
        self._idle = threading.Condition()
        self._busy = 0
        self._numbers = Numbers()
        self._empty()
        self._remember()

    def _empty(self) -> None:
        self._cards: dict[str, SandboxCard] = {}
        self._events: list[SandboxEvent] = []
        self._requests: list[SeenRequest] = []
        self._saved = SavedAnswers(retention_seconds=RETENTION_SECONDS)

    def _remember(self) -> None:
        """Take up the books where another run has left them."""
        if self.server.keep is not None:
            cards, events, saved = keeping.unpacked(keeping.read(self.server.keep / f"{self.name}.json"))
            self._cards, self._events = {card.id: card for card in cards}, events
            self._saved.by_key.update(saved)

    def _write_down(self) -> None:
        """Keep what has changed, before anybody is told of it."""
        if self.server.keep is not None:
            books = keeping.packed(list(self._cards.values()), self._events, self._saved.by_key)
            keeping.write(self.server.keep / f"{self.name}.json", books)

    # --- What a test asks

    @property
    def cards(self) -> list[SandboxCard]:
        """Every card, oldest first."""
        with self._lock:
            return list(self._cards.values())

    @property
    def events(self) -> list[SandboxEvent]:
        """Every event, oldest first."""
        with self._lock:
            return list(self._events)

    @property
    def requests(self) -> list[SeenRequest]:
        """Every request that arrived, oldest first."""
        with self._lock:
            return list(self._requests)

    @property
    def posts(self) -> int:
        """How many requests to create a card arrived."""
        return sum(seen.operation == On.CREATE for seen in self.requests)

    @property
    def api_key(self) -> str:
        """What the provider takes for the right key."""
        return self.dialect.api_key

    def cards_of(self, owner: str) -> list[SandboxCard]:
        """Return an owner's cards, oldest first."""
        return [card for card in self.cards if card.owner == owner]

    def settle(self, *, timeout_seconds: float = 10.0) -> None:
        """Return when every request is done with, and every webhook that is due has been tried."""
        with self._idle:
            if not self._idle.wait_for(lambda: not self._busy, timeout_seconds):
                raise TimeoutError("Requests are still being worked on.")
        self.webhooks.flush(timeout_seconds=timeout_seconds)

    # --- Buttons

    def arm(self, kind: FaultKind | str, **options: Any) -> Fault:
        """Let something go wrong with the next request to create a card, or the next webhook, unless told otherwise."""
        kind = FaultKind(kind)
        on = On(options.pop("on", On.WEBHOOK if kind.is_of_webhooks else On.CREATE))
        if (on == On.WEBHOOK) != kind.is_of_webhooks:
            raise ValueError(f"{kind} cannot befall {on}.")
        fault = Fault(kind, on, **options)
        self.faults.arm(fault)
        return fault

    def befall(self, card_id: str, happening: Happening | str) -> SandboxCard:
        """Let something happen to a card, and tell of it. Raises ``KeyError`` for none of that id."""
        with self._lock:
            card = self._cards[card_id]
            event_type = "" if self.dialect.is_final(card) else self.dialect.befall(card, Happening(happening))
            event = self._record(event_type, card, None) if event_type else None
            self._write_down()
        if event is not None:
            self._tell(event)()
        return card

    def make_card(self, *, owner: str, color: str = "pink", reference: str = "", announce: bool = True) -> SandboxCard:
        """Return a new card that nobody asked for over HTTP: made at the counter, or by somebody else's program."""
        with self._lock:
            card = self._make(self.dialect.counter_params(owner=owner, color=color, reference=reference))
            event = self._record(self.dialect.created_event, card, None)
            self._write_down()
        if announce:
            self._tell(event)()
        return card

    def resend(self, event_id: str) -> None:
        """Deliver an event again. Raises ``KeyError`` for none of that id."""
        for event in self.events:
            if event.id == event_id:
                self.webhooks.enqueue(event)
                return
        raise KeyError(event_id)

    def reset(self) -> None:
        """Forget everything: cards, events, requests, saved answers, faults."""
        self.faults.disarm()
        self.webhooks.clear()
        with self._lock:
            self._empty()
            self._write_down()

    def close(self) -> None:
        """Send no more webhooks."""
        self.webhooks.close()

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows: the latest first."""
        with self._lock:
            return {
                "name": self.name,
                "title": self.dialect.title,
                "base_url": self.base_url,
                "api_key": self.api_key,
                "cards": [card.as_json() for card in reversed(self.cards)],
                "requests": [seen.as_json() for seen in reversed(self._requests[-SHOWN:])],
                "requests_total": len(self._requests),
                "posts": self.posts,
                "events": [event.as_json() for event in reversed(self._events[-SHOWN:])],
                "faults": [fault.as_json() for fault in self.faults.armed()],
                "happenings": self.dialect.happenings,
                "options": self.options(),
            }

    def options(self) -> dict[str, Any]:
        """Return what can be chosen, by name."""
        chosen = {"webhook_url": self.webhooks.url, "list_lag_seconds": self.list_lag_seconds}
        return {**chosen, **{name: getattr(self.dialect, name) for name in self.dialect.options}}

    def choose(self, **options: Any) -> None:
        """Choose options: ``webhook_url``, ``webhook_secret``, ``list_lag_seconds``, and those of the dialect."""
        for name, value in options.items():
            if name == "webhook_url":
                self.webhooks.url = str(value)
            elif name == "webhook_secret":
                self.webhooks.secret = str(value)
            elif name == "list_lag_seconds":
                self.list_lag_seconds = float(value)
            elif name in self.dialect.options:
                setattr(self.dialect, name, type(getattr(self.dialect, name))(value))
            else:
                raise ValueError(f"There is no option {name!r}.")

    # --- A request's way

    def answer(self, request: Request, line: Line) -> None:
        """Answer a request, or do to it what is armed."""
        with self._idle:
            self._busy += 1
        try:
            self._answer(request, line)
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def _answer(self, request: Request, line: Line) -> None:
        with self._lock:
            number = len(self._requests) + 1
            seen = SeenRequest(number, self.clock.now(), request.method, request.path, operation="")
            self._requests.append(seen)
        errand = _Errand(request, seen, line)
        try:
            reply = self._reply(errand)
        except Rejected as rejected:
            errand.fault, reply = None, rejected.reply
        if reply is None:
            line.cut()
        else:
            self._send(replace(reply, headers={**reply.headers, REQUEST_ID: f"req_{number:06d}"}), errand)
        for tell in errand.afterwards:
            tell()

    def _reply(self, errand: "_Errand") -> Reply | None:
        request, seen = errand.request, errand.seen
        route = self.dialect.route(request)
        seen.operation = route.operation
        self.dialect.authenticate(request.headers)
        fault = errand.fault = self.faults.strike(route.operation)
        if fault is not None:
            seen.fault = fault.kind
            if fault.kind == FaultKind.CUT_BEFORE:
                return None
            if fault.kind in {FaultKind.STATUS, FaultKind.RATE_LIMITED, FaultKind.REDIRECT}:
                return self._turned_away(fault)
        if route.operation in {On.CREATE, On.UPDATE}:
            return self._once(route, errand)
        if fault and fault.kind == FaultKind.HANG_BEFORE:
            errand.line.hang(fault.seconds)
            return None
        with self._lock:
            seen.params = request.arguments
            return Reply.of(200, self._read(route, request))

    def _turned_away(self, fault: Fault) -> Reply:
        if fault.kind == FaultKind.REDIRECT:
            return Reply(302, b"", {"Location": f"{self.base_url}/elsewhere"})
        status = 429 if fault.kind == FaultKind.RATE_LIMITED else fault.status
        reply = self.dialect.rejected(status, f"The sandbox was told to answer {status}.", "sandbox_fault").reply
        asked = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
        return replace(reply, headers={**reply.headers, **asked})

    def _once(self, route: Route, errand: "_Errand") -> Reply | None:
        """Do it, unless its key was seen before."""
        request, seen = errand.request, errand.seen
        seen.params = self.dialect.params(request, route.operation)
        key = seen.key = self.dialect.key(request.headers)
        if not key:
            return self._work(route, errand)
        fingerprint = json.dumps([request.method, request.path, seen.params], sort_keys=True)
        try:
            with self._lock:
                saved = self._saved.begin(key, fingerprint, now=self.clock.now())
        except KeyInUse:
            message = "There is currently another in-progress request using this idempotency key."
            raise self.dialect.rejected(409, message, "idempotency_key_in_use") from None
        except KeyMismatch:
            message = "Keys for idempotent requests can only be used with the same parameters they came first with."
            raise self.dialect.rejected(400, message, "idempotency_key_mismatch") from None
        if saved is not None:
            seen.replayed = True
            return replace(saved, headers={**saved.headers, "Idempotent-Replayed": "true"})
        reply: Reply | None = None
        try:
            reply = self._work(route, errand)
        finally:
            with self._lock:
                if reply is not None:
                    self._saved.save(key, reply)
                else:
                    self._saved.abandon(key)
                self._write_down()
        return reply

    def _work(self, route: Route, errand: "_Errand") -> Reply | None:
        fault, seen = errand.fault, errand.seen
        kind = fault.kind if fault else None
        if fault and kind == FaultKind.HANG_BEFORE:
            errand.line.hang(fault.seconds)
            return None
        if fault and kind == FaultKind.LATE_CREATE:
            errand.line.dawdle(fault.seconds)
        failed = self.dialect.rejected(500, "Provider internal error", "internal_error").reply
        if kind == FaultKind.ERROR_500_BEFORE:
            return failed
        with self._lock:
            if route.operation == On.CREATE:
                card = self._make(seen.params)
                if kind == FaultKind.WRONG_COLOR:
                    card.color = self.dialect.other_color(card.color)
                event = self._record(self.dialect.created_event, card, seen)
                status = self.dialect.created_status
            else:
                card = self._find(route.id)
                self.dialect.change(card, seen.params)
                event = self._record(self.dialect.updated_event, card, seen)
                status = 200
            reply = Reply.of(status, self.dialect.card(card))
            self._write_down()
        errand.afterwards.append(self._tell(event))
        return failed if kind == FaultKind.ERROR_500_AFTER else reply

    def _send(self, reply: Reply, errand: "_Errand") -> None:
        fault, line = errand.fault, errand.line
        match fault and fault.kind:
            case FaultKind.HANG_AFTER if fault:
                line.hang(fault.seconds)
                line.cut()
            case FaultKind.CUT_AFTER:
                line.cut()
            case FaultKind.RESET_AFTER:
                line.reset()
            case FaultKind.HALF:
                line.send_half(reply)
            case FaultKind.GARBAGE:
                line.send_raw(b"\x00\xff\x15This is not HTTP.\r\n\r\n")
            case FaultKind.DRIP if fault:
                line.drip(reply, seconds=fault.seconds)
            case _:
                errand.seen.status = reply.status
                line.send(_disfigured(reply, fault))

    # --- Books

    def _find(self, card_id: str) -> SandboxCard:
        card = self._cards.get(card_id)
        if card is None:
            raise self.dialect.rejected(404, f"No such card: '{card_id}'", "resource_missing", "id")
        return card

    def _make(self, params: dict[str, Any]) -> SandboxCard:
        card = self.dialect.make(params, self._numbers.next())
        self._cards[card.id] = card
        return card

    def _read(self, route: Route, request: Request) -> Any:
        if route.operation == On.GET:
            return self.dialect.card(self._find(route.id))
        return self._list(request) if route.operation == On.LIST else self._list_events(request)

    def _list(self, request: Request) -> Any:
        seen_until = self.clock.now() - self.list_lag_seconds
        visible = [card for card in self._cards.values() if card.created_at <= seen_until]
        listed = self.dialect.listed(visible, request.arguments)
        page, more = self._page(request, [card.id for card in listed])
        return self.dialect.page([self.dialect.card(self._cards[each]) for each in page], more=more, request=request)

    def _list_events(self, request: Request) -> Any:
        listed = {event.id: event for event in self.dialect.events_listed(self._events, request)}
        page, more = self._page(request, list(listed))
        return self.dialect.page(
            [self.dialect.event_in_list(listed[each]) for each in page], more=more, request=request
        )

    def _page(self, request: Request, ids: list[str]) -> tuple[list[str], bool]:
        """Return the page of a list that the cursor points to, and whether more follows."""
        arguments, dialect = request.arguments, self.dialect
        asked = arguments.get(dialect.page_size_parameter, str(dialect.page_size_default))
        if not asked.isdecimal() or not 1 <= int(asked) <= PAGE_SIZE_MAX:
            raise dialect.rejected(400, f"{dialect.page_size_parameter} is out of range.", "parameter_invalid")
        size, after, before = int(asked), arguments.get(dialect.cursor_parameter), arguments.get("ending_before")
        for cursor in filter(None, (after, before)):
            if cursor not in ids:
                raise dialect.rejected(400, f"No such object: '{cursor}'", "resource_missing", "cursor")
        if before:
            # The page that ends there, not the first one of those before it.
            end = ids.index(before)
            return ids[max(0, end - size) : end], end > size
        start = ids.index(after) + 1 if after else 0
        return ids[start : start + size], len(ids) > start + size

    def _record(self, event_type: str, card: SandboxCard, seen: SeenRequest | None) -> SandboxEvent:
        event = self.dialect.event(event_type, card, self._numbers.next(), seen)
        self._events.append(event)
        return event

    def _tell(self, event: SandboxEvent) -> Callable[[], None]:
        """Return what delivers an event: to be called when the answer is out, unless a fault has it sent before."""
        fault = self.webhooks.strike()
        if fault and fault.kind == FaultKind.WEBHOOK_EARLY:
            self.webhooks.send_now(event)
            return lambda: None
        return lambda: self.webhooks.enqueue(event, fault)


@dataclass
class _Errand:
    """One request on its way: what it met, and what is to be told when it is over."""

    request: Request
    seen: SeenRequest
    line: Line
    fault: Fault | None = None
    afterwards: list[Callable[[], None]] = field(default_factory=list)


def _disfigured(reply: Reply, fault: Fault | None) -> Reply:
    """Return an answer as it arrives."""
    match fault and fault.kind:
        case FaultKind.NOT_JSON:
            return replace(reply, body=reply.body[:-1] + b",")
        case FaultKind.OVERSIZED:
            return replace(reply, body=reply.body + b" " * OVERSIZE_BYTES)
        case FaultKind.BAD_GZIP:
            return replace(reply, headers={**reply.headers, "Content-Encoding": "gzip"})
        case FaultKind.UNKNOWN_STATUS:
            return _with(reply, lambda name, value: UNKNOWN_STATUS if name in {"status", "state"} else value)
        case FaultKind.NO_ID:
            return _with(reply, lambda name, value: None if name in {"id", "token"} else value)
        case _:
            return reply


def _with(reply: Reply, change: Callable[[str, Any], Any]) -> Reply:
    document = json.loads(reply.body)
    changed = {name: change(name, value) for name, value in document.items()}
    return replace(reply, body=Reply.of(reply.status, changed).body)
