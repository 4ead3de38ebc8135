"""The foundation's own checks: each database, each cache, the outbox."""

import secrets
import time
from functools import partial

from django.conf import settings as django_settings
from django.core.cache import caches
from django.db import connections, transaction

from holdfast.conf import settings
from holdfast.health.components import Health, register
from holdfast.outbox.metrics import snapshot


def database(alias: str = "default") -> Health:
    """Ask the database for an answer, and do not wait for long."""
    connection = connections[alias]
    started = time.perf_counter()
    try:
        with transaction.atomic(using=alias), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, true)",
                    [f"{int(settings.HEALTH_TIMEOUT_SECONDS * 1000)}ms"],
                )
            cursor.execute("SELECT 1")
            answered = cursor.fetchone() == (1,)
    except Exception:
        if not connection.in_atomic_block:
            connection.close()  # a connection that broke is not tried again by the next request
        raise
    return Health(ok=answered, detail={"vendor": connection.vendor, "latency_ms": _since(started)})


def cache(alias: str = "default") -> Health:
    """Write to the cache and read it back."""
    started = time.perf_counter()
    key, value = f"holdfast.health.{secrets.token_hex(8)}", secrets.token_hex(8)
    caches[alias].set(key, value, timeout=10)
    kept = caches[alias].get(key) == value
    caches[alias].delete(key)
    return Health(ok=kept, detail={"latency_ms": _since(started)})


def outbox() -> Health:
    """Tell whether events reach our own handlers in time."""
    now = snapshot()
    # Without the subscribers: their names are nobody's business on a public page.
    detail = {"lag_seconds": now.lag_seconds, "pending": now.pending, "dead": now.dead, "relays": now.relays}
    return Health(ok=now.ok, detail=detail)


def register_defaults() -> None:
    """Register a check for each database and cache of the host, and one for the outbox."""
    for alias in connections:
        # "default" may be empty, and is none then, where a router names another one for everything.
        if connections[alias].settings_dict["ENGINE"] != "django.db.backends.dummy":
            register(_name("database", alias), partial(database, alias))
    for alias in django_settings.CACHES:
        register(_name("cache", alias), partial(cache, alias))
    register("outbox", outbox)


def _name(kind: str, alias: str) -> str:
    return kind if alias == "default" else f"{kind}:{alias}"


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
