"""Is everything that we need there? Named checks, each with an answer of its own.

::

    register("provider", lambda: Health(ok=True, detail={"latency_ms": 12}))
"""

from holdfast.health.components import Health, check_all, register, registry

__all__ = ["Health", "check_all", "register", "registry"]
