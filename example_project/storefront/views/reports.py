"""Reports: what visitors look at."""

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from holdfast import errors
from holdfast_catalog_notify.selectors import reports
from holdfast_catalog_notify.states import Interval, RankingOf
from storefront.forms.reports import ReportForm
from storefront.pages import AdminPage
from storefront.viewed import viewed

TOP = 10
# The presets: how finely, and how many days back from today.
PRESETS = [
    ("Two days, by hour", Interval.HOUR, 2),
    ("A week, by hour", Interval.HOUR, 7),
    ("30 days", Interval.DAY, 30),
    ("90 days", Interval.DAY, 90),
    ("A year, by month", Interval.MONTH, 336),
]
USUAL = PRESETS[2]


def preset(interval: Interval, days: int) -> dict[str, str]:
    """Return what the form holds for the last days."""
    end = reports.report_today()
    return {"interval": interval.value, "start": str(end - dt.timedelta(days=days - 1)), "end": str(end)}


class ReportsView(AdminPage):
    """Views over time, and what was viewed most; each compared with the period before."""

    template_name = "storefront/catalog/reports.html"
    permission_required = "holdfast_catalog_notify.view_dailyviews"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the report, or why there is none."""
        form = ReportForm(self.request.GET if "interval" in self.request.GET else preset(*USUAL[1:]))
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form, **kwargs), status=422)
        try:
            found = self._reports(form)
        except errors.Refusal as refusal:
            context = self.get_context_data(form=form, refusal=refusal, **kwargs)
            return self.render_to_response(context, status=refusal.status)
        return self.render_to_response(self.get_context_data(form=form, **found, **kwargs))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Offer the presets."""
        given = {name: self.request.GET.get(name) for name in ("interval", "start", "end")}
        chosen = given if given["interval"] else preset(*USUAL[1:])
        presets = [
            (label, urlencode(values), values == chosen)
            for label, interval, days in PRESETS
            for values in [preset(interval, days)]
        ]
        return super().get_context_data(presets=presets, **kwargs)

    def _reports(self, form: ReportForm) -> dict[str, Any]:
        interval = Interval(form.cleaned_data["interval"])
        series = reports.views_over_time(interval=interval, **form.days, **form.scope)
        days: dict[str, Any] = {"start": series.period.start, "end": series.period.end}
        rankings = {of.value: reports.ranking(of=of, **days, **form.scope, limit=TOP) for of in RankingOf}
        query = urlencode({"interval": interval.value, **days, **{name[:-3]: one for name, one in form.scope.items()}})
        plain = urlencode({**days, **{name[:-3]: one for name, one in form.scope.items()}})
        return {
            "viewed": viewed(series),
            "rankings": rankings,
            "files": {
                "views": f"{reverse('holdfast_catalog_notify:report-views-csv')}?{query}",
                "products": f"{reverse('holdfast_catalog_notify:report-products-csv')}?{plain}",
            },
        }
