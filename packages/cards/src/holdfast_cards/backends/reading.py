"""Reading by allow-list: one field at a time, each of the shape that it should have, and nothing else gets past.

Whatever else an answer holds (a card's number, its code) stays in the answer, which nobody keeps.
"""

import calendar
import datetime as dt
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

TEXT_LENGTH = 255
ID_BITS = 128
_DATE = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})")
_MONTH = re.compile(r"(?P<month>[0-9]{1,2})/(?P<year>[0-9]{2}|[0-9]{4})")


def mapping(value: Any, *path: str) -> Mapping[str, Any]:
    """Return the object that lies at a path of names; an empty one where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def text(document: Mapping[str, Any], name: str) -> str:
    """Return a field's text; nothing where it is none, is too long, or has in it what no database stores."""
    value = document.get(name)
    return value if isinstance(value, str) and len(value) <= TEXT_LENGTH and value.isprintable() else ""


def identifier(document: Mapping[str, Any], name: str) -> str:
    """Return an id, which some providers count and others spell."""
    value = document.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value.bit_length() <= ID_BITS else ""
    return text(document, name)


def quoted(card_id: str) -> str:
    """Return an id as a part of a path, whatever is in it."""
    return urllib.parse.quote(card_id, safe="")


def anomalies(**found: bool) -> tuple[str, ...]:
    """Return the names of those that were found."""
    return tuple(name for name, is_there in found.items() if is_there)


def last4(document: Mapping[str, Any], name: str) -> str:
    """Return the last four digits; nothing where there are more, or fewer."""
    value = text(document, name)
    return value if re.fullmatch(r"[0-9]{4}", value) else ""


def day(value: Any) -> dt.date | None:
    """Return the last day of ``2030-11-30``, ``11/30`` or ``11/2030``; ``None`` for anything else."""
    if not isinstance(value, str):
        return None
    if match := _DATE.fullmatch(value):
        return _date(int(match["year"]), int(match["month"]), int(match["day"]))
    if match := _MONTH.fullmatch(value):
        year = int(match["year"])
        return end_of_month(year if year >= 100 else 2000 + year, int(match["month"]))
    return None


def end_of_month(year: Any, month: Any) -> dt.date | None:
    """Return the last day of a month, in numbers or in digits; ``None`` where there is no such month."""
    try:
        year, month = int(year), int(month)
        return _date(year, month, calendar.monthrange(year, month)[1])
    except (TypeError, ValueError, OverflowError):
        return None


def moment(seconds: Any) -> dt.datetime | None:
    """Return a moment given in seconds since 1970."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return None
    try:
        return dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso_moment(value: Any) -> dt.datetime | None:
    """Return a moment given as ISO 8601 has it, with its offset from UTC."""
    try:
        found = dt.datetime.fromisoformat(value)
        return found.astimezone(dt.UTC) if found.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def _date(year: int, month: int, day_of_month: int) -> dt.date | None:
    try:
        return dt.date(year, month, day_of_month)
    except (ValueError, OverflowError):
        return None
