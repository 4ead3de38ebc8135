"""Preconditions: change only the version that you have seen (RFC 9110, ``ETag`` and ``If-Match``).

::

    def patch(self, request, account_id):
        account = selectors.get_account(...)
        require_match(request, account.version)

A verb that checks the version itself, under its lock and without knowing of requests, gets it from
``expected_version(request)``.
"""

import re

from django.http import HttpRequest
from django.utils.http import parse_etags
from rest_framework.request import Request

from holdfast.errors import Conflict

# What follows a dot says what else was shown, for caches: a verb checks the version alone.
_VERSION = re.compile(r'"([0-9]{1,18})(?:\.[0-9a-f]{1,16})?"')


class PreconditionFailed(Conflict):
    """This has changed since you read it."""

    code = "holdfast.precondition_failed"
    status = 412


class PreconditionRequired(Conflict):
    """Say which version you change, in If-Match."""

    code = "holdfast.precondition_required"
    status = 428


def etag_of(version: object) -> str:
    """Return the strong entity tag of a version, as the ``ETag`` header carries it."""
    return f'"{version}"'


def require_match(request: HttpRequest | Request, version: object, *, required: bool = True) -> None:
    """Let the request pass only if its ``If-Match`` names the version.

    Check under the lock that the change takes; checked before it, two writers pass. Raises ``PreconditionFailed``;
    without the header ``PreconditionRequired``, unless ``required`` is false.
    """
    header = request.headers.get("If-Match", "")
    if not header.strip():
        if required:
            raise PreconditionRequired
        return
    current = etag_of(version)
    # A weak tag never matches here: RFC 9110, section 13.1.1 demands the strong comparison. parse_etags keeps the W/.
    if not {"*", current} & set(parse_etags(header)):
        raise PreconditionFailed(current=current)


def expected_version(request: HttpRequest | Request, *, required: bool = True) -> int | None:
    """Return the number that ``If-Match`` names, or ``None`` if any version will do (``*``).

    One tag, as ``etag_of`` made it: what is anything else can be no version of ours. Raises ``PreconditionFailed``;
    without the header ``PreconditionRequired``, unless ``required`` is false: then any version will do.
    """
    header = request.headers.get("If-Match", "").strip()
    if header == "*" or (not header and not required):
        return None
    if not header:
        raise PreconditionRequired
    tag = _VERSION.fullmatch(header)
    if tag is None:
        raise PreconditionFailed
    return int(tag[1])
