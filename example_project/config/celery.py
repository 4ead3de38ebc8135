"""The Celery app: ``celery -A config worker`` and ``celery -A config beat``."""

import os
from contextlib import ExitStack
from typing import Any

from celery import Celery, signals
from django_structlog.celery.steps import DjangoStructLogInitStep

from holdfast import tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("holdfast")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_djangos_logging(**_kwargs: Any) -> None:
    """Leave logging as Django's settings configured it: with a receiver here, Celery does not install its own."""


_scopes: dict[str, ExitStack] = {}


@signals.before_task_publish.connect
def send_the_trace(headers: dict[str, Any], **_kwargs: Any) -> None:
    """Send along who asked: what a task logs and emits has the id of the request that it comes from."""
    headers["holdfast_trace"] = tracing.current()


@signals.task_prerun.connect
def take_the_trace(task_id: str, task: Any, **_kwargs: Any) -> None:
    """Bind it around the task; one that nobody asked for, as the beat's, goes by its own id."""
    if not task.request.is_eager:
        trace = getattr(task.request, "holdfast_trace", None) or {"request_id": task_id}
        scope = _scopes[task_id] = ExitStack()
        scope.enter_context(tracing.bound(**trace))


@signals.task_postrun.connect
def leave_the_trace(task_id: str, **_kwargs: Any) -> None:
    """Forget it: the next task of this process is another's."""
    if scope := _scopes.pop(task_id, None):
        scope.close()
