"""``/metrics``, for who may read it."""

import hmac
import os

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import CollectorRegistry

from holdfast.health.metrics import OutboxCollector


def metrics(request: HttpRequest) -> HttpResponse:
    """Return the figures in Prometheus' format; with ``METRICS_TOKEN`` set, only to who sends it as a bearer token."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if settings.METRICS_TOKEN and not hmac.compare_digest(given.encode(), expected.encode()):
        raise PermissionDenied
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    # Of all processes of this server (gunicorn.conf.py); what is asked of the database is the same in each.
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    registry.register(OutboxCollector())
    return registry
