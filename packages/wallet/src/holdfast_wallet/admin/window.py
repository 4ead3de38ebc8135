"""What the wallet's windows have in common: the search by owner, money, and links to accounts."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.html import format_html
from django.utils.safestring import SafeString

from holdfast import windows
from holdfast.windows import Panel, ReasonForm, Step, SureForm, link_to
from holdfast_wallet.models import Account

__all__ = [
    "Panel",
    "ReasonForm",
    "Step",
    "SureForm",
    "WindowAdmin",
    "account_link",
    "in_words",
    "link_to",
    "owned_account_link",
    "shown",
]

ACCOUNTS_SEARCHED = 1_000


class WindowAdmin(windows.WindowAdmin):
    """A window with a search by id or owner."""

    def matching_accounts(self, accounts: Sequence[UUID]) -> Q:
        """Return which rows belong to accounts, in a search by owner."""
        return Q(account__in=accounts)

    def matching_login(self, login: str) -> Q:
        """Return the rows of an owner, by his login exactly: an index look-up in a table of any size."""
        accounts = Account.objects.filter(**{f"owner__{get_user_model().USERNAME_FIELD}": login})
        # Their ids, not a subquery: see selectors.transfers_of.
        return self.matching_accounts(list(accounts.values_list("pk", flat=True)[:ACCOUNTS_SEARCHED]))


def shown(attribute: str, label: str = "", *, ordering: str = "", empty: str = "-") -> Callable[[Any, Any], str]:
    """Return a column for money that is a property of the model; ``empty`` where there is none."""

    @admin.display(description=label or attribute.replace("_", " "), ordering=ordering or None)
    def column(_admin: Any, row: Any) -> str:
        value = getattr(row, attribute)
        return empty if value is None else in_words(value)

    return column


def in_words(money: object) -> SafeString:
    """Return money as text that is not broken in two after its sign."""
    return format_html('<span class="nowrap">{}</span>', money)


def account_link(account: Account | None) -> SafeString | str:
    """Return a link to an account under its name."""
    return "-" if account is None else link_to(Account, account.pk, account)


def owned_account_link(account: Account) -> SafeString | str:
    """Return a link to an account under its owner and its name: many people have one called "Everyday"."""
    return (
        account_link(account) if account.owner is None else link_to(Account, account.pk, f"{account.owner}: {account}")
    )
