"""``/metrics``, for who may read it."""

import hmac
import os

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import CollectorRegistry

from holdfast.health.metrics import COLLECTORS


def metrics(request: HttpRequest) -> HttpResponse:
    """Return the figures in Prometheus' format to who sends ``METRICS_TOKEN``; without one, to all or to nobody."""
    if not _may_read(request):
        raise PermissionDenied
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    if not settings.METRICS_TOKEN:
        return bool(settings.METRICS_OPEN)
    given = request.headers.get("Authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())


def _registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    # Of all processes of this server (gunicorn.conf.py); what is asked of the database is the same in each.
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # has no annotations
    for collector in COLLECTORS:
        registry.register(collector())
    return registry
