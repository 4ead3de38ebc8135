"""The one PostgreSQL and the one Valkey that every system of a run uses."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil
import psycopg
import redis
from psycopg import sql


class NotDurableError(RuntimeError):
    """The server does not flush its commits: nothing measured on it would hold anywhere else."""


@dataclass(frozen=True)
class Postgres:
    """A running, durable server, by the URL of a role that may create databases."""

    url: str

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Open an autocommitting connection to the maintenance database."""
        return psycopg.connect(self.url, autocommit=True)

    def require_durable(self) -> None:
        """Refuse a server on which a commit may be lost."""
        with self.connect() as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                row = connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(setting))).fetchone()
                if row != ("on",):
                    raise NotDurableError(f"{setting} is {row and row[0]}; benchmarks need it on.")

    def database(self, name: str) -> str:
        """Make an empty database of this name, in place of an older one, and return its URL."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    def drop(self, name: str) -> None:
        """Drop a database made by ``database``."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def facts(self) -> dict[str, str]:
        """Return the version and the settings that matter to a reader of the figures."""
        names = ["server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method"]
        names += ["shared_buffers", "max_wal_size"]
        with self.connect() as connection:
            rows = connection.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [names]).fetchall()
        return {f"postgres {name}": str(value) for name, value in sorted(rows)}

    def pids(self) -> list[int]:
        """Return the process that all of the server's processes descend from; none when it runs elsewhere."""
        if not _is_local(self.url):
            return []
        with self.connect() as connection:
            backend = psutil.Process(connection.info.backend_pid)
            return [parent.pid for parent in backend.parents()[:1]]


def redis_pids(url: str) -> list[int]:
    """Return the process of a Redis or Valkey server; none when it runs elsewhere."""
    if not _is_local(url):
        return []
    with redis.Redis.from_url(url) as client:
        return [int(client.info("server")["process_id"])]


def _is_local(url: str) -> bool:
    """Whether the server shares this machine, so that its processes can be watched."""
    return urlsplit(url).hostname in {None, "", "localhost", "127.0.0.1", "::1"}
