"""Structured logs: one event, its values, and the ids of the request that it belongs to."""

import logging
import sys
from typing import Any

import structlog

from holdfast import tracing


def add_trace(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the bound headers: the same request id in the web process, in the relay's handlers and in the answer."""
    ids = {name: value for name, value in tracing.current().items() if name in {"request_id", "actor_id"}}
    return {**event, **ids}


def without_traceback(record: logging.LogRecord) -> bool:
    """Say a refusal in one line: Django hands a traceback along with each 403 and 404, and nothing has crashed."""
    if record.levelno < logging.ERROR:
        record.exc_info = None
    return True


PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    add_trace,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

# Without the variables of each frame, which structlog shows unless it is told not to: they hold secrets, and to write
# down a queryset is to ask the database, under the lock of the log, which is when it does not answer.
TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


def configure(*, level: str, as_json: bool) -> dict[str, Any]:
    """Configure structlog and return Django's ``LOGGING``: JSON for machines, colors for a terminal."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *PROCESSORS,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    traceback: list[structlog.typing.Processor] = [TRACEBACKS] if as_json else []
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": PROCESSORS,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *traceback, renderer],
            }
        },
        "filters": {"without_traceback": {"()": lambda: without_traceback}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.request": {"handlers": [], "propagate": True, "filters": ["without_traceback"]},
            "django.server": {"handlers": [], "propagate": True},
            "httpx": {"level": "WARNING"},  # it tells of each request; who made it tells of those that fail
        },
    }
