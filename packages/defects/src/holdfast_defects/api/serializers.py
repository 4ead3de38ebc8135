"""What goes in and what comes out."""

from typing import Any

from django.contrib.auth import get_user_model
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from holdfast.api.serializers import StrictSerializer
from holdfast_defects.models import COMMENT_LENGTH, Defect
from holdfast_defects.states import DefectState, Severity


@extend_schema_serializer(
    examples=[OpenApiExample("A request", {"comment": "The lift stops between floors.", "severity": "high"})]
)
class DefectInput(StrictSerializer):
    """What somebody says of a defect. Who reports it is who asks, and is no field."""

    comment = serializers.CharField(max_length=COMMENT_LENGTH)
    timestamp = serializers.DateTimeField(required=False, help_text="When it was seen. Left out: now, or as it was.")
    severity = serializers.ChoiceField(Severity.choices, required=False, help_text="Left out: medium, or as it was.")


class DefectChange(DefectInput):
    """What is to be different."""

    comment = serializers.CharField(max_length=COMMENT_LENGTH, required=False)


class DefectOutput(serializers.ModelSerializer[Defect]):
    """A defect. ``version`` is what its ``ETag`` says too."""

    class Meta:
        model = Defect
        fields = (
            "id",
            "user",
            "comment",
            "timestamp",
            "severity",
            "state",
            "version",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class DefectFilter(StrictSerializer):
    """Which defects to list, and in which order."""

    ORDERINGS = {
        # The id of a defect grows with time.
        "-created_at": ("-id",),
        "created_at": ("id",),
        "-timestamp": ("-timestamp", "-id"),
        "timestamp": ("timestamp", "id"),
    }

    user = serializers.CharField(source="user_id", required=False, help_text="The id of who reported it.")
    state = serializers.ChoiceField(DefectState.choices, required=False)
    severity = serializers.ChoiceField(Severity.choices, required=False)
    since = serializers.DateTimeField(required=False, help_text="Seen then or later.")
    until = serializers.DateTimeField(required=False, help_text="Seen before.")
    search = serializers.CharField(required=False, max_length=200, help_text="A part of the comment.")
    ordering = serializers.ChoiceField(list(ORDERINGS), default="-created_at")

    def validate_user(self, value: str) -> Any:
        """Return the id in the type of the host's user model."""
        return get_user_model()._meta.pk.clean(value, None)
