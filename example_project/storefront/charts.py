"""Charts as SVG paths, drawn on the server."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.money import Money

WIDTH = 720
HEIGHT = 160
MARGIN = 10
NOW = WIDTH - 14  # what is now stands a little before the edge, so that its dot is whole


@dataclass(frozen=True)
class Point:
    """A balance, and since when."""

    at: dt.datetime
    balance: Money


@dataclass(frozen=True)
class BalanceChart:
    """A balance over time: steps, because a balance stays as it is until something moves it."""

    line: str
    area: str
    end: str
    zero: float | None
    first: Point
    last: Point
    lowest: Money
    highest: Money
    width: int = WIDTH
    height: int = HEIGHT


def balance_chart(points: Sequence[Point]) -> BalanceChart | None:
    """Return the chart of at least two points in order of time, or ``None`` where there is nothing to draw."""
    if len(points) < 2 or points[0].at >= points[-1].at:
        return None
    start, span = points[0].at, (points[-1].at - points[0].at).total_seconds()
    amounts = [point.balance.amount for point in points]
    low, high = min(amounts), max(amounts)
    # A balance that hardly moves should look like one: the scale starts at zero unless the money is far above it.
    floor = min(low, low * 0) if low < high / 2 else low - (high - low) / 4
    reach = float(high - floor) or 1.0

    def x(point: Point) -> float:
        return round((point.at - start).total_seconds() / span * NOW, 1)

    def y(value: object) -> float:
        return round(HEIGHT - MARGIN - (float(value) - float(floor)) / reach * (HEIGHT - 2 * MARGIN), 1)  # type: ignore[arg-type]  # decimals

    steps = [f"M0 {y(points[0].balance.amount)}"]
    steps += [f"H{x(point)}V{y(point.balance.amount)}" for point in points[1:]]
    line = "".join([*steps, f"H{WIDTH}"])
    return BalanceChart(
        line=line,
        area=f"{line}V{HEIGHT}H0Z",
        end=f"M{NOW} {y(points[-1].balance.amount)}h0",
        zero=y(0) if floor < 0 < high else None,
        first=points[0],
        last=points[-1],
        lowest=min(points, key=lambda point: point.balance.amount).balance,
        highest=max(points, key=lambda point: point.balance.amount).balance,
    )
