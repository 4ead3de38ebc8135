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


BARS_HEIGHT = 200
GAP = 0.28  # of a bar's place


@dataclass(frozen=True)
class Bar:
    """One period: how high it stands, how much of it is filled, and the words for who points at it."""

    x: float
    y: float
    height: float
    inner_y: float
    inner_height: float
    words: str


@dataclass(frozen=True)
class BarChart:
    """Counts over time. ``top`` is the round number at which the scale ends."""

    bars: list[Bar]
    bar_width: float
    top: int
    first: str
    middle: str
    last: str
    width: int = WIDTH
    height: int = BARS_HEIGHT

    @property
    def half(self) -> int:
        """The number of the line in the middle, where it is a whole one."""
        return self.top // 2 if self.top % 2 == 0 else 0


@dataclass(frozen=True)
class Counted:
    """What a bar stands for: ``part`` is the share of ``count`` that is filled."""

    label: str
    count: int
    part: int
    words: str


def bar_chart(counted: Sequence[Counted]) -> BarChart | None:
    """Return the chart of at least two periods, or ``None`` where nothing was counted."""
    highest = max((one.count for one in counted), default=0)
    if len(counted) < 2 or not highest:
        return None
    top, place = round_up(highest), WIDTH / len(counted)
    bar_width = round(place * (1 - GAP), 2)

    def tall(count: int) -> float:
        return round(count / top * BARS_HEIGHT, 1)

    bars = [
        Bar(
            x=round(number * place + place * GAP / 2, 2),
            y=round(BARS_HEIGHT - tall(one.count), 1),
            height=tall(one.count),
            inner_y=round(BARS_HEIGHT - tall(one.part), 1),
            inner_height=tall(one.part),
            words=one.words,
        )
        for number, one in enumerate(counted)
    ]
    middle = counted[len(counted) // 2]
    return BarChart(bars, bar_width, top, counted[0].label, middle.label, counted[-1].label)


def round_up(count: int) -> int:
    """Return the next number that people like to read at the end of a scale: 1, 2, 4, 6, 8, 10, 12, 16, 20, 30 ..."""
    if count <= 10:
        return next(step for step in (1, 2, 4, 6, 8, 10) if count <= step)
    magnitude = int(10 ** (len(str(count - 1)) - 1))
    return next(
        step * magnitude // 10 for step in (12, 16, 20, 30, 40, 50, 60, 80, 100) if count * 10 <= step * magnitude
    )
