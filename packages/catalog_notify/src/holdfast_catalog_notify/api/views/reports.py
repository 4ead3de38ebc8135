"""Reports: what visitors look at, for staff."""

import datetime as dt
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.schema import document
from holdfast.api.views import DomainAPIView
from holdfast_catalog_notify.api import serializers as shapes
from holdfast_catalog_notify.api.files import CSVRenderer
from holdfast_catalog_notify.api.permissions import Permitted
from holdfast_catalog_notify.exceptions import HoursForgotten, PeriodInvalid, PeriodTooLong
from holdfast_catalog_notify.selectors import reports
from holdfast_catalog_notify.states import Interval, RankingOf

# What a report has whose beginning nobody named: one by the month has whole months.
USUAL_DAYS = {Interval.HOUR: 2, Interval.DAY: 30}
USUAL_MONTHS = 12


class ReportView(DomainAPIView):
    """A report."""

    permission_classes = [Permitted]
    needed = {"GET": "holdfast_catalog_notify.view_dailyviews"}

    def series(self, request: Request) -> reports.Series:
        """Return the figures over time that the query asks for."""
        wanted = self.parse(shapes.SeriesInput, request.query_params)
        interval = Interval(wanted.pop("interval"))
        return reports.views_over_time(interval=interval, **_period(wanted, interval))

    def ranking(self, request: Request, of: RankingOf) -> reports.Ranking:
        """Return the ranking that the query asks for."""
        wanted = self.parse(shapes.RankingInput, request.query_params)
        return reports.ranking(of=of, **_period(wanted, Interval.DAY))


class ReportFileView(ReportView):
    """A report as a file."""

    renderer_classes = [CSVRenderer, *DomainAPIView.renderer_classes]

    def file(self, name: str, report: reports.Report, content: str) -> HttpResponse:
        """Return the file, named after its days."""
        name = f"{name}-{report.period.start:%Y%m%d}-{report.period.end:%Y%m%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
        return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


class SeriesView(ReportView):
    """Views over time."""

    @document(
        summary="Read views over time",
        query=shapes.SeriesInput,
        response=shapes.SeriesOutput,
        refusals=[PeriodInvalid, PeriodTooLong, HoursForgotten],
    )
    def get(self, request: Request) -> Response:
        """Return the figures of each hour, day or month, those without a view too, compared with the former period."""
        return Response(shapes.SeriesOutput(self.series(request)).data)


class SeriesFileView(ReportFileView):
    """Views over time, as a file."""

    @document(
        summary="Download views over time as CSV",
        query=shapes.SeriesInput,
        response={"type": "string"},
        status=(200, "text/csv"),
        refusals=[PeriodInvalid, PeriodTooLong, HoursForgotten],
    )
    def get(self, request: Request) -> HttpResponse:
        """Send the figures of each hour, day or month."""
        series = self.series(request)
        return self.file("views", series, reports.series_as_csv(series))


class RankingView(ReportView):
    """The most viewed products, brands or categories; ``urls`` says which."""

    of = RankingOf.PRODUCT

    @document(
        summary="Read a ranking by views",
        query=shapes.RankingInput,
        response=shapes.RankingOutput,
        refusals=[PeriodInvalid, PeriodTooLong],
    )
    def get(self, request: Request) -> Response:
        """Return the most viewed, each compared with the former period."""
        return Response(shapes.RankingOutput(self.ranking(request, self.of)).data)


class RankingFileView(ReportFileView):
    """The most viewed products, brands or categories, as a file."""

    of = RankingOf.PRODUCT

    @document(
        summary="Download a ranking by views as CSV",
        query=shapes.RankingInput,
        response={"type": "string"},
        status=(200, "text/csv"),
        refusals=[PeriodInvalid, PeriodTooLong],
    )
    def get(self, request: Request) -> HttpResponse:
        """Send the most viewed."""
        ranking = self.ranking(request, self.of)
        return self.file(f"views-by-{self.of.value}", ranking, reports.ranking_as_csv(ranking))


def _period(wanted: dict[str, Any], interval: Interval) -> dict[str, Any]:
    """Return what is wanted, with the usual days where none are named."""
    end: dt.date = wanted.setdefault("end", reports.report_today())
    # No report begins earlier than this; a day as early as there can be would have none before it.
    wanted.setdefault("start", _usual_start(interval, max(end, reports.EARLIEST + dt.timedelta(days=366))))
    return wanted


def _usual_start(interval: Interval, end: dt.date) -> dt.date:
    if interval is Interval.MONTH:
        year, month = divmod(12 * end.year + end.month - USUAL_MONTHS, 12)
        return dt.date(year, month + 1, 1)
    return end - dt.timedelta(days=USUAL_DAYS[interval] - 1)
