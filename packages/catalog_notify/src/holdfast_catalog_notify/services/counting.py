"""Counting what anonymous visitors look at.

A request inserts one row into the buffer and locks nothing. The roll-up takes rows out of it, adds them to the figures
and deletes them, in one transaction; several roll-ups may run at once.

Who the visitor is, is asked only where visits are told apart (``VISIT_SECONDS``), and never kept: his address and his
user agent become a hash, whose salt is deleted with the day.
"""

import datetime as dt
import hashlib
import hmac
import logging
import re
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connections, models, router, transaction
from django.utils import timezone

from holdfast.conf import load_backend
from holdfast_catalog_notify.conf import settings
from holdfast_catalog_notify.models import (
    FIGURES,
    CountedBatch,
    DailyViews,
    HourlyViews,
    Visit,
    VisitorSalt,
)
from holdfast_catalog_notify.ports import Batch, ViewBuffer, Views
from holdfast_catalog_notify.selectors.reports import hour_of, report_time_zone
from holdfast_catalog_notify.states import ViewKind

logger = logging.getLogger("holdfast_catalog_notify")

USER_AGENT_LENGTH = 512
# How long a batch from outside the database may come again; the buffers' own claims last minutes.
BATCH_DAYS = 7
FORGET_SECONDS = 60.0
_ROWS = 500

_FIGURE = {
    (ViewKind.RETRIEVED, False): "retrieved",
    (ViewKind.LISTED, False): "listed",
    (ViewKind.RETRIEVED, True): "bot_retrieved",
    (ViewKind.LISTED, True): "bot_listed",
}
# The salt of the day that this process last counted in.
_salts: dict[dt.date, bytes] = {}

_Counts = dict[tuple[UUID, Any], Counter[str]]


def record_views(
    *, kind: ViewKind, product_ids: Iterable[UUID], meta: Mapping[str, Any], at: dt.datetime | None = None
) -> None:
    """Count that an anonymous visitor retrieved a product, or listed a page of them; whoever is logged in is not one.

    ``meta`` is the ``META`` of his request. It is written when this returns, as safely as the buffer promises. A
    buffer that fails is logged and raises nothing: who came to read is not turned away because nobody can count.
    """
    shown = tuple(product_ids)
    if not shown or not settings.COUNT_VIEWS:
        return
    buffer: ViewBuffer = load_backend(settings.VIEW_BUFFER)
    try:
        buffer.add(_views(kind, shown, meta, timezone.now() if at is None else at))
    except Exception:
        logger.exception("%d view(s) could not be counted.", len(shown))


def roll_up_views(*, limit: int = 10_000) -> int:
    """Add at most ``limit`` answers of the buffer to the figures, and return how many those were.

    All in one transaction: what is killed in the middle has done nothing, and what is done is done once.
    """
    buffer: ViewBuffer = load_backend(settings.VIEW_BUFFER)
    using = router.db_for_write(HourlyViews)
    # Durable: within somebody else's transaction, settling would come before the commit.
    with transaction.atomic(using=using, durable=True):
        batch = buffer.claim(limit=limit)
        if batch is None:
            return 0
        if _is_new(batch, using):
            _count(batch.views, using)
    buffer.settle(batch)
    return len(batch.views)


def forget_visitors(*, now: dt.datetime | None = None) -> int:
    """Delete what is kept of visitors and hours beyond its time, and return how many rows that were.

    The salts of the days that are over, a day later their visits (a row of theirs may have waited in the buffer), and
    the hours that ``HOURLY_VIEWS_DAYS`` no longer keeps.
    """
    now = timezone.now() if now is None else now
    today = now.astimezone(report_time_zone()).date()
    old = (
        VisitorSalt.objects.filter(day__lt=today),
        Visit.objects.filter(day__lt=today - dt.timedelta(days=1)),
        CountedBatch.objects.filter(counted_at__lt=now - dt.timedelta(days=BATCH_DAYS)),
        HourlyViews.objects.filter(hour__lt=now - dt.timedelta(days=settings.HOURLY_VIEWS_DAYS)),
    )
    return sum(rows.delete()[0] for rows in old)


def count_views(
    *,
    seconds: float | None = None,
    pause_seconds: float = 1.0,
    stopped: Callable[[], bool] = lambda: False,
    limit: int = 10_000,
) -> int:
    """Roll up until the buffer is empty, or again and again for ``seconds``, and return how many answers were counted.

    Between, it rests for ``pause_seconds``; ``stopped`` is asked before each step.
    """
    until = time.monotonic() + (seconds or 0.0)
    forget_at, counted = float("-inf"), 0
    while not stopped():
        try:
            if time.monotonic() >= forget_at:
                forget_visitors()
                forget_at = time.monotonic() + FORGET_SECONDS
            step = roll_up_views(limit=limit)
        except Exception:
            if seconds is None:
                raise
            # The database or the buffer; whoever counts for ever outlives both.
            logger.exception("Nothing can be counted at the moment; what is in the buffer stays there.")
            connections.close_all()
            step = 0
        counted += step
        left = until - time.monotonic()
        if left <= 0 and (seconds is not None or not step):
            break
        if not step:
            time.sleep(min(pause_seconds, left))
    return counted


# The request's part


