"""Which relay delivers which partition.

A lease is a row with an owner, an end and an epoch. It is not a row lock or an advisory lock: it survives connection
poolers, it exists on SQLite, and it fences a relay that was asleep, since every statement that finishes deliveries asks
for the epoch that they were read under. A relay renews its leases after a third of their time, takes its fair share of
what is free, and hands back what is over it.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass, field

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from holdfast.outbox.dialect import Cursor, both, postgresql, sqlite
from holdfast.outbox.emission import PARTITIONS

_SEED = {
    "postgresql": postgresql(
        """
        INSERT INTO {lease} (part, owner, epoch, until)
        SELECT part, '', 0, {now} FROM generate_series(0, {last}) AS part
        ON CONFLICT DO NOTHING""",
        last=str(PARTITIONS - 1),
    ),
    "sqlite": sqlite(
        """
        WITH RECURSIVE parts(part) AS (SELECT 0 UNION ALL SELECT part + 1 FROM parts WHERE part < {last})
        INSERT INTO {lease} (part, owner, epoch, until) SELECT part, '', 0, {now} FROM parts WHERE true
        ON CONFLICT DO NOTHING""",
        last=str(PARTITIONS - 1),
    ),
}

# A relay without a lease is counted too, or nobody would make room for it.
_HEARTBEAT = both("""
    INSERT INTO {relay} (name, started_at, seen_at) VALUES (%s, {now}, {now})
    ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at""")
_COUNT_LIVE = both("SELECT count(*) FROM {relay} WHERE seen_at > {later}")
_FORGET = both("DELETE FROM {relay} WHERE name = %s")

# A lease that ran out, and that nobody took, is still ours: the epoch has not moved.
_RENEW = both("UPDATE {lease} SET until = {later} WHERE owner = %s")
_MINE = both("SELECT part, epoch FROM {lease} WHERE owner = %s")

# SKIP LOCKED: two relays that claim at once take different partitions instead of waiting for one another.
_CLAIM = postgresql("""
    UPDATE {lease} AS lease SET owner = %s, epoch = lease.epoch + 1, until = {later}
    FROM (
        SELECT part, owner FROM {lease} WHERE owner = '' OR until < {now}
        ORDER BY part LIMIT %s FOR UPDATE SKIP LOCKED
    ) AS free
    WHERE lease.part = free.part
    RETURNING lease.part, free.owner <> ''""")
_FREE = sqlite("SELECT part, owner <> '' FROM {lease} WHERE owner = '' OR until < {now} ORDER BY part LIMIT %s")
_TAKE = sqlite("UPDATE {lease} SET owner = %s, epoch = epoch + 1, until = {later} WHERE part = %s")

_RELEASE = both("UPDATE {lease} SET owner = '', until = {now} WHERE owner = %s AND part = %s")


@dataclass
class Leases:
    """The partitions of one relay; ``epochs`` holds those that it may deliver."""

    connection: BaseDatabaseWrapper
    owner: str
    seconds: float
    epochs: dict[int, int] = field(default_factory=dict)
    leaving: set[int] = field(default_factory=set)
    taken_from_the_dead: set[int] = field(default_factory=set)
    settled: bool = False
    safe_until: float = 0.0

    def holds(self, part: int, epoch: int) -> bool:
        """Whether a delivery that was read under this epoch may still be sent."""
        return self.epochs.get(part) == epoch and time.monotonic() < self.safe_until

    def renew(self) -> dict[int, bool]:
        """Renew, claim and make room; return what is new, and whether it was taken from a relay that died."""
        begun = time.monotonic()
        vendor = self.connection.vendor
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(_HEARTBEAT[vendor], [self.owner])
            cursor.execute(_SEED[vendor])
            cursor.execute(_COUNT_LIVE[vendor], [-self.seconds])
            share = -(-PARTITIONS // max(1, cursor.fetchone()[0]))
            cursor.execute(_RENEW[vendor], [self.seconds, self.owner])
            cursor.execute(_MINE[vendor], [self.owner])
            held = {part for part, _epoch in cursor.fetchall()}
            claimed = self._claim(cursor, share - len(held))
            cursor.execute(_MINE[vendor], [self.owner])
            mine = dict(cursor.fetchall())
        # Ours ends before the database's, which began to count later.
        self.safe_until = begun + self.seconds
        surplus = max(0, len(mine) - share)
        self.leaving = set(sorted(mine, reverse=True)[:surplus])
        self.epochs = {part: epoch for part, epoch in mine.items() if part not in self.leaving}
        self.settled = len(mine) == share
        self.taken_from_the_dead = {part for part, died in claimed.items() if died}
        return claimed

    def _claim(self, cursor: Cursor, count: int) -> dict[int, bool]:
        if count <= 0:
            return {}
        if self.connection.vendor == "postgresql":
            cursor.execute(_CLAIM, [self.owner, self.seconds, count])
            claimed: dict[int, bool] = dict(cursor.fetchall())
            return claimed
        cursor.execute(_FREE, [count])
        free = {part: bool(died) for part, died in cursor.fetchall()}
        cursor.executemany(_TAKE, [(self.owner, self.seconds, part) for part in free])
        return free

    def hand_back(self, part: int) -> None:
        """Give up a partition that nothing of is under way any more."""
        with self.connection.cursor() as cursor:
            cursor.execute(_RELEASE[self.connection.vendor], [self.owner, part])
        self.leaving.discard(part)

    def close(self, keep: Collection[int] = ()) -> None:
        """Give everything back, so that the next relay need not wait; but for what is still under way."""
        parts = [part for part in (*self.epochs, *self.leaving) if part not in keep]
        self.epochs, self.leaving = {}, set()
        with self.connection.cursor() as cursor:
            cursor.executemany(_RELEASE[self.connection.vendor], [(self.owner, part) for part in parts])
            cursor.execute(_FORGET[self.connection.vendor], [self.owner])
