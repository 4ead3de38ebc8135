"""Where the broadcast of the defects stands: what was counted, and what the counter server has yet to hear."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache

from adapters.counter_server import Counted, CounterServerSilent, read_counters
from holdfast.outbox.models import OutboxDelivery, OutboxEvent
from holdfast_defects.events import DefectDeleted, DefectReported
from people.selectors import names_of

# However many pages are open, the counter server is asked about once a second; a silent one, every other.
KEPT_SECONDS = 1
SILENCE_KEPT_SECONDS = 2
COUNTED_AT_MOST = 1000
SHOWN_PEOPLE = 12
TELLER = "holdfast_defects."  # how the names of its subscribers begin
TOLD = (DefectReported.type, DefectDeleted.type)


@dataclass(frozen=True)
class Line:
    """What was counted of one person."""

    name: str
    mine: bool
    created: int
    deleted: int


@dataclass(frozen=True)
class Standing:
    """The counters, as far as they are known, and how many events wait to be told."""

    configured: bool
    answers: bool
    waiting: int
    created: int = 0
    deleted: int = 0
    lines: tuple[Line, ...] = ()
    page: str = ""

    @property
    def in_step(self) -> bool:
        """Whether the counters tell of everything that was committed."""
        return self.answers and not self.waiting


def standing(*, user_id: int) -> Standing:
    """Return where the broadcast stands, as one person sees it."""
    waiting = _kept("waiting", _waiting)
    if not settings.COUNTER_URL:
        return Standing(configured=False, answers=False, waiting=waiting)
    counted = _kept("counted", _counted)
    if counted is None:
        return Standing(configured=True, answers=False, waiting=waiting, page=settings.COUNTER_PAGE)
    return Standing(
        configured=True,
        answers=True,
        waiting=waiting,
        created=counted.total["create"],
        deleted=counted.total["delete"],
        lines=_lines(counted, user_id),
        page=settings.COUNTER_PAGE,
    )


def _lines(counted: Counted, user_id: int) -> tuple[Line, ...]:
    # Those with the most; and whoever looks, wherever they stand.
    ranked = sorted(counted.users.items(), key=lambda item: (item[0] != str(user_id), -item[1]["create"], item[0]))
    ours = [(user, counts) for user, counts in ranked if user.isdecimal() and len(user) < 19]  # what a bigint holds
    shown = [(int(user), counts) for user, counts in ours[:SHOWN_PEOPLE]]
    names = names_of(user for user, _counts in shown)
    return tuple(
        Line(
            name=names.get(user, f"User {user}"),
            mine=user == user_id,
            created=counts["create"],
            deleted=counts["delete"],
        )
        for user, counts in shown
    )


def _counted() -> Counted | None:
    try:
        return read_counters()
    except CounterServerSilent:
        return None


def _waiting() -> int:
    """Count what is committed and not yet told, up to a limit: beyond it, it is simply a lot."""
    unrouted = OutboxEvent.objects.filter(routed=False, type__in=TOLD)[:COUNTED_AT_MOST].count()
    undelivered = OutboxDelivery.objects.filter(subscriber__name__startswith=TELLER)[:COUNTED_AT_MOST].count()
    return min(unrouted + undelivered, COUNTED_AT_MOST)


def _kept(name: str, ask: Callable[[], Any]) -> Any:
    key, nothing = f"storefront.counters.{name}", object()
    value = cache.get(key, nothing)
    if value is nothing:
        value = ask()
        cache.set(key, value, SILENCE_KEPT_SECONDS if value is None else KEPT_SECONDS)
    return value
