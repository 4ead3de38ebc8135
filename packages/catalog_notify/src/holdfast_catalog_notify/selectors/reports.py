"""What visitors look at, in figures.

A report has the figures of anonymous visitors over whole days of one time zone, ``REPORT_TIME_ZONE``. Each is compared
with the former period: as many days, or months, just before.

The figures are those that are rolled up. What still waits in the buffer is not among them; ``pending`` says how many
answers that are.
"""

import csv
import datetime as dt
import io
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from holdfast.conf import load_backend
from holdfast_catalog_notify.conf import settings
from holdfast_catalog_notify.exceptions import HoursForgotten, PeriodInvalid, PeriodTooLong
from holdfast_catalog_notify.models import FIGURES, Brand, Category, DailyViews, HourlyViews, Product
from holdfast_catalog_notify.ports import ViewBuffer
from holdfast_catalog_notify.selectors.export import safe
from holdfast_catalog_notify.states import Interval, RankingOf

logger = logging.getLogger("holdfast_catalog_notify")

Figures = dict[str, int]

MAX_DAYS = {Interval.HOUR: 31, Interval.DAY: 366, Interval.MONTH: 3_660}
RANKING_MAX_DAYS = 366
EARLIEST, LATEST = dt.date(1970, 1, 1), dt.date(2999, 12, 31)
ONE_DAY = dt.timedelta(days=1)
HALF_HOUR = dt.timedelta(minutes=30)

_KEYS = {
    RankingOf.PRODUCT: "product_id",
    RankingOf.BRAND: "product__brand_id",
    RankingOf.CATEGORY: "product__category_id",
}
_SUMS = {f"sum_{figure}": Sum(figure) for figure in FIGURES}


def report_time_zone() -> dt.tzinfo:
    """Return where the hours and the days of the reports begin."""
    name = settings.REPORT_TIME_ZONE
    return timezone.get_default_timezone() if name is None else ZoneInfo(name)


def hour_of(*, at: dt.datetime) -> dt.datetime:
    """Return the beginning of a moment's hour in the reports' time zone, as UTC.

    Where clocks are set back, the hour that comes twice is two hours: ``fold`` tells them apart.
    """
    return at.astimezone(report_time_zone()).replace(minute=0, second=0, microsecond=0).astimezone(dt.UTC)


def report_today() -> dt.date:
    """Return the day that it is in the reports' time zone."""
    return timezone.now().astimezone(report_time_zone()).date()


