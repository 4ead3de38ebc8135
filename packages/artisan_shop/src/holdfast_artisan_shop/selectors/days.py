"""Days as a shop has them: they begin at midnight where it is, and not all are 24 hours long."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from holdfast_artisan_shop.exceptions import PeriodInvalid

DAYS_MAX = 3_660
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2999, 12, 31)
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Period:
    """Days from ``start`` to ``end``, both included."""

    start: dt.date
    end: dt.date

    def months(self) -> list[dt.date]:
        """Return the first days of the months that it touches."""
        found = [self.start.replace(day=1)]
        while (following := _next_month(found[-1])) <= self.end:
            found.append(following)
        return found


def period(*, start: dt.date, end: dt.date) -> Period:
    """Return the days of a report. Raises ``PeriodInvalid``."""
    if not EARLIEST <= start <= end <= LATEST or (end - start).days >= DAYS_MAX:
        raise PeriodInvalid(start=str(start), end=str(end), maximum_days=DAYS_MAX)
    return Period(start=start, end=end)


def day_of(at: dt.datetime, time_zone: str) -> dt.date:
    """Return the day of a moment."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def day_bounds(first: dt.date, last: dt.date, time_zone: str) -> tuple[dt.datetime, dt.datetime]:
    """Return the moments between which days lie: the first moment of the first one, and that of the one after the last.

    Where midnight comes twice the day begins with the first one; where it does not come, with what comes instead.
    """
    zone = ZoneInfo(time_zone)
    start, end = (dt.datetime.combine(day, dt.time.min, zone) for day in (first, last + ONE_DAY))
    return start.astimezone(dt.UTC), end.astimezone(dt.UTC)


def month_end(day: dt.date) -> dt.date:
    """Return the last day of a day's month."""
    return _next_month(day) - ONE_DAY


def _next_month(day: dt.date) -> dt.date:
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
