"""Doors of the test host: one for each way in which a request can end."""

import time
from typing import ClassVar

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import transaction
from django.http import Http404, HttpResponse
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from holdfast import tracing
from holdfast.api.etags import etag_of, require_match
from holdfast.api.fields import MoneyField
from holdfast.api.pagination import keyset_page
from holdfast.api.schema import document
from holdfast.api.serializers import StrictSerializer
from holdfast.api.streams import EventStream, EventStreamRenderer, TooManyStreams, event_stream
from holdfast.api.views import DomainAPIView
from holdfast.errors import Conflict, Unavailable
from holdfast.idempotency import IdempotencyKeyMixin, IdempotencyMixin
from tests.foundation.host.models import Note


class DoorJammed(Conflict):
    """The door is jammed."""

    code = "host.door_jammed"


class LineInput(StrictSerializer):
    text = serializers.CharField(max_length=40)
    price = MoneyField(required=False)


class NoteInput(StrictSerializer):
    text = serializers.CharField(max_length=200)
    price = MoneyField(required=False)
    lines = LineInput(many=True, required=False)
    refuse = serializers.BooleanField(default=False)

    def validate(self, values):
        if values["text"] == "contradiction":
            raise serializers.ValidationError("This contradicts itself.", code="contradiction")
        return values


class NoteOutput(serializers.ModelSerializer):
    class Meta:
        model = Note
        fields = ["id", "text", "rank", "written_on", "written_at", "uid", "weight"]


class NotesView(IdempotencyMixin, DomainAPIView):
    """Write a note, list the notes."""

    ordering = ["-id"]

    @document(response=NoteOutput, page=True)
    def get(self, request):
        """List the notes."""
        return keyset_page(
            request, Note.objects.all(), ordering=self.ordering, serializer=NoteOutput, max_page_size=100
        )

    @document(request=NoteInput, response=NoteOutput, status=201, refusals=[DoorJammed])
    def post(self, request):
        """Write a note."""
        values = self.parse(NoteInput)
        note = Note.objects.create(text=values["text"])
        if values["refuse"]:
            raise DoorJammed(note=values["text"])
        return Response(NoteOutput(note).data, status=201, headers={"Location": f"/api/notes/{note.pk}"})


class SlowNotesView(NotesView):
    """Write a note that takes its time, so that twins meet."""

    @document(request=NoteInput, response=NoteOutput, status=201)
    def post(self, request):
        """Write a note, slowly."""
        response = super().post(request)
        time.sleep(0.2)
        return response


class FickleNotesView(NotesView):
    """Refuses as long as it is in a mood to; lets a test run something between the rollback and the answer."""

    moods: ClassVar[list[str]] = []
    meanwhile = staticmethod(lambda: None)

    @document(request=NoteInput, response=NoteOutput, status=201)
    def post(self, request):
        """Write a note, or not."""
        response = super().post(request)
        if self.moods and self.moods.pop():
            raise DoorJammed
        return response

    def handle_exception(self, exc):
        self.meanwhile()
        return super().handle_exception(exc)


class TwiceCommittingView(IdempotencyMixin, DomainAPIView):
    """A verb that commits an intent, asks somebody, and commits the result."""

    idempotency_lease_seconds = 30
    idempotency_key_required = True
    between = staticmethod(lambda: None)

    @document(request=NoteInput, response=NoteOutput, status=201)
    def post(self, request):
        """Write a note, in two transactions."""
        values = self.parse(NoteInput)
        with transaction.atomic(durable=True):
            note, _ = Note.objects.get_or_create(text=f"{self.idempotency_key}: {values['text']}")
        self.between()
        with transaction.atomic(durable=True):
            Note.objects.filter(pk=note.pk).update(rank=1)
        if values["refuse"]:
            raise DoorJammed
        return Response(NoteOutput(note).data, status=201)


class KeyKeepingView(IdempotencyKeyMixin, DomainAPIView):
    """A door whose verb keeps the key itself, with what it makes."""

    idempotency_key_required = True

    @document(response={"type": "object"})
    def get(self, request):
        """Tell the key, of which this method takes no notice."""
        return Response({"key": self.idempotency_key})

    @document(response={"type": "object"})
    def post(self, request):
        """Tell the key."""
        return Response({"key": self.idempotency_key})


