"""What visitors look at, as charts."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from holdfast.money import Money
from holdfast_catalog_notify import selectors
from holdfast_catalog_notify.selectors import reports
from holdfast_catalog_notify.states import Interval
from storefront.charts import BalanceChart, BarChart, Counted, Point, balance_chart, bar_chart

SHOWN_PRICES = 200
_LABELS = {Interval.HOUR: "%-d %b, %H:00", Interval.DAY: "%-d %b", Interval.MONTH: "%b %Y"}


@dataclass(frozen=True)
class Viewed:
    """Views over time, with their chart."""

    series: reports.Series
    chart: BarChart | None

    @property
    def looked_at(self) -> int:
        """How often visitors looked."""
        return self.series.totals["retrieved"]

    @property
    def change(self) -> float | None:
        """By how many percent that differs from the period before."""
        return self.series.change_percent["retrieved"]

    @property
    def bots(self) -> int:
        """How often machines looked."""
        return self.series.totals["bot_retrieved"] + self.series.totals["bot_listed"]

    @property
    def rows(self) -> list[tuple[str, dict[str, int]]]:
        """The figures, the newest first, for who wants to read them."""
        return [(label_of(row.start, self.series.interval), row.figures) for row in reversed(self.series.rows)]


def label_of(start: dt.date, interval: Interval) -> str:
    """Return how a chart names a period."""
    return start.strftime(_LABELS[interval])


def viewed(series: reports.Series) -> Viewed:
    """Return a series with its chart: how often visitors looked, and how many visits that were."""
    return Viewed(series, bar_chart([_counted(row, series.interval) for row in series.rows]))


def last_days(*, days: int = 30, **scope: UUID) -> Viewed:
    """Return the views of the last days, today among them."""
    end = reports.report_today()
    start = end - dt.timedelta(days=days - 1)
    return viewed(reports.views_over_time(interval=Interval.DAY, start=start, end=end, **scope))


def price_chart(product: Any) -> BalanceChart | None:
    """Return the history of a product's price, in its present currency, from its first day to now."""
    changes = selectors.changes_of(product_id=product.pk, prices_only=True)[:SHOWN_PRICES]
    points = []
    for change in reversed(changes):
        amount, _space, currency = str(change.values["price"]["new"] or "").partition(" ")
        if currency == str(product.price.currency):
            points.append(Point(change.change_set.at, Money(amount, currency)))
    if len(points) < 2:
        return None
    return balance_chart([*points, Point(timezone.now(), product.price)])


def _counted(row: reports.SeriesRow, interval: Interval) -> Counted:
    label, figures = label_of(row.start, interval), row.figures
    words = f"{label}: looked at {figures['retrieved']} times, {figures['visits']} visits"
    return Counted(label, figures["retrieved"], figures["visits"], words)
