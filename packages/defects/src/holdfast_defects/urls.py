"""The routes of the defects. A host mounts them where it likes, also twice.

::

    path("api/", include("holdfast_defects.urls")),
    path("api/v1/", include("holdfast_defects.urls", namespace="holdfast_defects_v1")),
"""

from django.urls import URLPattern, path

from holdfast.api.views import DomainAPIView
from holdfast_defects import services
from holdfast_defects.api.views import DefectsView, DefectView, EventsView, StepView

app_name = "holdfast_defects"


def either(route: str, name: str, view: type[DomainAPIView], **options: object) -> list[URLPattern]:
    """Return a route with and without a trailing slash: a redirect to the other would lose the body of a POST."""
    return [
        path(route, view.as_view(**options), name=name),
        path(f"{route}/", view.as_view(**options, schema=None)),  # the same operation, documented once
    ]


def step(name: str, verb: object) -> list[URLPattern]:
    """Return the route of a step of the repair."""
    return either(f"defects/<uuid:defect_id>/{name}", name, StepView, verb=verb)


urlpatterns = [
    *either("defects", "defects", DefectsView),
    *either("defects/events", "events", EventsView),
    *either("defects/<uuid:defect_id>", "defect", DefectView),
    *step("triage", services.triage_defect),
    *step("start-repair", services.start_repair),
    *step("resolve", services.resolve_defect),
    *step("close", services.close_defect),
    *step("reject", services.reject_defect),
    *step("reopen", services.reopen_defect),
]
