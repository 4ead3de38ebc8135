"""The first page of the back office: whose money it is, what is told, whether the ledger is sealed."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from holdfast.money import Money
from holdfast.outbox import metrics
from holdfast_wallet import selectors
from holdfast_wallet.states import SystemRole


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
    """Add the figures of the dashboard to the template's values, for who may see accounts."""
    if not request.user.has_perm("holdfast_wallet.view_account"):
        return values
    return values | {"positions": positions(), "outbox": metrics.snapshot(), "seal": selectors.last_seal()}


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
