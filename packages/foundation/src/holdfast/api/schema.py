"""The OpenAPI document: drf-spectacular learns our problems, pages and idempotency keys once, for every domain.

A view says of each method what goes in and out::

    @document(request=TransferInput, response=TransferOutput, status=201, refusals=[InsufficientFunds, AccountNotFound])
    def post(self, request): ...
"""

# mypy: disallow-untyped-calls=False
# drf-spectacular annotates only some of what a subclass calls.

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer

from holdfast.api.etags import PreconditionFailed, PreconditionRequired
from holdfast.errors import Refusal
from holdfast.idempotency.exceptions import IdempotencyKeyReused, RequestStillRunning

PROBLEM_MEDIA_TYPE = "application/problem+json"

F = TypeVar("F", bound=Callable[..., Any])
Schema = dict[str, Any]


def document(
    *,
    request: type[BaseSerializer[Any]] | None = None,
    response: type[BaseSerializer[Any]] | BaseSerializer[Any] | Mapping[str, Any] | None = None,
    status: int | tuple[int, str] = 200,
    page: bool = False,
    query: type[BaseSerializer[Any]] | None = None,
    if_match: bool | Literal["optional"] = False,
    refusals: Iterable[type[Refusal]] = (),
    **extra: Any,
) -> Callable[[F], F]:
    """Say what a method of a ``DomainAPIView`` reads, answers and refuses; ``extra`` goes to ``extend_schema``.

    ``response`` is a serializer, one of many rows (``many=True``) or a plain JSON schema; without one the answer has no
    body. ``page`` says that ``keyset_page`` makes the answer; ``if_match`` that the header guards the change, where it
    is "optional" for who sends it. The problems that every method can answer need no mention.
    """
    parameters = list(extra.pop("parameters", ()))
    if query is not None:
        parameters.append(query)
    if if_match:
        parameters.append(
            OpenApiParameter(
                "If-Match",
                str,
                OpenApiParameter.HEADER,
                required=if_match is True,
                description="The ETag of the version to change.",
            )
        )
    body: Any = response(many=True) if page and isinstance(response, type) else response
    answer = OpenApiResponse(body, description=extra.pop("response_description", ""))

    def mark(method: F) -> F:
        method.holdfast_refusals = (*refusals, *_of_precondition(if_match=if_match))  # type: ignore[attr-defined]  # ours
        method.holdfast_page = page  # type: ignore[attr-defined]  # our mark
        # What extend_schema builds on: without it, on whatever the host's DEFAULT_SCHEMA_CLASS is.
        method.kwargs = {"schema": DomainAutoSchema}  # type: ignore[attr-defined]  # where drf-spectacular looks
        marked: F = extend_schema(request=request, responses={status: answer}, parameters=parameters or None, **extra)(
            method
        )
        return marked

    return mark


def _of_precondition(*, if_match: bool | Literal["optional"]) -> tuple[type[Refusal], ...]:
    return (PreconditionFailed, PreconditionRequired)[: 2 if if_match is True else 1] if if_match else ()


class KeysetPages:
    """Describes what ``keyset_page`` answers, in the form in which drf-spectacular asks a paginator."""

    def get_schema_operation_parameters(self, _view: object) -> list[Schema]:
        """Return the query parameters of a page."""
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "schema": {"type": "string"},
                "description": "Where the page begins; taken from the links of another page.",
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "schema": {"type": "integer", "minimum": 1},
                "description": "How many results the page has at most.",
            },
        ]

    def get_paginated_response_schema(self, schema: Schema) -> Schema:
        """Return the wrapper around the results."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }


class DomainAutoSchema(AutoSchema):
    """What a ``DomainAPIView`` does beyond what its serializers say: problems, keys, pages."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Schema | None:
        """Return the operation with the problems it can answer and the headers it understands."""
        operation: Schema | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        if self._is_idempotent():
            operation["parameters"] = [*operation.get("parameters", ()), _key_header(required=self._needs_key())]
        for status, description in sorted(self._problems().items()):
            operation["responses"].setdefault(status, self._problem(description))
        operation["responses"]["default"] = self._problem("Any other problem.")
        return operation

    def get_auth(self) -> list[dict[str, Any]]:
        """Add nobody, where the view's permissions let him in: whatever classes they are of, they are asked."""
        ways: list[dict[str, Any]] = super().get_auth()
        return ways if {} in ways or not self._lets_in_nobody() else [*ways, {}]

    def _lets_in_nobody(self) -> bool:
        asked = HttpRequest()
        asked.method = self.method
        request = Request(asked)
        request.user = AnonymousUser()
        return all(permission.has_permission(request, self.view) for permission in self.view.get_permissions())

    def get_tags(self) -> list[str]:
        """Group by domain: the app, not the first step of the path, which is the host's."""
        return [self.view.__module__.partition(".")[0]]

    def get_paginated_name(self, serializer_name: str) -> str:
        """Return the name of the page's component."""
        return f"{serializer_name}Page"

    def _is_list_view(self, serializer: Any = None) -> bool:
        return self._is_page() or super()._is_list_view(serializer)

    def _get_paginator(self) -> Any:
        return KeysetPages() if self._is_page() else super()._get_paginator()

    def _is_page(self) -> bool:
        return bool(getattr(self._handler(), "holdfast_page", False))

    def _handler(self) -> Any:
        return getattr(self.view, self.method.lower(), None)

    def _is_idempotent(self) -> bool:
        return self.method in getattr(self.view, "idempotent_methods", ())

    def _needs_key(self) -> bool:
        return bool(getattr(self.view, "idempotency_key_required", False))

    def _problems(self) -> dict[str, str]:
        refusals: list[type[Refusal]] = list(getattr(self._handler(), "holdfast_refusals", ()))
        if self._is_idempotent():
            refusals += [IdempotencyKeyReused, RequestStillRunning]
        problems = {"400": ["The request cannot be read, or has values that are not allowed."]}
        if self.get_auth():
            problems["401"] = ["Who asks is not known."]
        for refusal in refusals:
            problems.setdefault(str(refusal.status), []).append(f"`{refusal.code}`: {refusal.title()}")
        return {status: "\n\n".join(dict.fromkeys(lines)) for status, lines in problems.items()}

    def _problem(self, description: str) -> Schema:
        component = ResolvedComponent(
            name="Problem", type=ResolvedComponent.SCHEMA, schema=_PROBLEM, object="holdfast.Problem"
        )
        self.registry.register_on_missing(component)
        return {"description": description, "content": {PROBLEM_MEDIA_TYPE: {"schema": component.ref}}}


def _key_header(*, required: bool) -> Schema:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "description": "A name for this request, unique to it: sent again, it has one effect and the same answer.",
    }


_PROBLEM: Schema = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "code", "context", "errors", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string", "description": "The same sentence for each problem of this code."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened this time."},
        "instance": {"type": "string", "format": "uri-reference", "description": "The path of the request."},
        "code": {"type": "string", "description": "Stable; what a program compares."},
        "context": {"type": "object", "additionalProperties": True, "description": "Plain values to act on."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "JSON pointer to the value, as in `#/amount/currency`.",
                    },
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "request_id": {"type": ["string", "null"], "description": "Under which the logs know the request."},
    },
}
