"""Versions: when a shop or a product, with all that belongs to it, was changed last, as a whole number.

Whoever changes one may say which version he has read; what was changed meanwhile is not overwritten.
"""

import datetime as dt

from django.utils import timezone

from holdfast_artisan_shop.exceptions import VersionOutdated
from holdfast_artisan_shop.models import Product, Shop

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_TICK = dt.timedelta(microseconds=1)


def version_of(row: Shop | Product) -> int:
    """Return the version of a shop or a product."""
    return (row.updated_at - _EPOCH) // _TICK


def check_version(row: Shop | Product, expected_version: int | None) -> None:
    """Raise ``VersionOutdated`` where a locked row has another version than the one that was read."""
    if expected_version is not None and version_of(row) != expected_version:
        raise VersionOutdated(id=str(row.pk), version=version_of(row))


def stamp(row: Shop | Product) -> None:
    """Give a locked row its next version, without saving it: later than the former, whatever the clock says."""
    row.updated_at = max(timezone.now(), row.updated_at + _TICK)
