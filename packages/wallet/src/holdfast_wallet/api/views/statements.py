"""Statements of a period: as JSON in pages, as a CSV file, as a page to print."""

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from holdfast.api.pagination import keyset_page
from holdfast.api.schema import document
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast_wallet import selectors
from holdfast_wallet.api import serializers as shapes
from holdfast_wallet.api.views.base import WalletView
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

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: ARG002, FBT001, FBT002 - DRF's
        """Accept every ``Accept``: the path says what is sent, a problem is JSON all the same."""
        return super().perform_content_negotiation(request, force=True)
