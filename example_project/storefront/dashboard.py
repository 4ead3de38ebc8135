"""The first page of the back office: what waits for a person, and how each of the five apps is doing.

Everybody sees what he may see: a section is there for who may look at the list that it is made of.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.utils import timezone

from holdfast.health.figures import counted_by
from holdfast.money import Money, from_minor
from holdfast.outbox import metrics
from holdfast_artisan_shop.states import OrderState
from holdfast_cards.states import LIVE
from holdfast_catalog_notify.selectors import reports
from holdfast_catalog_notify.states import RankingOf
from holdfast_defects.states import DefectState
from holdfast_wallet import selectors
from holdfast_wallet.states import SystemRole
from storefront import queues
from storefront.charts import BarChart, Counted, bar_chart
from storefront.viewed import last_days

DAYS = 30
# Of a figure that a table has to be read for: however many look, it is read once in a minute.
KEPT_SECONDS = 60

T = TypeVar("T")


@dataclass(frozen=True)
class Position:
    """One currency: what the customers have, what came and went, and what the house has of its own."""

    currency: str
    customers: Money
    came_in: Money
    went_out: Money
    fees: Money
    exchange: Money


@dataclass(frozen=True)
class Flow:
    """What came in or went out, day by day, in whole units of a currency."""

    title: str
    currency: str
    chart: BarChart


@dataclass(frozen=True)
class Share:
    """So many of a list are in one state."""

    label: str
    count: int
    percent: float
    address: str


def environment(_request: HttpRequest) -> list[str]:
    """Return the label of the place where this runs, so that nobody mistakes production for anything else."""
    return [settings.ENVIRONMENT.capitalize(), "danger" if settings.ENVIRONMENT == "production" else "info"]


def context(request: HttpRequest, values: dict[str, Any]) -> dict[str, Any]:
    """Add the figures of the dashboard to the template's values, as far as somebody may see them."""
    values |= {
        "to_decide": queues.waiting(request, queues.TO_DECIDE),
        "to_watch": queues.waiting(request, queues.TO_WATCH),
        "days": DAYS,
        "orders": by_day(request, "holdfast_artisan_shop.Order", "placed_at", Q(state=OrderState.COMPLETED)),
        "order_states": by_state(request, "holdfast_artisan_shop.Order"),
        "cards": by_day(request, "holdfast_cards.Card", "created_at", Q(state__in=sorted(LIVE))),
        "card_states": by_state(request, "holdfast_cards.Card"),
        "defects": by_day(
            request, "holdfast_defects.Defect", "timestamp", Q(state__in=[DefectState.RESOLVED, DefectState.CLOSED])
        ),
        "defect_states": by_state(request, "holdfast_defects.Defect"),
        "delivery_states": by_state(request, "holdfast_catalog_notify.Delivery"),
    }
    if request.user.has_perm("holdfast_wallet.view_account"):
        values |= {"positions": positions(), "flows": flows(), "outbox": metrics.snapshot()}
        values |= {"seal": selectors.last_seal(), "verified": selectors.last_verification()}
        values["to_decide"] = [*values["to_decide"], audit_findings()]
    if request.user.has_perm("holdfast_catalog_notify.view_dailyviews"):
        values |= {"viewed": last_days(), "most_viewed": most_viewed()}
    return values


def by_day(request: HttpRequest, model: str, moment: str, part: Q) -> BarChart | None:
    """Return the chart of how many rows of a list the last days brought, and for how many of them ``part`` holds."""
    rows = queues.rows_of(request, model)
    if rows is None:
        return None
    end = timezone.localdate()
    start = end - dt.timedelta(days=DAYS - 1)

    def count() -> dict[dt.date, tuple[int, int]]:
        midnight = timezone.make_aware(dt.datetime.combine(start, dt.time.min))
        days = rows.filter(**{f"{moment}__gte": midnight}).annotate(day=TruncDate(moment)).values("day")
        found = days.annotate(all=Count("pk"), some=Count("pk", filter=part))
        return {day: (everything, some) for day, everything, some in found.values_list("day", "all", "some")}

    counted = remembered(f"{model}.{moment}.{end}", count)
    return bar_chart([_counted(start + dt.timedelta(days=day), counted) for day in range(DAYS)])


