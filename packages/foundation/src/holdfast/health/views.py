"""Two pages for load balancers and people: ``ping`` asks the database alone, ``health`` asks everything.

The database of ``ping`` is the one that is written to, whatever replicas there are.
"""

from django.db import router
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from holdfast.health import checks
from holdfast.health.components import check_all
from holdfast.outbox.models import OutboxEvent


@never_cache
@require_safe
def ping(_request: HttpRequest) -> JsonResponse:
    """Answer ``{"pong": true, "db": "ok"}``, or 503 if the database does not answer."""
    try:
        ok = checks.database(router.db_for_write(OutboxEvent)).ok
    except Exception:  # noqa: BLE001 - whatever went wrong, the answer is "down"
        ok = False
    return JsonResponse({"pong": True, "db": "ok" if ok else "down"}, status=200 if ok else 503)


@never_cache
@require_safe
def health(_request: HttpRequest) -> JsonResponse:
    """Answer for each component, with 503 if one of them is down."""
    components = check_all()
    ok = all(component.ok for component in components.values())
    document = {
        "status": "ok" if ok else "down",
        "components": {
            name: {"status": "ok" if component.ok else "down", **component.detail}
            for name, component in components.items()
        },
    }
    return JsonResponse(document, status=200 if ok else 503)
