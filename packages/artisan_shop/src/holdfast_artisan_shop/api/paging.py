"""Pages: by key, and of what is near, whose cursor is the rank and the id of the last row."""

import base64
import binascii
import json
import math
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.utils.urls import replace_query_param

from holdfast.api.pagination import InvalidCursor, keyset_page, page_size_of

PAGE_SIZE = 20
MAX_PAGE_SIZE = 200

After = tuple[float, UUID]


def page(
    request: Request,
    rows: QuerySet[Any],
    serializer: type[BaseSerializer[Any]],
    *,
    ordering: Sequence[str] = ("-id",),
) -> Response:
    """Return one page by key; the usual order is the newest first, for an id grows with time."""
    return keyset_page(
        request, rows, ordering=ordering, serializer=serializer, page_size=PAGE_SIZE, max_page_size=MAX_PAGE_SIZE
    )


def near_page(request: Request, read: Callable[..., Sequence[Any]], serializer: type[BaseSerializer[Any]]) -> Response:
    """Return one page of what ``read(limit=, after=)`` finds, in the form in which ``keyset_page`` does.

    There is no way back: ``previous`` is null. Raises ``InvalidCursor``, ``InvalidPageSize``.
    """
    size = page_size_of(request, PAGE_SIZE, MAX_PAGE_SIZE)
    rows = list(read(limit=size + 1, after=_read(request.query_params.get("cursor"))))
    more, rows = len(rows) > size, rows[:size]
    following = replace_query_param(request.build_absolute_uri(), "cursor", _text(rows[-1])) if more else None
    results = serializer(rows, many=True, context={"request": request}).data
    return Response({"next": following, "previous": None, "results": results})


def _text(row: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.rank, row.pk.hex]).encode()).decode().rstrip("=")


def _read(text: str | None) -> After | None:
    if text is None:
        return None
    try:
        rank, row_id = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        after = float(rank), UUID(row_id)
    except (binascii.Error, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidCursor from None
    if not math.isfinite(after[0]):
        raise InvalidCursor
    return after
