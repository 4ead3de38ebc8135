"""The whole API as its own document tells of it, and people who call it; nothing here knows any operation by name."""

import json
import re
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.renderers import JSONRenderer
from rest_framework_simplejwt.tokens import RefreshToken

from holdfast.ids import uuid7
from people.models import User
from tests.journeys.openapi import JSON, Choose, Operation, Schema, operations

PASSWORD = "correct-horse-battery"
NOBODYS = "00000000-0000-7000-8000-000000000000"


@cache
def document() -> Schema:
    """Return the OpenAPI document as ``/schema/`` sends it."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(JSONRenderer().render(schema))


@cache
def everything() -> list[Operation]:
    """Return all operations."""
    return list(operations(document()))


def make_person(**fields: Any) -> User:
    """Return a new person who may sign in; ``is_staff`` and the like for what she may do."""
    name = f"person-{uuid7()}"
    return User.objects.create_user(name, f"{name}@example.org", PASSWORD, **fields)


def make_operator() -> User:
    """Return a new person of the staff who may do everything."""
    return make_person(is_staff=True, is_superuser=True)


def bearer(person: User) -> dict[str, str]:
    """Return the header with which a person signs in."""
    return {"Authorization": f"Bearer {RefreshToken.for_user(person).access_token}"}


def call(
    operation: Operation,
    *,
    person: User | None = None,
    path: Mapping[str, Any] = {},
    query: Mapping[str, Any] = {},
    body: Any = None,
    headers: Mapping[str, str] = {},
    client: Client | None = None,
) -> Any:
    """Call an operation as its document says: whatever it requires and nobody gave is filled in."""
    given = {**_required_headers(operation), **(bearer(person) if person else {}), **headers}
    required = {name: one for name, one in operation.parameters("query").items() if one.get("required")}
    asked = {name: operation.example_of(name, one["schema"]) for name, one in required.items()} | dict(query)
    address = operation.address(dict.fromkeys(operation.parameters("path"), NOBODYS) | dict(path))
    content = operation.body.get("requestBody", {}).get("content", {})
    media_type = JSON if JSON in content or not content else next(iter(content))
    if body is None and JSON in content:
        body = operation.example()
    data = body if isinstance(body, (str, bytes)) else "" if body is None else json.dumps(body)
    return (client or Client(raise_request_exception=False)).generic(
        operation.method.upper(), address, data, media_type, query_params=asked, headers=given
    )


def _required_headers(operation: Operation) -> dict[str, str]:
    values = {"Idempotency-Key": str(uuid.uuid4()), "If-Match": '"1"'}
    return {name: values[name] for name in operation.parameters("header") if name in values}


def ids_of(operation: Operation) -> list[str]:
    """Return each id that the path has, as the path up to it, whatever the API is mounted at."""
    path = re.sub(r"^/api(/v\d+)?", "", operation.path)
    return [path[: found.end()] for found in re.finditer(r"\{\w+\}", path)]


def choosing(values: Mapping[str, Any]) -> Choose:
    """Return a chooser of ids by the names of their properties."""
    return lambda name, schema: values.get(name) if schema.get("format") == "uuid" else None
