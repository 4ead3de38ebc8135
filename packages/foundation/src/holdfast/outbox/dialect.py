"""The few words in which the relay's PostgreSQL and SQLite differ, so that most statements are written once.

Time is the database's: relays on several machines agree about leases whatever their own clocks say.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from holdfast.outbox import models

_TABLES = {
    "event": models.OutboxEvent._meta.db_table,
    "subscriber": models.OutboxSubscriber._meta.db_table,
    "delivery": models.OutboxDelivery._meta.db_table,
    "dead_letter": models.OutboxDeadLetter._meta.db_table,
    "attempt": models.OutboxAttempt._meta.db_table,
    "lease": models.OutboxLease._meta.db_table,
    "relay": models.OutboxRelay._meta.db_table,
    "inbox": models.InboxEntry._meta.db_table,
    "endpoint": models.WebhookEndpoint._meta.db_table,
}

# ``now`` and ``later`` (which takes seconds, negative ones too). Not now(): within a test's transaction it stands
# still.
_TIMES = {
    "postgresql": {
        "now": "clock_timestamp()",
        "later": "clock_timestamp() + %s * interval '1 second'",
    },
    "sqlite": {
        "now": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')",
        "later": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s || ' seconds')",
    },
}

# Django's wrapper; its stubs type what is behind it.
Cursor = Any

VENDORS = tuple(_TIMES)


def postgresql(sql: str, **parts: str) -> str:
    """Fill in the names of tables, the times, and parts that several statements share, for PostgreSQL."""
    return _filled("postgresql", sql, parts)


def sqlite(sql: str, **parts: str) -> str:
    """Fill in the same for SQLite."""
    return _filled("sqlite", sql, parts)


def both(sql: str, **parts: str) -> dict[str, str]:
    """Return a statement that is the same in both, by vendor."""
    return {vendor: _filled(vendor, sql, parts) for vendor in VENDORS}


def _filled(vendor: str, sql: str, parts: Mapping[str, str]) -> str:
    words = {**_TABLES, **_TIMES[vendor]}
    return sql.format(**words, **{name: part.format(**words) for name, part in parts.items()})


def array(numbers: Iterable[float]) -> str:
    """Return numbers as the text of a PostgreSQL array: psycopg looks at each element of a list, which is dear."""
    return "{" + ",".join(map(str, numbers)) + "}"


def as_moment(value: str | dt.datetime) -> dt.datetime:
    """Return the time that a statement answered: SQLite has text for an aggregate, and no time zones."""
    moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
