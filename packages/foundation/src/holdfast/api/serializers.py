"""The base of every input: what nobody asked for is refused, and nothing is made fit that does not."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses unknown fields: a misspelled optional field is an error, not a default.

    Text is text: Django REST framework would take a number for it, and the OpenAPI document says that it does not.
    """

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated values, or raise with every error at once."""
        errors: dict[str, Any] = {}
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            errors = {
                str(name): [ErrorDetail("Unknown field.", code="unknown_field")] for name in data if name not in known
            }
            errors |= {
                name: [ErrorDetail("Not a valid string.", code="invalid")]
                for name, field in self.fields.items()
                if isinstance(field, serializers.CharField) and isinstance(data.get(name), (int, float))
            }
        try:
            values = super().to_internal_value(data)
        except ValidationError as error:
            raise ValidationError({**_as_dict(error.detail), **errors}) from error
        if errors:
            raise ValidationError(errors)
        return values


def _as_dict(detail: Any) -> dict[str, Any]:
    return dict(detail) if isinstance(detail, Mapping) else {"non_field_errors": detail}
