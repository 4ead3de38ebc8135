"""What a shop has earned: month by month, and for any days a statement to print or to take along."""

import csv
import datetime as dt
import io
from calendar import monthrange
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from holdfast import errors
from holdfast.money import from_minor
from holdfast_artisan_shop import selectors
from holdfast_artisan_shop.states import OrderState
from storefront.forms.wallet import PeriodForm
from storefront.views.workshop import ShopPage

STATEMENT_LINES = 1_000
COLUMNS = ("order", "completed", "goods", "delivery", "discount", "paid", "refunded", "fee", "earned", "currency")


class PayoutsView(ShopPage):
    """The months of a year, the latest first, each with what was earned."""

    template_name = "storefront/workshop/payouts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather the months in which there was a shop."""
        today = selectors.day_of(timezone.now(), self.shop.time_zone)
        opened = selectors.day_of(self.shop.created_at, self.shop.time_zone)
        year = self._year(opened.year, today.year)
        months = [
            self._month(first, today)
            for first in (dt.date(year, month, 1) for month in range(12, 0, -1))
            if opened.replace(day=1) <= first <= today
        ]
        zero = from_minor(0, self.shop.currency)
        return super().get_context_data(
            year=year,
            years=range(today.year, opened.year - 1, -1),
            months=months,
            earned=sum((month.payout for month in months), zero),
            today=today,
            **kwargs,
        )

    def _year(self, first: int, last: int) -> int:
        asked = self.request.GET.get("year", "")
        return min(max(int(asked), first), last) if asked.isdecimal() and len(asked) == 4 else last

    def _month(self, first: dt.date, today: dt.date) -> Any:
        end = min(first.replace(day=monthrange(first.year, first.month)[1]), today)
        return selectors.payout(shop_id=self.shop.pk, actor_id=self.owner_id, start=first, end=end)


class PayoutView(ShopPage):
    """The statement of some days: each order that was completed, and what is left of it."""

    template_name = "storefront/workshop/payout.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the statement, or stream it as CSV."""
        form = PeriodForm(request.GET if "start" in request.GET else self._this_month())
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=422)
        days = {name: form.cleaned_data[name] for name in ("start", "end")}
        scope = {"shop_id": self.shop.pk, "actor_id": self.owner_id}
        try:
            statement = selectors.payout(**scope, **days)
        except errors.Invalid as refusal:
            form.add_error("end", str(refusal.message))
            return self.render_to_response(self.get_context_data(form=form), status=422)
        orders = selectors.payout_orders(**scope, **days).order_by("completed_at", "id")
        if kwargs.get("as_csv"):
            return self._csv(orders, days)
        lines = [_line(order) for order in orders[:STATEMENT_LINES]]
        return self.render_to_response(
            self.get_context_data(
                form=form, statement=statement, lines=lines, cut=statement.orders - len(lines), made_at=timezone.now()
            )
        )

    def _this_month(self) -> dict[str, dt.date]:
        today = selectors.day_of(timezone.now(), self.shop.time_zone)
        return {"start": today.replace(day=1), "end": today}

    def _csv(self, orders: Any, days: dict[str, dt.date]) -> HttpResponseBase:
        name = f"payout-{days['start']}-{days['end']}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        rows = _rows(orders, self.shop.time_zone)
        return StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8", headers=headers)


def _line(order: Any) -> Any:
    """Return an order with what its shop keeps of it: of one that was refunded nothing."""
    gone = order.state == OrderState.REFUNDED
    order.refunded = order.total if gone else from_minor(0, order.currency)
    order.kept_fee = from_minor(0, order.currency) if gone else order.fee
    order.earned = order.total - order.refunded - order.kept_fee
    return order


def _rows(orders: Any, time_zone: str) -> Iterator[str]:
    """Yield the lines of the file; nothing in it is anybody's own words, so nothing of it is a formula."""
    line = io.StringIO()
    writer = csv.writer(line)

    def written(row: Any) -> str:
        line.seek(0)
        line.truncate()
        writer.writerow(row)
        return line.getvalue()

    yield written(COLUMNS)
    for order in map(_line, orders.iterator(chunk_size=500)):
        minors = (order.subtotal_minor, order.delivery_minor, -order.discount_minor, order.total_minor)
        amounts = [from_minor(minor, order.currency).amount for minor in minors]
        yield written(
            [
                order.reference,
                selectors.day_of(order.completed_at, time_zone),
                *amounts,
                -order.refunded.amount,
                -order.kept_fee.amount,
                order.earned.amount,
                order.currency,
            ]
        )