def by_state(request: HttpRequest, model: str) -> list[Share]:
    """Return how many of the newest rows of a list are in each state, in the order of their lives."""
    rows = queues.rows_of(request, model)
    if rows is None:
        return []
    states: Any = apps.get_model(model)._meta.get_field("state")
    counts = counted_by("state", [str(state) for state, _label in states.flatchoices], rows)
    total = sum(counts.values())
    return [
        Share(
            label=str(label).capitalize(),
            count=counts[state],
            percent=100 * counts[state] / total,
            address=queues.address_of(model, {"state__exact": state}),
        )
        for state, label in states.flatchoices
        if counts.get(state)
    ]


def flows() -> list[Flow]:
    """Return what came in from outside in the last days and what went out, in the currency in which most moves."""
    found = []
    for title, role in (("Came in from outside", SystemRole.CASH_IN), ("Went out", SystemRole.CASH_OUT)):
        accounts = [one for one in selectors.accounts_of(owner_id=None) if one.role == role and not one.is_split]
        account = max(accounts, key=lambda one: one.version, default=None)
        chart = None if account is None else _moved(account)
        if account is not None and chart is not None:
            found.append(Flow(title, account.currency, chart))
    return found


def _moved(account: Any) -> BarChart | None:
    """Return the chart of an account of the house, out of the lines since a version: a range of an index."""
    start, end = timezone.localdate() - dt.timedelta(days=DAYS - 1), timezone.localdate()

    def count() -> dict[dt.date, int]:
        midnight = timezone.make_aware(dt.datetime.combine(start, dt.time.min))
        lines = selectors.statement(account_id=account.id, owner_id=None, start=midnight, end=timezone.now()).entries()
        moved = lines.order_by().filter(effective_at__gte=midnight).annotate(day=TruncDate("effective_at"))
        sums = moved.values("day").annotate(sum=Sum("amount_minor")).values_list("day", "sum")
        return {day: int(abs(from_minor(minor, account.currency).amount)) for day, minor in sums}

    moved = remembered(f"{account.id}.{end}", count)
    days = [start + dt.timedelta(days=day) for day in range(DAYS)]
    return bar_chart([_named(day, moved.get(day, 0), account.currency) for day in days])


def audit_findings() -> queues.Waiting:
    """Return what the last audit of the ledger found, as a queue: nothing waits more urgently."""
    verified = selectors.last_verification()
    return queues.Waiting(
        "Audit findings",
        "The ledger did not add up. manage.py wallet_verify names the accounts and transfers: freeze those first.",
        queues.address_of("holdfast_wallet.Seal", {}),
        verified.findings if verified else 0,
    )


def most_viewed() -> list[reports.RankingRow]:
    """Return the products that visitors looked at most in the last days."""
    end = reports.report_today()
    start = end - dt.timedelta(days=DAYS - 1)
    return reports.ranking(of=RankingOf.PRODUCT, start=start, end=end, limit=5).rows


def positions() -> list[Position]:
    """Return the position in each currency, out of the house's few accounts.

    A ledger adds up to zero: what the customers have is what the house owes, and no customer's account has to be read.
    """
    balances: dict[str, dict[str, Money]] = defaultdict(dict)
    for account in selectors.accounts_of(owner_id=None):
        balances[account.currency][account.role] = account.balance
    return [_position(currency, roles) for currency, roles in sorted(balances.items())]


def remembered(name: str, make: Callable[[], T]) -> T:
    """Return what ``make`` returned within the last minute."""
    found: T = cache.get_or_set(f"storefront.dashboard.{name}", make, KEPT_SECONDS)  # type: ignore[assignment]  # never None
    return found


def _counted(day: dt.date, counted: dict[dt.date, tuple[int, int]]) -> Counted:
    everything, some = counted.get(day, (0, 0))
    label = f"{day:%-d %b}"
    return Counted(label, everything, some, f"{label}: {everything}, of which {some}")


def _named(day: dt.date, amount: int, currency: str) -> Counted:
    label = f"{day:%-d %b}"
    return Counted(label, amount, 0, f"{label}: {amount:,} {currency}")


def _position(currency: str, roles: dict[str, Money]) -> Position:
    nothing = Money(0, currency)
    return Position(
        currency=currency,
        customers=-sum(roles.values(), nothing),
        came_in=-roles.get(SystemRole.CASH_IN, nothing),
        went_out=roles.get(SystemRole.CASH_OUT, nothing),
        fees=roles.get(SystemRole.FEES, nothing),
        exchange=roles.get(SystemRole.FX, nothing),
    )