@dataclass(frozen=True, kw_only=True)
class Period:
    """Days of a report: from ``start`` to ``end``, both included."""

    start: dt.date
    end: dt.date

    @property
    def days(self) -> int:
        """How many days they are."""
        return (self.end - self.start).days + 1

    def days_before(self) -> "Period":
        """Return as many days, just before."""
        return Period(start=self.start - dt.timedelta(days=self.days), end=self.start - ONE_DAY)

    def whole_months(self) -> "Period":
        """Return all days of the months that it touches."""
        return Period(start=self.start.replace(day=1), end=_next_month(self.end) - ONE_DAY)

    def months_before(self) -> "Period":
        """Return as many months, just before; of whole months."""
        months = 12 * (self.end.year - self.start.year) + self.end.month - self.start.month + 1
        years, month = divmod(12 * self.start.year + self.start.month - 1 - months, 12)
        return Period(start=dt.date(years, month + 1, 1), end=self.start - ONE_DAY)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What all reports say: which days, where they begin, and how many answers are not yet counted.

    ``pending`` is ``None`` where the buffer does not answer.
    """

    period: Period
    former: Period
    time_zone: str
    pending: int | None


@dataclass(frozen=True, kw_only=True)
class SeriesRow:
    """The figures of an hour (its beginning), of a day, or of a month (its first day)."""

    start: dt.datetime | dt.date
    figures: Figures


@dataclass(frozen=True, kw_only=True)
class Series(Report):
    """The figures over time, without a gap: where nobody came, there are zeros."""

    interval: Interval
    rows: list[SeriesRow]
    former_totals: Figures

    @cached_property
    def totals(self) -> Figures:
        """The sums of all rows."""
        return {figure: sum(row.figures[figure] for row in self.rows) for figure in FIGURES}

    @property
    def change_percent(self) -> Mapping[str, float | None]:
        """How the totals have changed."""
        return {figure: change_percent(self.totals[figure], self.former_totals[figure]) for figure in FIGURES}


@dataclass(frozen=True, kw_only=True)
class RankingRow:
    """One product, brand or category. ``id`` is ``None`` for what has no brand or category, or exists no more.

    ``former`` is what it had in the former period of the figure that ranks.
    """

    id: UUID | None
    sku: str
    name: str
    figures: Figures
    former: int
    change_percent: float | None


@dataclass(frozen=True, kw_only=True)
class Ranking(Report):
    """The most viewed, the first one first."""

    of: RankingOf
    by: str
    rows: list[RankingRow]


def views_over_time(
    *,
    interval: Interval,
    start: dt.date,
    end: dt.date,
    product_id: UUID | None = None,
    brand_id: UUID | None = None,
    category_id: UUID | None = None,
) -> Series:
    """Return the figures by the hour, the day or the month: of all products, or of some.

    Raises ``PeriodInvalid``, ``PeriodTooLong``, ``HoursForgotten``.
    """
    period = _checked(start, end, MAX_DAYS[interval])
    months = interval is Interval.MONTH
    period = period.whole_months() if months else period
    former = period.months_before() if months else period.days_before()
    scope = _scope(product_id, brand_id, category_id)
    rows = _series(interval, period, scope)
    return Series(
        **_frame(period, former),
        interval=interval,
        rows=rows,
        former_totals=_figures(_of(former, scope).aggregate(**_SUMS)),
    )


def ranking(
    *,
    of: RankingOf,
    start: dt.date,
    end: dt.date,
    by: str = "retrieved",
    limit: int = 20,
    brand_id: UUID | None = None,
    category_id: UUID | None = None,
) -> Ranking:
    """Return the products, brands or categories that one of the figures ranks first.

    Raises ``PeriodInvalid``, ``PeriodTooLong``.
    """
    period = _checked(start, end, RANKING_MAX_DAYS)
    former = period.days_before()
    scope = _scope(None, brand_id, category_id)
    key = _KEYS[of]

    def grouped(days: Period) -> QuerySet[Any, Any]:
        rows: QuerySet[Any, Any] = _of(days, scope).values(key).annotate(**_SUMS)
        return rows

    first = list(grouped(period).filter(**{f"sum_{by}__gt": 0}).order_by(f"-sum_{by}", key)[:limit])
    keys = [row[key] for row in first]
    before = {row[key]: row[f"sum_{by}"] for row in _among(grouped(former), key, keys)}
    names = _names(of, keys)
    rows = [
        RankingRow(
            id=row[key],
            sku=names.get(row[key], ("", ""))[0],
            name=names.get(row[key], ("", ""))[1],
            figures=_figures(row),
            former=before.get(row[key], 0),
            change_percent=change_percent(row[f"sum_{by}"], before.get(row[key], 0)),
        )
        for row in first
    ]
    return Ranking(**_frame(period, former), of=of, by=by, rows=rows)


def series_as_csv(series: Series) -> str:
    """Return the figures over time as a CSV file."""
    rows = ([row.start.isoformat(), *row.figures.values()] for row in series.rows)
    return _csv([series.interval.value, *FIGURES], rows)


def ranking_as_csv(ranking: Ranking) -> str:
    """Return a ranking as a CSV file; ``None`` is an empty cell."""
    head = ["id", "sku", "name", *FIGURES, f"former_{ranking.by}", "change_percent"]
    rows = (
        [row.id, safe(row.sku), safe(row.name), *row.figures.values(), row.former, row.change_percent]
        for row in ranking.rows
    )
    return _csv(head, rows)


def change_percent(now: int, before: int) -> float | None:
    """Return by how many percent a figure has grown; ``None`` where it began at zero."""
    return round(100 * (now - before) / before, 1) if before else None


def pending_views() -> int | None:
    """Return how many answers are not counted yet; ``None`` where the buffer does not answer."""
    buffer: ViewBuffer = load_backend(settings.VIEW_BUFFER)
    try:
        return buffer.pending()
    except Exception:
        logger.exception("The buffer of the views does not answer.")
        return None


def _csv(head: list[str], rows: Iterable[list[Any]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows([head, *rows])
    return file.getvalue()


def _checked(start: dt.date, end: dt.date, max_days: int) -> Period:
    period = Period(start=start, end=end)
    if not EARLIEST <= start <= end <= LATEST:
        raise PeriodInvalid(start=str(start), end=str(end))
    if period.days > max_days:
        raise PeriodTooLong(days=period.days, maximum=max_days)
    return period


def _frame(period: Period, former: Period) -> dict[str, Any]:
    return {
        "period": period,
        "former": former,
        "time_zone": str(report_time_zone()),
        "pending": pending_views(),
    }


def _scope(product_id: UUID | None, brand_id: UUID | None, category_id: UUID | None) -> dict[str, UUID]:
    given = {"product_id": product_id, "product__brand_id": brand_id, "product__category_id": category_id}
    return {name: value for name, value in given.items() if value is not None}


def _of(period: Period, scope: Mapping[str, UUID]) -> QuerySet[DailyViews]:
    return DailyViews.objects.filter(day__range=(period.start, period.end), **scope)


def _series(interval: Interval, period: Period, scope: Mapping[str, UUID]) -> list[SeriesRow]:
    counted: Any  # rows of one column, whose name the stubs would have us write out
    starts: Iterator[dt.datetime] | Iterator[dt.date]
    if interval is Interval.HOUR:
        first, after = _midnight(period.start), _midnight(period.end + ONE_DAY)
        kept_since = timezone.now() - dt.timedelta(days=settings.HOURLY_VIEWS_DAYS)
        if first < kept_since:
            raise HoursForgotten(start=str(period.start), kept_days=settings.HOURLY_VIEWS_DAYS)
        counted = HourlyViews.objects.filter(hour__gte=first, hour__lt=after, **scope).values("hour")
        name, starts = "hour", _hours(first, after)
    elif interval is Interval.DAY:
        counted = _of(period, scope).values("day")
        name, starts = "day", (period.start + number * ONE_DAY for number in range(period.days))
    else:
        counted = _of(period, scope).values(month=TruncMonth("day"))
        name, starts = "month", _months(period)
    found = {row[name]: _figures(row) for row in counted.annotate(**_SUMS).order_by(name)}
    zone, nothing = report_time_zone(), dict.fromkeys(FIGURES, 0)
    return [
        SeriesRow(
            start=start.astimezone(zone) if isinstance(start, dt.datetime) else start,
            figures=found.get(start, nothing),
        )
        for start in starts
    ]


def _midnight(day: dt.date) -> dt.datetime:
    """Return the moment at which a day begins, be it at one o'clock."""
    return dt.datetime.combine(day, dt.time.min, report_time_zone()).astimezone(dt.UTC)