def _views(kind: ViewKind, product_ids: tuple[UUID, ...], meta: Mapping[str, Any], at: dt.datetime) -> Views:
    agent = str(meta.get("HTTP_USER_AGENT", ""))[:USER_AGENT_LENGTH]
    is_bot = _is_bot(settings.BOT_PATTERN, agent)
    told_apart = settings.VISIT_SECONDS > 0 and kind is ViewKind.RETRIEVED and not is_bot
    return Views(
        kind=kind,
        product_ids=product_ids,
        hour=hour_of(at=at),
        is_bot=is_bot,
        visitor=_visitor(_address(meta), agent, at) if told_apart else "",
    )


# Visitors come with the browsers of everybody.
@lru_cache(maxsize=1_024)
def _is_bot(pattern: str, agent: str) -> bool:
    return re.search(pattern, agent, re.IGNORECASE) is not None


def _address(meta: Mapping[str, Any]) -> str:
    """Return the address of who asks: the one that the outermost of our own proxies saw, never what a client says."""
    hops = settings.TRUSTED_PROXIES
    forwarded = [hop.strip() for hop in str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")] if hops else []
    return forwarded[-hops] if 0 < hops <= len(forwarded) else str(meta.get("REMOTE_ADDR", ""))


def _visitor(address: str, agent: str, at: dt.datetime) -> str:
    """Return a hash of the visitor within one window of time: nobody is followed beyond it.

    The windows are those of the clock, and are cut at midnight, so that whoever counts, in whatever order, finds the
    same visits.
    """
    local = at.astimezone(report_time_zone())
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    window = int((at - midnight).total_seconds() // settings.VISIT_SECONDS)
    text = f"{window}\n{address}\n{agent}"
    return hmac.digest(_salt(local.date()), text.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def _salt(day: dt.date) -> bytes:
    salt = _salts.get(day)
    if salt is None:
        row, _created = VisitorSalt.objects.get_or_create(day=day, defaults={"salt": secrets.token_bytes(32)})
        salt = bytes(row.salt)
        # A salt of a transaction that fails is nobody's.
        transaction.on_commit(lambda: _remember(day, salt), using=router.db_for_write(VisitorSalt))
    return salt


def _remember(day: dt.date, salt: bytes) -> None:
    _salts.clear()
    _salts[day] = salt


# The roll-up's part


def _is_new(batch: Batch, using: str) -> bool:
    """Note the batch as counted, with the figures; say whether nobody has done so before."""
    if batch.id is None:
        return True
    noted = [[batch.id, timezone.now()]]
    return bool(_insert(CountedBatch, ["id", "counted_at"], noted, "ON CONFLICT (id) DO NOTHING RETURNING 1", using))


def _count(answers: Sequence[Views], using: str) -> None:
    hourly: _Counts = defaultdict(Counter)
    visits: dict[str, tuple[UUID, dt.datetime]] = {}
    for views in answers:
        figure = _FIGURE[views.kind, views.is_bot]
        for product_id in views.product_ids:
            hourly[product_id, views.hour][figure] += 1
            if views.visitor:
                visits.setdefault(_visit_key(views.visitor, product_id), (product_id, views.hour))
    for key in _new_visits(visits, using):
        hourly[visits[key]]["visits"] += 1

    zone = report_time_zone()
    daily: _Counts = defaultdict(Counter)
    for (product_id, hour), counts in hourly.items():
        daily[product_id, hour.astimezone(zone).date()].update(counts)
    _add(HourlyViews, "hour", hourly, using)
    _add(DailyViews, "day", daily, using)


def _visit_key(visitor: str, product_id: UUID) -> str:
    return hashlib.sha256(f"{visitor}{product_id.hex}".encode()).hexdigest()[:32]


def _new_visits(visits: Mapping[str, tuple[UUID, dt.datetime]], using: str) -> list[str]:
    """Note the visits, and return the keys of those that were not noted yet."""
    zone = report_time_zone()
    rows = [[key, hour.astimezone(zone).date()] for key, (_product_id, hour) in sorted(visits.items())]
    noted = _insert(Visit, ["key", "day"], rows, "ON CONFLICT (key) DO NOTHING RETURNING key", using)
    return [key for (key,) in noted]


def _add(model: type[models.Model], period: str, counts: _Counts, using: str) -> None:
    """Add the counts to the figures."""
    table = model._meta.db_table
    sums = ", ".join(f"{figure} = {table}.{figure} + EXCLUDED.{figure}" for figure in FIGURES)
    # In one order, everywhere: two roll-ups that lock the same rows in different orders would wait for each other.
    rows = [[*place, *(figures[figure] for figure in FIGURES)] for place, figures in sorted(counts.items())]
    conflict = f"ON CONFLICT (product_id, {period}) DO UPDATE SET {sums}"
    _insert(model, ["product", period, *FIGURES], rows, conflict, using)


def _insert(
    model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]], conflict: str, using: str
) -> list[tuple[Any, ...]]:
    """Insert rows, a few hundred with each statement, and return what ``conflict`` has it return.

    Django's ``bulk_create`` can overwrite what is there, or leave it alone; it can neither add to it nor say which it
    was.
    """
    connection = connections[using]
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns = ", ".join(field.column for field in fields)
    one = f"({', '.join(['%s'] * len(fields))})"
    head = f"INSERT INTO {model._meta.db_table} ({columns}) VALUES"
    returned: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for start in range(0, len(rows), _ROWS):
            some = rows[start : start + _ROWS]
            cursor.execute(
                f"{head} {', '.join([one] * len(some))} {conflict}",
                [
                    field.get_db_prep_save(value, connection)
                    for row in some
                    for field, value in zip(fields, row, strict=True)
                ],
            )
            if cursor.description:
                returned += cursor.fetchall()
    return returned
