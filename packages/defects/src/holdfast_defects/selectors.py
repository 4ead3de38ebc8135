"""Reads with a name. Everybody may see every defect, so they take no scope."""

import datetime as dt
from uuid import UUID

from django.db.models import QuerySet

from holdfast.health.figures import Figure, counted
from holdfast_defects.exceptions import DefectNotFound
from holdfast_defects.models import Defect
from holdfast_defects.states import DefectState, Severity


def get_defect(*, defect_id: UUID) -> Defect:
    """Return a defect. Raises ``DefectNotFound``."""
    defect = Defect.objects.filter(id=defect_id).first()
    if defect is None:
        raise DefectNotFound(defect_id=str(defect_id))
    return defect


def defects(
    *,
    user_id: object = None,
    state: DefectState | None = None,
    severity: Severity | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    search: str = "",
) -> QuerySet[Defect]:
    """Return the defects, the newest first: all of them, or those that match every filter that is given.

    ``since`` and ``until`` bound when they were seen, ``until`` itself not included.
    """
    filters = {
        "user_id": user_id,
        "state": state,
        "severity": severity,
        "timestamp__gte": since,
        "timestamp__lt": until,
        "comment__icontains": search or None,
    }
    return Defect.objects.filter(**{name: value for name, value in filters.items() if value is not None})


def figures() -> list[Figure]:
    """Return what whoever watches should know: how many defects wait for somebody."""
    return [
        Figure(
            name="defects",
            description="Defects by state.",
            value={state: counted(defects(state=state)) for state in DefectState},
            label="state",
        )
    ]
