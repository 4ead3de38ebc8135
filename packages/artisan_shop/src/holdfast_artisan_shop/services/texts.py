"""Texts and moments: what the columns hold, and no more."""

import datetime as dt

from django.utils import timezone

from holdfast_artisan_shop.exceptions import PeriodInvalid, TextInvalid


def check_text(field: str, text: str, maximum: int, *, required: bool = False) -> None:
    """Raise ``TextInvalid`` for a text that is empty although it must not be, too long, or cannot be stored."""
    if (required and not text.strip()) or len(text) > maximum or not storable(text):
        raise TextInvalid(field=field, length=len(text), maximum=maximum)


def storable(text: str) -> bool:
    """Say whether a database can store a text: PostgreSQL has no NUL, and UTF-8 no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= one <= "\udfff" for one in text)


def cleaned(text: object, maximum: int) -> str:
    """Return of a stranger's text what can be stored."""
    known = "" if text is None else str(text).replace("\0", "")
    return known.encode(errors="replace").decode()[:maximum]


def check_moments(*moments: dt.datetime | None) -> None:
    """Raise ``PeriodInvalid`` for a moment without a time zone, or so far that it is in no calendar elsewhere."""
    for moment in moments:
        if moment is not None and (timezone.is_naive(moment) or not dt.MINYEAR < moment.year < dt.MAXYEAR):
            raise PeriodInvalid
