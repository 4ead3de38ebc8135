"""The switch of the law, for test suites and for staging a corruption that the audit must find.

A test suite that truncates its tables between tests trips over a ledger that keeps its history. ``allow_flush`` lets
rows of one *database* be removed (not changed), once and for all: for a test database. ``unlocked`` lets everything
be done for the length of a block. Both are deliberate acts of somebody who may do everything anyway, and a deploy
check warns where the switch is left open.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from django.db import DEFAULT_DB_ALIAS, connections

Switch = Literal["off", "flush", "on"]

_SETTING = "holdfast_wallet.unlocked"


def switch_state(*, using: str = DEFAULT_DB_ALIAS) -> Switch:
    """Return ``off`` where the law holds, ``flush`` where rows may be removed, ``on`` where everything goes."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT current_setting(%s, true)", [_SETTING])
        else:
            cursor.execute("SELECT unlocked FROM holdfast_wallet_law")
        row = cursor.fetchone()
    return (row and row[0]) or "off"


@contextmanager
def unlocked(*, using: str = DEFAULT_DB_ALIAS, mode: Switch = "on") -> Iterator[None]:
    """Take the law's guards off for the block: on PostgreSQL for this connection, on SQLite for the whole database."""
    before = switch_state(using=using)
    _switch(mode, using)
    try:
        yield
    finally:
        _switch(before, using)


def allow_flush(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Let rows be removed from this database from now on: call it once, when a test database was made."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            name = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
            cursor.execute(f"ALTER DATABASE {name} SET {_SETTING} = 'flush'")
    _switch("flush", using)


def _switch(mode: Switch, using: str) -> None:
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT set_config(%s, %s, false)", [_SETTING, mode])
        else:
            cursor.execute("UPDATE holdfast_wallet_law SET unlocked = %s", [mode])
