"""The first page of the back office: whose money it is, what is told, what visitors look at."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from holdfast.money import Money
from holdfast.outbox import metrics
from holdfast_catalog_notify import selectors as catalog
from holdfast_catalog_notify.selectors import reports
from holdfast_catalog_notify.states import DeliveryState, RankingOf
from holdfast_wallet import selectors
from holdfast_wallet.states import SystemRole
from storefront.viewed import last_days

VIEWED_DAYS = 30
COUNTED_AT_MOST = 1000


@dataclass(frozen=True)
class Position:
    """One currency: what the customers have, what came and went, and what the house has of its own."""

    currency: str
    customers: Money
    came_in: Money
    went_out: Money
    fees: Money
    exchange: Money


def environment(_request: HttpRequest) -> list[str]:
    """Return the label of the place where this runs, so that nobody mistakes production for anything else."""
    return [settings.ENVIRONMENT.capitalize(), "danger" if settings.ENVIRONMENT == "production" else "info"]


def context(request: HttpRequest, values: dict[str, Any]) -> dict[str, Any]:
    """Add the figures of the dashboard to the template's values, as far as somebody may see them."""
    if request.user.has_perm("holdfast_wallet.view_account"):
        values |= {"positions": positions(), "outbox": metrics.snapshot(), "seal": selectors.last_seal()}
    if request.user.has_perm("holdfast_catalog_notify.view_dailyviews"):
        values |= {"viewed": last_days(), "most_viewed": most_viewed()}
    if request.user.has_perm("holdfast_catalog_notify.view_delivery"):
        values |= {"deliveries": deliveries()}
    return values


def most_viewed() -> list[reports.RankingRow]:
    """Return the products that visitors looked at most in the last days."""
    end = reports.report_today()
    start = end - dt.timedelta(days=VIEWED_DAYS - 1)
    return reports.ranking(of=RankingOf.PRODUCT, start=start, end=end, limit=5).rows


def deliveries() -> list[tuple[str, str, int]]:
    """Return how many notifications are in each state but the last that they reach; a few thousand are simply many."""
    return [
        (state.value, str(state.label).capitalize(), catalog.deliveries(state=state)[:COUNTED_AT_MOST].count())
        for state in (DeliveryState.PENDING, DeliveryState.FAILED, DeliveryState.DEAD)
    ]


def positions() -> list[Position]:
    """Return the position in each currency, out of the house's few accounts.

    A ledger adds up to zero: what the customers have is what the house owes, and no customer's account has to be read.
    """
    balances: dict[str, dict[str, Money]] = defaultdict(dict)
    for account in selectors.accounts_of(owner_id=None):
        balances[account.currency][account.role] = account.balance
    return [_position(currency, roles) for currency, roles in sorted(balances.items())]


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
