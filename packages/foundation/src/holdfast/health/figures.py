"""Figures for whoever watches: each app tells its own, asked for at each look, and what they cost has an end.

::

    register("holdfast_wallet", selectors.figures)
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

_logger = logging.getLogger("holdfast.health")

COUNTED_AT_MOST = 10_000
"""Beyond it, it is simply many: whoever watches needs no more, and a table that grows makes no look slower."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number that an app tells of itself or, with a ``label``, one for each value of it."""

    name: str
    description: str
    value: float | Mapping[str, float]
    label: str = ""


registry: dict[str, Callable[[], Iterable[Figure]]] = {}


def register(app: str, figures: Callable[[], Iterable[Figure]]) -> None:
    """Add what tells an app's figures, or replace it."""
    registry[app] = figures


def told() -> dict[str, list[Figure]]:
    """Ask every app; one that cannot be asked does not keep the others from telling theirs."""
    return {app: _ask(app, figures) for app, figures in sorted(registry.items())}


def counted(rows: QuerySet[Any]) -> int:
    """Count rows, no further than ``COUNTED_AT_MOST``. An index has to lead to them."""
    return int(rows.order_by()[:COUNTED_AT_MOST].count())


def counted_by(field: str, values: Iterable[str], newest: QuerySet[Any]) -> dict[str, int]:
    """Count the newest ``COUNTED_AT_MOST`` rows by the value of a field. Their keys must grow with time."""
    counts = {f"is_{value}": Count("pk", filter=Q(**{field: value})) for value in values}
    found = newest.order_by("-pk")[:COUNTED_AT_MOST].aggregate(**counts)
    return {name.removeprefix("is_"): count for name, count in found.items()}


def seconds_since(moment: dt.datetime | None) -> float:
    """Return how long ago it was: 0 for what never was, or is still to come."""
    return 0.0 if moment is None else max(0.0, (timezone.now() - moment).total_seconds())


def _ask(app: str, figures: Callable[[], Iterable[Figure]]) -> list[Figure]:
    try:
        return list(figures())
    except Exception:
        _logger.exception("%s could not be asked for its figures.", app)
        return []
