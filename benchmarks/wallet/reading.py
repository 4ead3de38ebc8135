"""How long the database itself works on a call, whatever statements the call is made of."""

import re
import statistics
import time
from collections.abc import Callable
from typing import Any

ENOUGH_MILLISECONDS = 2000

_DURATION = re.compile(r"duration: ([0-9.]+) ms")


class DatabaseTime:
    """Adds up the durations that PostgreSQL logs for each statement, sent to this very session.

    ``log_min_duration_statement = 0`` makes the server tell each phase of each statement, ``client_min_messages = log``
    makes it tell us. Nothing has to be known of the statements, and nothing is instrumented inside them. Without
    PostgreSQL there is no server to ask: then only the clock of the caller counts.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._milliseconds = 0.0
        self._asks = connection.vendor == "postgresql"
        if self._asks:
            connection.ensure_connection()
            connection.connection.add_notice_handler(self._note)

    def measure(self, call: Callable[[], Any], times: int) -> dict[str, float]:
        """Return the median milliseconds of a call, in the database and for the caller.

        A call that takes seconds is not repeated so often.
        """
        call()
        times = max(1, min(times, int(ENOUGH_MILLISECONDS / self._timed(call)[1])))
        caller = [self._timed(call)[1] for _ in range(times)]
        self._listen(on=True)
        database = [self._timed(call)[0] for _ in range(times)]
        self._listen(on=False)
        return {"database": statistics.median(database), "caller": statistics.median(caller)}

    def _timed(self, call: Callable[[], Any]) -> tuple[float, float]:
        self._milliseconds = 0.0
        before = time.perf_counter()
        call()
        caller = (time.perf_counter() - before) * 1000
        return (self._milliseconds if self._asks else caller), caller

    def _note(self, diagnostic: Any) -> None:
        found = _DURATION.search(diagnostic.message_primary or "")
        if found:
            self._milliseconds += float(found[1])

    def _listen(self, *, on: bool) -> None:
        if self._asks:
            with self._connection.cursor() as cursor:
                cursor.execute(f"SET client_min_messages = {'log' if on else 'notice'}")
                cursor.execute(f"SET log_min_duration_statement = {0 if on else -1}")
