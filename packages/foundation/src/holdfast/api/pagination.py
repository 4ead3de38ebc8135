"""Pages by key, not by number: page 10,000 costs what page 1 costs, and rows that arrive shift nothing.

The cursor is the ordering's values of the row at the edge, opaque to the client. It holds nothing that the row did not
show and filters inside the queryset that the view made, so it needs no signature.
"""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.db.models import DecimalField, F, Field, Func, Model, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan
from django.utils.timezone import is_naive
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.utils.urls import remove_query_param, replace_query_param

from holdfast.errors import Invalid
from holdfast.money import Money, MoneyField

PARAMETERS = frozenset({"cursor", "page_size"})


class InvalidCursor(Invalid):
    """This is not a cursor of this list; follow the links of its pages."""

    code = "holdfast.invalid_cursor"
    status = 400


class InvalidPageSize(Invalid):
    """A page cannot have that size."""

    code = "holdfast.invalid_page_size"
    status = 400


def keyset_page(
    request: Request,
    queryset: QuerySet[Any],
    *,
    ordering: Sequence[str] = ("-created_at", "-id"),
    serializer: type[BaseSerializer[Any]],
    page_size: int = 50,
    max_page_size: int = 200,
) -> Response:
    """Return one page of the queryset as ``{"next", "previous", "results"}``, the links absolute.

    ``ordering`` names columns or annotations without NULL, the last of them unique. Raises ``InvalidCursor``,
    ``InvalidPageSize``.
    """
    keys = [_Key.of(queryset, term) for term in ordering]
    size = page_size_of(request, page_size, max_page_size)
    cursor = _Cursor.read(request.query_params.get("cursor"), keys)

    backward = cursor is not None and cursor.backward
    rows = list(_beyond(queryset, keys, cursor)[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if backward:
        rows.reverse()

    def link(row: Model, *, back: bool) -> str:
        return _link(request, _Cursor(backward=back, values=[key.value(row) for key in keys]).text())

    # Where we came from there is always a page; where we are going, only if one more row was found.
    has_next = bool(rows) and (backward or more)
    has_previous = bool(rows) and (more if backward else cursor is not None)
    return Response(
        {
            "next": link(rows[-1], back=False) if has_next else None,
            "previous": link(rows[0], back=True) if has_previous else None,
            "results": serializer(rows, many=True, context={"request": request}).data,
        }
    )


def page_size_of(request: Request, default: int, largest: int) -> int:
    """Return how many results the query asks for. Raises ``InvalidPageSize``."""
    text = request.query_params.get("page_size")
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= largest):
        raise InvalidPageSize(f"page_size is a number from 1 to {largest}.", page_size=text[:20], maximum=largest)
    return int(text)


@dataclass(frozen=True)
class _Key:
    """One term of the ordering."""

    name: str
    attribute: str
    field: "Field[Any, Any]"
    descending: bool

    @classmethod
    def of(cls, queryset: QuerySet[Any], term: str) -> "_Key":
        name = term.removeprefix("-")
        annotation = queryset.query.annotations.get(name)
        if annotation is not None:
            return cls(name, name, annotation.output_field, term.startswith("-"))
        column: Field[Any, Any] = queryset.model._meta.get_field(name)
        return cls(name, column.attname, column, term.startswith("-"))

    @property
    def kind(self) -> "Field[Any, Any]":
        """What the values are: of a price the amount, which is what its column sorts by."""
        if isinstance(self.field, MoneyField):
            return DecimalField(max_digits=self.field.max_digits, decimal_places=self.field.decimal_places)
        return self.field

    def value(self, row: Model) -> Any:
        value = getattr(row, self.attribute)
        if isinstance(value, Money):
            value = value.amount
        if isinstance(value, int):
            return value
        return value.isoformat() if isinstance(value, (dt.date, dt.time)) else str(value)

    def parse(self, value: Any) -> Any:
        parsed = self.kind.to_python(value)
        if isinstance(parsed, str) and b"\0" in parsed.encode():  # nor has any text half of a surrogate pair
            raise ValidationError("No column has a NUL character.")
        if isinstance(parsed, dt.datetime) and django_settings.USE_TZ:
            if is_naive(parsed):
                raise ValidationError("The time has no zone.")
            parsed = parsed.astimezone(dt.UTC)  # OverflowError where the year of its offset is none in UTC
        self.kind.run_validators(parsed)  # above all the range of an integer column
        return parsed


@dataclass(frozen=True)
class _Cursor:
    """A place between two rows, and the direction in which the page lies."""

    backward: bool
    values: list[Any]

    def text(self) -> str:
        packed = json.dumps([int(self.backward), *self.values], separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str | None, keys: Sequence[_Key]) -> "_Cursor | None":
        if text is None:
            return None
        try:
            packed = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
            backward, *values = packed
            if backward not in (0, 1) or any(not isinstance(value, (str, int)) or value is True for value in values):
                raise InvalidCursor
            parsed = [key.parse(value) for key, value in zip(keys, values, strict=True)]
        except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError, ValidationError):
            raise InvalidCursor from None
        if any(value is None for value in parsed):
            raise InvalidCursor
        return cls(bool(backward), parsed)


class _Row(Func):
    """``(a, b)``: compared as a whole, an index on (a, b) answers with one range, in both databases."""

    template = "(%(expressions)s)"
    output_field = Field()  # of no type of its own


def _beyond(queryset: QuerySet[Any], keys: Sequence[_Key], cursor: _Cursor | None) -> QuerySet[Any]:
    backward = cursor is not None and cursor.backward
    # Downward in a key means "smaller": descending going on, ascending going back.
    downward = [key.descending is not backward for key in keys]
    ordered = queryset.order_by(*("-" * down + key.name for key, down in zip(keys, downward, strict=True)))
    if cursor is None:
        return ordered
    if len(set(downward)) == 1:
        columns = _Row(*(F(key.name) for key in keys))
        edge = _Row(*(Value(value, output_field=key.kind) for key, value in zip(keys, cursor.values, strict=True)))
        return ordered.filter(LessThan(columns, edge) if downward[0] else GreaterThan(columns, edge))
    beyond, same = Q(), Q()
    for key, down, value in zip(keys, downward, cursor.values, strict=True):
        beyond |= same & Q((f"{key.name}__{'lt' if down else 'gt'}", value))
        same &= Q((key.name, value))
    # The first column alone bounds the range that an index has to read; OR alone would not.
    first = Q((f"{keys[0].name}__{'lte' if downward[0] else 'gte'}", cursor.values[0]))
    return ordered.filter(first & beyond)


def _link(request: Request, cursor: str) -> str:
    return replace_query_param(remove_query_param(request.build_absolute_uri(), "cursor"), "cursor", cursor)
