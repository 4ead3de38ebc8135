"""Problem documents (RFC 9457): one shape for every "no", from a refusal of a domain to a crash.

``problem_of`` turns an exception into a ``Problem``; ``exception_handler`` is Django REST framework's door to it (a
``DomainAPIView`` names it itself, so a host's own views stay as they are; a host that wants it everywhere sets
``EXCEPTION_HANDLER``); ``handler400``,
``handler403``, ``handler404`` and ``handler500`` are Django's doors, for the host's root URLconf::

    handler404 = "holdfast.api.problems.handler404"
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings as django_settings
from django.core import signals
from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils.encoding import escape_uri_path
from django.utils.log import log_response
from django.views import defaults
from rest_framework import exceptions as drf
from rest_framework.fields import get_error_detail
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from holdfast import tracing
from holdfast.conf import settings
from holdfast.errors import Refusal

MEDIA_TYPE = "application/problem+json"

_BLANK = re.compile(r' "\{\w+\}"')

_logger = logging.getLogger("holdfast.api")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What went wrong, before it is put into words for one request."""

    status: int
    code: str
    title: str
    detail: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[Mapping[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self, request: HttpRequest | Request) -> dict[str, Any]:
        """Return the members of the problem document, in reading order."""
        return {
            "type": settings.PROBLEM_TYPE.format(code=self.code),
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.title,
            "instance": escape_uri_path(request.path),
            "code": self.code,
            "context": _plain(self.context),
            "errors": list(self.errors),
            "request_id": request_id_of(request),
        }


def request_id_of(request: HttpRequest | Request) -> str | None:
    """Return the id under which the request is found in the logs, if anything gave it one."""
    return getattr(request, "request_id", None) or tracing.current().get("request_id")


# Exceptions that say no more than their class, the more special first.
_KNOWN: tuple[tuple[tuple[type[Exception], ...], Problem], ...] = (
    ((Http404,), Problem(status=404, code="holdfast.not_found", title="There is nothing here.")),
    ((PermissionDenied,), Problem(status=403, code="holdfast.permission_denied", title="You may not do this.")),
    (
        (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent),
        Problem(status=413, code="holdfast.too_large", title="The request is too large."),
    ),
    (
        (SuspiciousOperation, UnreadablePostError),
        Problem(status=400, code="holdfast.bad_request", title="The request cannot be read."),
    ),
    # A NUL in text, a number beyond its column: what no field caught, the database does. Nothing was written.
    (
        (DataError,),
        Problem(status=400, code="holdfast.unstorable", title="The request has a value that no column can hold."),
    ),
    # No connection, a deadlock, a lock or a query that took too long: the next try may find it otherwise.
    (
        (OperationalError,),
        Problem(
            status=503,
            code="holdfast.database_unavailable",
            title="The database does not answer at the moment.",
            headers={"Retry-After": "1"},
        ),
    ),
)


def problem_of(error: BaseException) -> Problem | None:
    """Return the problem that an exception stands for, or ``None`` for a bug."""
    match error:
        case Refusal():
            return _of_refusal(error)
        case drf.ValidationError():
            return _invalid(error.detail)
        case ModelValidationError():
            return _invalid(get_error_detail(error))
        case drf.APIException():
            return _of_drf(error)
    return next((problem for classes, problem in _KNOWN if isinstance(error, classes)), None)


SERVER_ERROR = Problem(
    status=500,
    code="holdfast.server_error",
    title="Something broke on our side.",
    detail="It was logged under the request id; trying again may help.",
)


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer any exception of a view with a problem document: the ``EXCEPTION_HANDLER`` for a host's own views."""
    set_rollback()
    return answer(error, context)


def answer(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an exception of a view that owns its transactions, as a ``DomainAPIView`` does.

    A bug is logged and told to whoever listens for ``got_request_exception`` (error trackers, the test client), as
    Django does; under ``DEBUG`` it is left to Django, whose page shows where it happened.
    """
    request: Request = context["request"]
    problem = problem_of(error)
    if problem is None and (django_settings.DEBUG or django_settings.DEBUG_PROPAGATE_EXCEPTIONS):
        return None
    response = respond(problem or SERVER_ERROR, request)
    if problem is None or isinstance(error, OperationalError):
        django_request = request._request  # noqa: SLF001 - the receivers of Django's signal expect Django's request
        signals.got_request_exception.send(sender=None, request=django_request)
        log_response(
            "%s: %s", response.reason_phrase, request.path, response=response, request=django_request, exception=error
        )
    elif isinstance(error, DataError):
        _logger.warning("The database refused a value: %s", error, extra={"request_id": request_id_of(request)})
    return response


def respond(problem: Problem, request: Request) -> Response:
    """Return the problem as a response of Django REST framework."""
    return Response(
        problem.document(request), status=problem.status, headers=dict(problem.headers), content_type=MEDIA_TYPE
    )


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a suspicious request, as the host's ``handler400``."""
    if not _wants_problem(request):
        return defaults.bad_request(request, exception)
    return _json(
        problem_of(exception) or Problem(status=400, code="holdfast.bad_request", title="The request cannot be read."),
        request,
    )


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a forbidden request, as the host's ``handler403``."""
    return (
        _json(problem_of(PermissionDenied()), request)
        if _wants_problem(request)
        else defaults.permission_denied(request, exception)
    )


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that leads nowhere, as the host's ``handler404``."""
    return (
        _json(problem_of(Http404()), request)
        if _wants_problem(request)
        else defaults.page_not_found(request, exception)
    )


def handler500(request: HttpRequest) -> HttpResponse:
    """Answer a crash outside of our views, as the host's ``handler500``."""
    return _json(SERVER_ERROR, request) if _wants_problem(request) else defaults.server_error(request)


def pointer(*path: object) -> str:
    """Return a JSON pointer as a URI fragment: ``#/amount/currency`` (RFC 6901)."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _of_refusal(refusal: Refusal) -> Problem:
    seconds = refusal.retry_after_seconds
    return Problem(
        status=refusal.status,
        code=refusal.code,
        title=refusal.title(),
        detail=refusal.message,
        context=refusal.context,
        headers={} if seconds is None else {"Retry-After": str(seconds)},
    )


def _of_drf(error: drf.APIException) -> Problem:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait))
    leaf = next(_leaves(error.detail))[1]
    return Problem(
        status=error.status_code,
        code=f"holdfast.{leaf.code}" if error.status_code < 500 else SERVER_ERROR.code,
        # The same for each of its kind, so without what DRF fills in: Method "{method}" not allowed.
        title=_BLANK.sub("", str(type(error).default_detail)),
        detail=str(leaf),
        headers=headers,
    )


def _invalid(detail: Any) -> Problem:
    found = tuple(
        {"pointer": pointer(*path), "code": leaf.code or "invalid", "detail": str(leaf)}
        for path, leaf in _leaves(detail)
    )
    return Problem(
        status=400,
        code="holdfast.invalid",
        title="The request has values that are not allowed.",
        detail=found[0]["detail"] if len(found) == 1 else f"{len(found)} values are not allowed.",
        errors=found,
    )


def _leaves(detail: Any, path: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], drf.ErrorDetail]]:
    """Yield each message of nested details with the way to the value it is about."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            whole = name in (api_settings.NON_FIELD_ERRORS_KEY, NON_FIELD_ERRORS)
            yield from _leaves(inner, path if whole else (*path, name))
    elif isinstance(detail, (list, tuple)):
        for place, inner in enumerate(detail):
            # A list of messages is about its own value; a list of dicts is about the items of a list.
            yield from _leaves(inner, (*path, place) if isinstance(inner, Mapping) else path)
    else:
        yield path, detail if isinstance(detail, drf.ErrorDetail) else drf.ErrorDetail(str(detail), code="invalid")


def _plain(value: object) -> Any:
    """Return a refusal's context as JSON holds it: numbers stay, amounts and whatever else become text."""
    if value is None or isinstance(value, (bool, int)) or type(value) is float:
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [_plain(inner) for inner in value]
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _wants_problem(request: HttpRequest) -> bool:
    if request.path.startswith(tuple(settings.API_PATHS)):
        return True
    return request.get_preferred_type(["text/html", "application/json", MEDIA_TYPE]) not in ("text/html", None)


def _json(problem: Problem | None, request: HttpRequest) -> HttpResponse:
    problem = problem or SERVER_ERROR
    return JsonResponse(
        problem.document(request), status=problem.status, headers=dict(problem.headers), content_type=MEDIA_TYPE
    )