def _hours(first: dt.datetime, after: dt.datetime) -> Iterator[dt.datetime]:
    """Yield the beginnings of the hours between two moments: 23 or 25 of a day on which clocks are set."""
    halves = range(int((after - first) / HALF_HOUR))
    # By halves: where clocks are set by half an hour, an hour is longer than an hour.
    yield from sorted({hour_of(at=first + half * HALF_HOUR) for half in halves})


def _months(period: Period) -> Iterator[dt.date]:
    month = period.start
    while month <= period.end:
        yield month
        month = _next_month(month)


def _next_month(day: dt.date) -> dt.date:
    return (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1)


def _figures(row: Mapping[str, Any]) -> Figures:
    return {figure: int(row[f"sum_{figure}"] or 0) for figure in FIGURES}


def _among(rows: QuerySet[Any, Any], key: str, keys: list[UUID | None]) -> QuerySet[Any, Any]:
    """Return the rows that have one of the keys; in SQL, nothing is among others by being absent."""
    some = Q(**{f"{key}__in": [one for one in keys if one is not None]})
    return rows.filter(some | Q(**{f"{key}__isnull": True}) if None in keys else some)


def _names(of: RankingOf, keys: list[UUID | None]) -> dict[UUID | None, tuple[str, str]]:
    """Return the SKUs and names."""
    known = [key for key in keys if key is not None]
    if of is RankingOf.PRODUCT:
        found = Product.objects.filter(id__in=known).values_list("id", "sku", "name")
        return {key: (sku, name) for key, sku, name in found}
    model = Brand if of is RankingOf.BRAND else Category
    return {key: ("", name) for key, name in model.objects.filter(id__in=known).values_list("id", "name")}
