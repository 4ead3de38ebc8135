"""Statements of a period: as JSON in pages, as a CSV file, as a page to print."""

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.pagination import keyset_page
from holdfast.api.schema import document
from holdfast_wallet import selectors
from holdfast_wallet.api import serializers as shapes
from holdfast_wallet.api.views.base import WalletView
from holdfast_wallet.exceptions import AccountIsSplit, AccountNotFound
from holdfast_wallet.selectors import Statement

MAX_PRINTED_LINES = 2_000


class StatementBase(WalletView):
    """Whose statement, of which period."""

    def statement(self, request: Request, account_id: UUID) -> Statement:
        """Return the statement that the query asks for: of this month up to now, when it names no period."""
        wanted = self.parse(shapes.StatementInput, request.query_params)
        now = timezone.now()
        end = wanted.get("end", now)
        start = wanted.get("start") or timezone.localtime(min(end, now)).replace(
            day=1, hour=0, minute=0, second=0, microsecond=0
        )
        if start > end:
            raise ValidationError({"start": [ErrorDetail("The period ends before it begins.", code="invalid")]})
        return selectors.statement(
            account_id=account_id, owner_id=self.reader_id(wanted.get("owner")), start=start, end=end
        )

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002 - DRF's
        """Accept every ``Accept``: the path says what is sent, a problem is JSON all the same."""
        return super().perform_content_negotiation(request, force=True)


class StatementView(StatementBase):
    """A statement as JSON."""

    @document(
        summary="Read a statement",
        query=shapes.StatementPageInput,
        response=shapes.StatementOutput,
        refusals=[AccountNotFound, AccountIsSplit],
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """Return the balances around the period and a page of the lines between them, oldest first."""
        statement = self.statement(request, account_id)
        page = keyset_page(request, statement.entries(), ordering=("version",), serializer=shapes.EntryOutput)
        return Response({**shapes.StatementFrame(statement).data, **page.data})


class StatementFileView(StatementBase):
    """A statement as a file."""

    @document(
        summary="Download a statement as CSV",
        query=shapes.StatementInput,
        response={"type": "string"},
        status=(200, "text/csv"),
        refusals=[AccountNotFound, AccountIsSplit],
    )
    def get(self, request: Request, account_id: UUID) -> StreamingHttpResponse:
        """Send every line of the period, however many there are, without holding them in memory."""
        statement = self.statement(request, account_id)
        name = f"statement-{statement.start:%Y%m%d}-{statement.end:%Y%m%d}-{account_id}.csv"
        return StreamingHttpResponse(
            csv_lines(statement),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"},
        )


class StatementPageView(StatementBase):
    """A statement to print."""

    @document(
        summary="Read a statement as a page to print",
        query=shapes.StatementInput,
        response={"type": "string"},
        status=(200, "text/html"),
        refusals=[AccountNotFound, AccountIsSplit],
    )
    def get(self, request: Request, account_id: UUID) -> HttpResponse:
        """Return a page that needs nothing else, neither styles nor scripts."""
        statement = self.statement(request, account_id)
        context = {
            "account": statement.account,
            "statement": statement,
            "lines": islice(statement.lines(), MAX_PRINTED_LINES),
            "rest": statement.line_count > MAX_PRINTED_LINES,
            "made_at": timezone.now(),
        }
        page = render_to_string("holdfast_wallet/statement.html", context, request=request)
        # Its own styles and nothing else: whatever a name on it says, it runs nothing.
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        return HttpResponse(page, headers={"Content-Security-Policy": policy, "Cache-Control": "private, no-store"})


class _Line:
    """A file that hands each written line straight on."""

    def write(self, line: str) -> str:
        return line


def csv_lines(statement: Statement) -> Iterator[str]:
    """Yield the statement as lines of CSV."""
    writer = csv.writer(_Line())
    return (writer.writerow(row) for row in statement.rows())
