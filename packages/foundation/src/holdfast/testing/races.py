"""Races: the same verb from several threads at once, each with a database connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections


def race(*contenders: Callable[[], Any], times: int = 4) -> list[Any]:
    """Start the contenders at one moment and return what each returned or raised, in their order.

    One contender alone runs ``times`` times. The test must not hold a transaction (``django_db(transaction=True)``):
    the threads see only what is committed.
    """
    runners = list(contenders) * (times if len(contenders) == 1 else 1)
    barrier = threading.Barrier(len(runners))

    def run(contender: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=30)
            return contender()
        except Exception as outcome:  # noqa: BLE001 - a refusal is an outcome of the race, and so is a crash
            return outcome
        finally:
            _close()

    with ThreadPoolExecutor(max_workers=len(runners), thread_name_prefix="race") as pool:
        return list(pool.map(run, runners))


def _close() -> None:
    for connection in connections.all(initialized_only=True):
        connection.close()
        if connection.connection is not None:
            # SQLite in memory, which Django leaves open for the threads that share it: this thread's way to it ends.
            connection.connection.close()
