"""The table of the defects.

- ``Defect``: what somebody has seen to be broken, how bad it is, and how far its repair has come.

Only ``services`` write it, because each write is also an event; what it must keep in any case, its constraints say once
more.
"""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length, Trim
from django.db.models.lookups import GreaterThan, LessThanOrEqual
from django.utils import timezone
from django_fsm import FSMField, transition

from holdfast.fsm import StatefulModel
from holdfast.ids import uuid7
from holdfast_defects.states import DefectState, Severity

COMMENT_LENGTH = 10_000
# Times before it cannot be told in every time zone and on every database, and nobody means them.
EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# Clocks differ, by less than this.
CLOCK_TOLERANCE = dt.timedelta(minutes=1)


class Defect(StatefulModel):
    """Something broken that somebody saw at ``timestamp`` and reported.

    ``id`` grows with time (UUIDv7), so that it sorts as ``created_at`` does. ``version`` counts the writes.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # PROTECT: defects that go with their user would go without an event, and the counter would never learn of it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, editable=False
    )
    comment = models.TextField(max_length=COMMENT_LENGTH)
    timestamp = models.DateTimeField(default=timezone.now, help_text="When it was seen.")
    severity = models.CharField(max_length=10, choices=Severity.choices, default=Severity.MEDIUM)
    state = FSMField(choices=DefectState.choices, default=DefectState.REPORTED, protected=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=GreaterThan(Length(Trim("comment")), 0), name="holdfast_defects_defect_comment_not_blank"
            ),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("comment"), COMMENT_LENGTH),
                name="holdfast_defects_defect_comment_not_too_long",
            ),
            # Every write stamps updated_at, so it stands for "now", which no constraint may ask for.
            models.CheckConstraint(
                condition=Q(timestamp__gte=EARLIEST, timestamp__lte=F("updated_at") + CLOCK_TOLERANCE),
                name="holdfast_defects_defect_timestamp_in_range",
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="holdfast_defects_defect_severity_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=DefectState.values), name="holdfast_defects_defect_state_known"
            ),
        ]
        # Each filter, and each order, ends with the id: a page is one range of an index, wherever it lies.
        indexes = [
            models.Index(fields=["user", "id"], name="holdfast_defects_user"),
            models.Index(fields=["state", "id"], name="holdfast_defects_state"),
            models.Index(fields=["severity", "id"], name="holdfast_defects_severity"),
            models.Index(fields=["timestamp", "id"], name="holdfast_defects_seen"),
        ]

    def __str__(self) -> str:
        return self.comment[:60]

    @transition(field=state, source=DefectState.REPORTED, target=DefectState.TRIAGED)
    def triage(self) -> None:
        """Accept it: it is a defect, and will be repaired."""

    @transition(field=state, source=DefectState.TRIAGED, target=DefectState.IN_REPAIR)
    def start_repair(self) -> None:
        """Begin to repair it."""

    @transition(field=state, source=DefectState.IN_REPAIR, target=DefectState.RESOLVED)
    def resolve(self) -> None:
        """Say that it is repaired."""

    @transition(field=state, source=DefectState.RESOLVED, target=DefectState.CLOSED)
    def close(self) -> None:
        """Confirm that it is repaired."""

    @transition(field=state, source=[DefectState.REPORTED, DefectState.TRIAGED], target=DefectState.REJECTED)
    def reject(self) -> None:
        """Say that it is no defect, or will not be repaired."""

    @transition(
        field=state,
        source=[DefectState.RESOLVED, DefectState.CLOSED, DefectState.REJECTED],
        target=DefectState.REPORTED,
    )
    def reopen(self) -> None:
        """Begin again: it is broken after all."""
