"""What a transfer costs on the disk: bytes kept, and bytes of write-ahead log."""

from typing import cast

import psycopg

from benchmarks.clients import Clients

_SIZES = """
    SELECT relname, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def measure(url: str, clients: Clients, transfers: int) -> dict[str, float]:
    """Return bytes for each transfer by table, and under ``WAL`` the log's; nothing else may write meanwhile."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        # After a checkpoint the first change of each page logs the whole page; that is the checkpoint's cost, not the
        # transfer's.
        clients.one("transfers", count=transfers // 4)
        sizes, log = _sizes(connection), _log(connection)
        clients.one("transfers", count=transfers)
        grown = {name: (size - sizes[name]) / transfers for name, size in _sizes(connection).items()}
        return {**{name: size for name, size in grown.items() if size > 0}, "WAL": (_log(connection) - log) / transfers}


def _sizes(connection: "psycopg.Connection[tuple[object, ...]]") -> dict[str, int]:
    return cast("dict[str, int]", dict(connection.execute(_SIZES).fetchall()))  # type: ignore[arg-type]  # rows of two


def _log(connection: "psycopg.Connection[tuple[object, ...]]") -> int:
    row = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
    return int(cast("tuple[int]", row)[0])
