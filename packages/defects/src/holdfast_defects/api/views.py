"""The doors: parse, call one verb, render."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.etags import etag_of, expected_version
from holdfast.api.pagination import keyset_page
from holdfast.api.schema import document
from holdfast.api.serializers import StrictSerializer
from holdfast.api.streams import EventStream, EventStreamRenderer, TooManyStreams, event_stream
from holdfast.api.views import DomainAPIView
from holdfast.idempotency import IdempotencyMixin
from holdfast_defects import selectors, services
from holdfast_defects.api.serializers import DefectChange, DefectFilter, DefectInput, DefectOutput
from holdfast_defects.exceptions import (
    CommentInvalid,
    DefectNotFound,
    NotTheReporter,
    StepNotAllowed,
    TimestampOutOfRange,
    VersionOutdated,
)
from holdfast_defects.models import Defect

PAGE_SIZE = 200


class DefectsView(IdempotencyMixin, DomainAPIView):
    """All defects, and a new one."""

    @document(summary="List defects", query=DefectFilter, response=DefectOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of everybody's defects, the newest first."""
        wanted = self.parse(DefectFilter, request.query_params)
        ordering = DefectFilter.ORDERINGS[wanted.pop("ordering")]
        return keyset_page(
            request,
            selectors.defects(**wanted),
            ordering=ordering,
            serializer=DefectOutput,
            page_size=PAGE_SIZE,
            max_page_size=PAGE_SIZE,
        )

    @document(
        summary="Report a defect",
        request=DefectInput,
        response=DefectOutput,
        status=201,
        refusals=[CommentInvalid, TimestampOutOfRange],
    )
    def post(self, request: Request) -> Response:
        """Report a defect in the name of who asks."""
        defect = services.report_defect(user_id=request.user.pk, **self.parse(DefectInput))
        return answer(defect, status.HTTP_201_CREATED)


class DefectView(DomainAPIView):
    """One defect."""

    @document(summary="Read a defect", response=DefectOutput, refusals=[DefectNotFound])
    def get(self, request: Request, defect_id: UUID) -> Response:
        """Return the defect."""
        return answer(selectors.get_defect(defect_id=defect_id))

    @document(
        summary="Replace what was reported",
        request=DefectInput,
        response=DefectOutput,
        if_match="optional",
        refusals=[DefectNotFound, VersionOutdated, CommentInvalid, TimestampOutOfRange],
    )
    def put(self, request: Request, defect_id: UUID) -> Response:
        """Change the defect; the comment is always given."""
        return self._change(request, defect_id, self.parse(DefectInput))

    @document(
        summary="Change what was reported",
        request=DefectChange,
        response=DefectOutput,
        if_match="optional",
        refusals=[DefectNotFound, VersionOutdated, CommentInvalid, TimestampOutOfRange],
    )
    def patch(self, request: Request, defect_id: UUID) -> Response:
        """Change the fields that are given."""
        return self._change(request, defect_id, self.parse(DefectChange))

    @document(
        summary="Delete a defect",
        status=204,
        if_match="optional",
        refusals=[DefectNotFound, NotTheReporter, VersionOutdated],
    )
    def delete(self, request: Request, defect_id: UUID) -> Response:
        """Delete a defect that who asks has reported."""
        services.delete_defect(
            defect_id=defect_id, user_id=request.user.pk, expected_version=expected_version(request, required=False)
        )
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _change(self, request: Request, defect_id: UUID, values: dict[str, Any]) -> Response:
        version = expected_version(request, required=False)
        return answer(services.change_defect(defect_id=defect_id, expected_version=version, **values))


class StepView(IdempotencyMixin, DomainAPIView):
    """A step of the repair; ``urls`` gives each its verb."""

    verb: Callable[..., Defect] = staticmethod(services.triage_defect)

    @document(
        summary="Move a defect on",
        response=DefectOutput,
        if_match="optional",
        refusals=[DefectNotFound, StepNotAllowed, VersionOutdated],
    )
    def post(self, request: Request, defect_id: UUID) -> Response:
        """Bring the defect into the state that the last part of the path names."""
        self.parse(StrictSerializer)  # a body with anything in it is a mistake
        return answer(self.verb(defect_id=defect_id, expected_version=expected_version(request, required=False)))


class EventsView(DomainAPIView):
    """What happens to the defects, as it happens."""

    renderer_classes = [EventStreamRenderer, *DomainAPIView.renderer_classes]

    @document(
        summary="Follow the defects",
        response={"type": "string"},
        status=(200, "text/event-stream"),
        refusals=[TooManyStreams],
    )
    def get(self, request: Request) -> EventStream:
        """Return a stream of the events of all defects, for a browser's ``EventSource``."""
        return event_stream(request, "holdfast_defects.*")


def answer(defect: Defect, status_code: int = status.HTTP_200_OK) -> Response:
    """Return a defect with its entity tag."""
    return Response(DefectOutput(defect).data, status=status_code, headers={"ETag": etag_of(defect.version)})
