"""``DATABASE_URL`` to Django's settings, with what either database needs to hold under concurrency."""

from typing import Any

import environ


def from_url(url: str, *, pooled: bool = False) -> dict[str, Any]:
    """Return the settings of one database.

    ``pooled`` is for the web process on PostgreSQL: a worker closes its connection after each task anyway, and behind
    PgBouncer there is a pool already.
    """
    database: dict[str, Any] = environ.Env.db_url_config(url)
    options = database.setdefault("OPTIONS", {})
    if "sqlite" in database["ENGINE"]:
        # IMMEDIATE takes the one write lock when a transaction begins and waits for it in line; a deferred transaction
        # would find out in its middle that somebody else wrote, and fail. WAL lets readers go on meanwhile.
        options |= {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL"}
        return database
    # A connection that was idle is looked at before it is used: after the server's restart it is none any more.
    database["CONN_HEALTH_CHECKS"] = True
    if pooled:
        options["pool"] = {"min_size": 1, "max_size": 10, "timeout": 10}
    else:
        database["CONN_MAX_AGE"] = 60
    return database
