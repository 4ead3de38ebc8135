"""The foundation's own checks: each database, each cache, the outbox."""

import secrets
import time

from django.core.cache import caches
from django.db import connections, transaction

from holdfast.conf import settings
from holdfast.health.registry import Health


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


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
