"""What was handled, when and how often: memory shared by all processes, so that counting costs next to nothing.

Events of a turn are numbered from 0. Each handler calls ``handled(number)`` and does nothing else; after the turn the
tally knows how many are missing, how many came twice and which came out of order, whoever handled them, killed
processes included.
"""

import mmap
import struct
import time
from array import array
from collections.abc import Iterable
from pathlib import Path

SIZE = 1_050_000


class Tally:
    """Three columns for each number: deliveries, the moment of the first one, the moment of the commit."""

    def __init__(self, path: str) -> None:
        columns = (1 + 8 + 8) * SIZE
        file = Path(path)
        if not file.exists() or file.stat().st_size != columns:
            file.write_bytes(bytes(columns))
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), columns)

    def handled(self, number: int) -> None:
        """Note a delivery."""
        seen = self._map[number]
        if not seen:
            struct.pack_into("d", self._map, SIZE + 8 * number, time.monotonic())
        self._map[number] = min(seen + 1, 255)

    def committed(self, number: int) -> None:
        """Note that the transaction of an event is over."""
        struct.pack_into("d", self._map, 9 * SIZE + 8 * number, time.monotonic())

    def reset(self) -> None:
        """Forget everything, before a turn."""
        self._map[:] = bytes(len(self._map))

    def wait(self, count: int, *, patience: float) -> bool:
        """Wait until the first ``count`` were all handled, or nothing more has come for ``patience`` seconds."""
        position, seen, looked, last_news = 0, -1, 0.0, time.monotonic()
        while True:
            position = self._map.find(b"\0", position, count)
            if position < 0:
                return True
            if (now := time.monotonic()) - looked > 0.25:
                looked, before, seen = now, seen, self._map[:count].count(0)
                if seen != before:
                    last_news = now
                elif now - last_news > patience:
                    return False
            time.sleep(0.002)

    def missing(self, count: int) -> int:
        """Return how many of the first ``count`` were not handled."""
        return self._map[:count].count(0)

    def again(self, count: int) -> int:
        """Return how many deliveries were repetitions."""
        return sum(seen - 1 for seen in self._map[:count] if seen > 1)

    def moments(self, count: int) -> "array[float]":
        """Return when each of the first ``count`` was handled."""
        return array("d", self._map[SIZE : SIZE + 8 * count])

    def last(self, count: int) -> float:
        """Return when the last of the first ``count`` was handled."""
        return max(self.moments(count))

    def latencies(self, numbers: Iterable[int]) -> list[float]:
        """Return the milliseconds from commit to handler."""
        found = []
        for number in numbers:
            (handled,) = struct.unpack_from("d", self._map, SIZE + 8 * number)
            (committed,) = struct.unpack_from("d", self._map, 9 * SIZE + 8 * number)
            found.append((handled - committed) * 1000)
        return found

    def out_of_order(self, count: int, keys: int) -> int:
        """Return how many of the first ``count`` were handled after a later one of their key, ``number % keys``."""
        moments, wrong = self.moments(count), 0
        for key in range(keys):
            latest = 0.0
            for moment in moments[key:count:keys]:
                if 0 < moment < latest:  # what never came is missing, not late
                    wrong += 1
                latest = max(latest, moment)
        return wrong
