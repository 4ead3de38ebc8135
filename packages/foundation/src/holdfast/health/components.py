"""The named checks."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_logger = logging.getLogger("holdfast.health")


@dataclass(frozen=True, kw_only=True)
class Health:
    """How one component is: fit for work or not, and what there is to say about it."""

    ok: bool
    detail: Mapping[str, Any] = field(default_factory=dict)


registry: dict[str, Callable[[], Health]] = {}


def register(name: str, check: Callable[[], Health]) -> None:
    """Add a check, or replace the one of this name."""
    registry[name] = check


def check_all() -> dict[str, Health]:
    """Run every check; one that raises is not well, and does not keep the others from answering."""
    return {name: _run(name, check) for name, check in sorted(registry.items())}


def _run(name: str, check: Callable[[], Health]) -> Health:
    try:
        return check()
    except Exception as error:
        _logger.exception("The health check %s failed.", name)
        # The class alone: a message of a driver may name hosts and users, and this page is public.
        return Health(ok=False, detail={"error": type(error).__name__})
