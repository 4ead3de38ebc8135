#!/usr/bin/env python3
"""Back up a database that has something in it, restore it elsewhere, and see whether the books still hold.

::

    restore_drill.py     on throw-away servers of its own; prints what it did, and fails when anything differs

The same commands as docs/guides/back-up.md tells: ``pg_dump``, ``pg_restore``, then ``wallet_verify`` with the digest
of the newest seal, which was kept elsewhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from devservices import Postgres, private_postgres
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "example_project"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


def manage(*arguments: str, database_url: str) -> str:
    """Run a management command on a database, and return what it printed."""
    settings = {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "config.settings.local", "REDIS_URL": ""}
    command = [sys.executable, "-W", "ignore", "manage.py", *arguments]
    done = subprocess.run(
        command, check=False, cwd=PROJECT, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise SystemExit(f"'manage.py {' '.join(arguments)}' failed.\n{done.stdout}")
    return done.stdout.strip()


def rows(database_url: str) -> Mapping[str, int]:
    """Return how many rows each table has."""
    count = sql.SQL("SELECT count(*) FROM {}")
    with psycopg.connect(database_url) as connection:
        names = [name for (name,) in connection.execute(TABLES).fetchall()]
        return {name: _one(connection, count.format(sql.Identifier(name))) for name in names}


def _one(connection: psycopg.Connection[Any], statement: sql.Composed) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def newest_seal(database_url: str) -> str:
    """Return the digest of the newest seal: what is kept elsewhere."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT digest FROM holdfast_wallet_seal ORDER BY id DESC LIMIT 1").fetchone()
    if row is None:
        raise SystemExit("Nothing was sealed: is the demo's town empty?")
    return str(row[0])


def drill(postgres: Postgres, folder: Path) -> None:
    """Do it once."""
    source = postgres.url
    server, _, _ = source.rpartition("/")
    target, dump = f"{server}/restored", folder / "holdfast.dump"
    print("A database with the demo's town in it ...", flush=True)
    manage("migrate", "--verbosity", "0", database_url=source)
    manage("populate", database_url=source)
    manage("wallet_seal", database_url=source)
    digest, before = newest_seal(source), rows(source)

    # The tools of the server's own release: an older pg_dump refuses a newer server.
    tools = postgres._program("pg_dump").parent  # noqa: SLF001 - where the binaries are is known there
    began = time.monotonic()
    subprocess.run([tools / "pg_dump", "--format=custom", f"--file={dump}", f"--dbname={source}"], check=True)
    backed_up = time.monotonic()
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored")
    subprocess.run([tools / "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={target}", dump], check=True)
    restored = time.monotonic()

    after = rows(target)
    if different := {name for name in before if before[name] != after.get(name)}:
        raise SystemExit(f"These tables have other numbers of rows: {', '.join(sorted(different))}")
    said = manage("wallet_verify", f"--expect-digest={digest}", database_url=target)
    manage("migrate", "--check", database_url=target)
    total = sum(before.values())
    print(f"{len(before)} tables with {total:,} rows: {dump.stat().st_size / 1024:,.0f} KiB")
    print(f"pg_dump took {backed_up - began:.1f} s, pg_restore {restored - backed_up:.1f} s")
    print(f"The restored ledger, with the digest that was kept elsewhere: {said}")


def main() -> int:
    """Run the drill on a server of its own."""
    with private_postgres() as postgres, tempfile.TemporaryDirectory(prefix="drill-") as folder:
        drill(postgres, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
