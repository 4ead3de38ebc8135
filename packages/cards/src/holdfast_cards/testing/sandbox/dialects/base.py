"""What a dialect says: its paths, its parameters, its words for a card, its errors, its signatures."""

import datetime as dt
import json
import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from holdfast_cards.testing.sandbox.books import Happening, Rejected, SandboxCard, SandboxEvent, SeenRequest
from holdfast_cards.testing.sandbox.clock import SandboxClock, moment
from holdfast_cards.testing.sandbox.faults import On

CARD_YEARS = 4


@dataclass(frozen=True)
class Request:
    """A request, read to its end."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes

    @property
    def arguments(self) -> dict[str, str]:
        """The query's parameters."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True)
class Route:
    """What a path asks for."""

    operation: On
    id: str = ""


class Dialect(ABC):
    """One provider's language over the sandbox's books. Stateless but for the clock and what a host may choose."""

    name: ClassVar[str]
    title: ClassVar[str]
    api_key: ClassVar[str]
    """What the sandbox takes for the right one."""
    designs: ClassVar[dict[str, str]]
    """The provider's names of colors, and ours."""
    routes: ClassVar[tuple[tuple[str, str, On], ...]]
    """Method, pattern of the path, operation."""
    created_status: ClassVar[int] = 200
    page_size_default: ClassVar[int] = 10
    page_size_parameter: ClassVar[str]
    cursor_parameter: ClassVar[str] = "starting_after"
    happenings: ClassVar[tuple[Happening, ...]] = tuple(Happening)
    """What can befall its cards."""
    options: ClassVar[tuple[str, ...]] = ("leaky",)
    """What can be chosen: names of attributes."""

    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock
        self.leaky = False
        """Whether answers carry a card's number and code."""

    # --- Requests

    def route(self, request: Request) -> Route:
        """Return what is asked for. Raises ``Rejected`` (404, 405)."""
        known_path = False
        for method, pattern, operation in self.routes:
            if match := re.fullmatch(pattern, request.path):
                known_path = True
                if method == request.method:
                    return Route(operation, match.groupdict().get("id") or "")
        if known_path:
            raise self.rejected(405, f"{request.method} is not allowed here.", "method_not_allowed")
        raise self.rejected(404, f"Unrecognized request URL ({request.method}: {request.path}).", "unknown_url")

    @abstractmethod
    def authenticate(self, headers: Mapping[str, str]) -> None:
        """Raise ``Rejected`` (401) unless the caller is who he should be."""

    @abstractmethod
    def params(self, request: Request, operation: On) -> dict[str, Any]:
        """Return the parameters of a POST or PATCH. Raises ``Rejected`` (400)."""

    def key(self, headers: Mapping[str, str]) -> str:
        """Return the idempotency key, or nothing where the dialect knows none."""
        return headers.get("idempotency-key", "")

    # --- Cards

    @abstractmethod
    def counter_params(self, *, owner: str, color: str, reference: str) -> dict[str, Any]:
        """Return the parameters of a card that nobody asked for over HTTP."""

    @abstractmethod
    def make(self, params: dict[str, Any], number: str) -> SandboxCard:
        """Return a new card."""

    @abstractmethod
    def change(self, card: SandboxCard, params: dict[str, Any]) -> None:
        """Change a card as asked. Raises ``Rejected`` (400)."""

    @abstractmethod
    def befall(self, card: SandboxCard, happening: Happening) -> str:
        """Change a card as life does, and return the type of the event that tells of it; ``""`` if none does."""

    @abstractmethod
    def card(self, card: SandboxCard) -> dict[str, Any]:
        """Return a card as an answer has it."""

    @abstractmethod
    def listed(self, cards: list[SandboxCard], arguments: dict[str, str]) -> list[SandboxCard]:
        """Return those cards that a list's filters let through."""

    @abstractmethod
    def is_final(self, card: SandboxCard) -> bool:
        """Whether nothing can become of the card any more."""

    # --- Pages and errors

    @abstractmethod
    def page(self, items: list[dict[str, Any]], *, more: bool, request: Request) -> Any:
        """Return a page of a list."""

    @abstractmethod
    def rejected(self, status: int, message: str, code: str, param: str = "") -> Rejected:
        """Return an error in the dialect's words."""

    # --- Events

    @abstractmethod
    def event(self, event_type: str, card: SandboxCard, number: str, seen: SeenRequest | None) -> SandboxEvent:
        """Return an event; ``seen`` is the request that caused it, if one did."""

    @abstractmethod
    def event_in_list(self, event: SandboxEvent) -> dict[str, Any]:
        """Return an event as the list of events has it."""

    @abstractmethod
    def events_listed(self, events: list[SandboxEvent], request: Request) -> list[SandboxEvent]:
        """Return those events that a list's filters let through."""

    @abstractmethod
    def sign(self, event: SandboxEvent, body: bytes, *, secret: str, at: float) -> dict[str, str]:
        """Return the headers that prove a webhook."""

    created_event: ClassVar[str]
    updated_event: ClassVar[str]

    # --- What they have in common

    def expiry(self) -> dt.date:
        """Return the last day of the month in which a new card's time is over."""
        today = moment(self.clock.now()).date()
        following = dt.date(today.year + CARD_YEARS + today.month // 12, today.month % 12 + 1, 1)
        return following - dt.timedelta(days=1)

    def last_month(self) -> dt.date:
        """Return the last day of the month before: of a card that has just expired."""
        return moment(self.clock.now()).date().replace(day=1) - dt.timedelta(days=1)

    def color(self, design: str) -> str:
        """Return our name of a color. Raises ``KeyError``."""
        return self.designs[design]

    def design(self, color: str) -> str:
        """Return the provider's name of a color."""
        return next(design for design, known in self.designs.items() if known == color)

    def other_color(self, color: str) -> str:
        """Return a color that it is not."""
        return next(known for known in self.designs.values() if known != color)


def json_object(body: bytes) -> dict[str, Any]:
    """Return a JSON object. Raises ``ValueError``."""
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("Not an object.")  # noqa: TRY004 - malformed JSON and a wrong document are the same to a caller
    return document


def token(*parts: object) -> str:
    """Return a UUID that the same parts always give."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))))