class NoteView(DomainAPIView):
    """One note, which knows its version."""

    @document(response=NoteOutput)
    def get(self, request, note_id):
        """Read a note."""
        note = self._note(note_id)
        return Response(NoteOutput(note).data, headers={"ETag": etag_of(note.rank)})

    @document(request=NoteInput, response=NoteOutput, if_match=True)
    def put(self, request, note_id):
        """Write a note anew, over the version that was read."""
        values = self.parse(NoteInput)
        with transaction.atomic():
            note = self._note(note_id)
            require_match(request, note.rank)
            note.text, note.rank = values["text"], note.rank + 1
            note.save()
        return Response(NoteOutput(note).data, headers={"ETag": etag_of(note.rank)})

    @document(status=204)
    def delete(self, request, note_id):
        """Forget a note."""
        require_match(request, self._note(note_id).rank, required=False)
        Note.objects.filter(pk=note_id).delete()
        return Response(status=204)

    def _note(self, note_id):
        try:
            return Note.objects.get(pk=note_id)
        except Note.DoesNotExist:
            raise Http404 from None


class Full(BaseThrottle):
    def allow_request(self, request, view):
        return False

    def wait(self):
        return 41.2


class Busy(Unavailable):
    """Everybody is busy."""

    code = "host.busy"
    retry_after_seconds = 7


class Teapot(APIException):
    """A host's own kind of exception."""

    status_code = 418
    default_detail = "I am a teapot."
    default_code = "teapot"


ENDINGS = {
    "bug": ZeroDivisionError("the password is hunter2"),
    "refused": DoorJammed("It was hit too hard.", hits=3, by={"anna"}),
    "busy": Busy(),
    "http404": Http404("SELECT * FROM secrets"),
    "forbidden": PermissionDenied(),
    "model": ModelValidationError({"text": [ModelValidationError("Too dull.", code="dull")]}),
    "teapot": Teapot(),
}


class EndingView(DomainAPIView):
    """Ends as the path says."""

    permission_classes = [AllowAny]

    @document()
    def get(self, request, ending):
        """End badly."""
        raise ENDINGS[ending]


class ThrottledView(DomainAPIView):
    """Has no time."""

    permission_classes = [AllowAny]
    throttle_classes = [Full]

    @document()
    def get(self, request):
        """Wait."""


class QueryView(DomainAPIView):
    """Reads its query strictly; asks the database for whatever text it is given."""

    @document(query=NoteInput, response=NoteOutput, page=True)
    def get(self, request):
        """Search the notes."""
        values = self.parse(NoteInput, request.query_params)
        return keyset_page(request, Note.objects.filter(text=values["text"]), ordering=["id"], serializer=NoteOutput)


class RawQueryView(DomainAPIView):
    """Hands the query to the database as it is."""

    @document(response={"type": "object"})
    def get(self, request):
        """Count."""
        return Response({"found": Note.objects.filter(text=request.query_params["text"]).count()})


class TraceView(DomainAPIView):
    """Says what is bound while it runs."""

    @document(response={"type": "object"})
    def get(self, request):
        """Tell."""
        return Response(tracing.current())


class HostsOwnView(APIView):
    """A view of the host, which must stay as it was."""

    permission_classes = [AllowAny]
    schema = None

    def get(self, request):
        raise Http404


def crash(request):
    raise ZeroDivisionError("the password is hunter2")


def forbid(request):
    raise PermissionDenied


def page(request):
    return HttpResponse("a page")


class StreamView(DomainAPIView):
    """What happens, as it happens."""

    renderer_classes = [EventStreamRenderer, *DomainAPIView.renderer_classes]

    @document(response={"type": "string"}, status=(200, "text/event-stream"), refusals=[TooManyStreams])
    def get(self, request) -> EventStream:
        """Look on."""
        return event_stream(request, "outbox_tests.*")
