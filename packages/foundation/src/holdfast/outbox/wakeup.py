"""Waking the relay after a commit: one NOTIFY in its own tiny transaction, at most one for each 10 ms and process.

Inside the business transaction a NOTIFY would take the instance-wide notify lock through the commit (17 to 24 % of the
throughput at 8 writers). What the debounce swallows is covered by the relay, which looks once more shortly after each activity.
SQLite has no NOTIFY: there the relay watches the file's data version.
"""

import time

from django.db import connections, transaction

CHANNEL = "holdfast_outbox"
DEBOUNCE_SECONDS = 0.010

_NOTIFY = f"NOTIFY {CHANNEL}"


class Doorbell:
    """Rings the relays of one database."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.rung_at = float("-inf")

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self.rung_at < DEBOUNCE_SECONDS:
            return
        self.rung_at = now  # Two threads that both get here ring twice, which harms nobody.
        with connections[self.using].cursor() as cursor:
            cursor.execute(_NOTIFY)


_doorbells: dict[str, Doorbell] = {}


def after_commit_wakeup(using: str) -> None:
    """Wake the relays of a database once the current transaction has committed; at once where there is none."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    doorbell = _doorbells.get(using) or _doorbells.setdefault(using, Doorbell(using))
    # The next of many events of one transaction finds the bell already hung. If a savepoint takes an earlier one down, it was
    # entered inside that savepoint, and then so was this one.
    if connection.run_on_commit and connection.run_on_commit[-1][1] is doorbell:
        return
    transaction.on_commit(doorbell, using=using, robust=True)
