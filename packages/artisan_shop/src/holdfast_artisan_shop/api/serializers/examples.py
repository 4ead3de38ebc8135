"""Bodies that the document shows, and whoever reads it sends."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

SerializerT = TypeVar("SerializerT", bound=type[serializers.Serializer[Any]])

SHOP, PRODUCT, SLOT, CATEGORY = (f"0199d2a4-7a50-7000-8000-00000000000{number}" for number in (1, 2, 3, 4))


def example(body: dict[str, Any]) -> Callable[[SerializerT], SerializerT]:
    """Show a body in the document."""
    return extend_schema_serializer(examples=[OpenApiExample("A request", value=body, request_only=True)])
