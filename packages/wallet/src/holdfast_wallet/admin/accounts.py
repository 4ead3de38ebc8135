"""Accounts, with the line of their balance and their history."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from holdfast.money import from_minor
from holdfast_wallet import services
from holdfast_wallet.admin.sparkline import sparkline
from holdfast_wallet.admin.window import (
    Panel,
    ReasonForm,
    Step,
    SureForm,
    WindowAdmin,
    in_words,
    link_to,
    owned_account_link,
    shown,
)
from holdfast_wallet.models import Account, Entry, Transfer
from holdfast_wallet.states import AccountState

POINTS_IN_LIST = 24
POINTS_ON_PAGE = 120
HISTORY_LINES = 50
UNLIMITED = "without limit"


class FreezeForm(ReasonForm):
    """Asks why, and whether money may still come in."""

    block_credits = forms.BooleanField(required=False, label=_("Refuse incoming money too"))


def _freeze(account: Account, values: dict[str, Any]) -> str:
    services.freeze_account(
        account_id=account.pk,
        owner_id=account.owner_id,
        reason=values["reason"],
        block_credits=values.get("block_credits") or None,
    )
    return f"{account} is frozen: {values['reason']}"


def _unfreeze(account: Account, _values: dict[str, Any]) -> str:
    services.unfreeze_account(account_id=account.pk, owner_id=account.owner_id)
    return f"{account} works again."


FREEZE = Step(
    name="freeze",
    label="Freeze",
    question="Nothing is paid out of a frozen account until it is unfrozen.",
    permission="holdfast_wallet.change_account",
    form=FreezeForm,
    run=_freeze,
    offered=lambda account: account.state == AccountState.ACTIVE,
)
UNFREEZE = Step(
    name="unfreeze",
    label="Unfreeze",
    question="The account pays and receives again.",
    permission="holdfast_wallet.change_account",
    form=SureForm,
    run=_unfreeze,
    offered=lambda account: account.state == AccountState.FROZEN,
)


@admin.register(Account)
class AccountAdmin(WindowAdmin):
    """Who has how much, and how it came."""

    steps: ClassVar = (FREEZE, UNFREEZE)
    actions = ("freeze_selected", "unfreeze_selected")
    list_display = ("__str__", "owner", "state", "shown_balance", "shown_held", "shown_available", "line")
    list_filter = ("state", "currency", ("owner", admin.EmptyFieldListFilter), "role")
    list_select_related = ("owner",)
    fields = (
        ("id", "owner", "role"),
        ("name", "currency", "is_default"),
        ("state", "frozen_at", "closed_at"),
        ("shown_balance", "shown_held", "shown_available"),
        ("shown_overdraft_limit", "shown_maximum_balance", "credits_blocked"),
        ("version", "slots", "slot_of", "created_at"),
        "long_line",
    )
    readonly_fields = (
        "shown_balance",
        "shown_held",
        "shown_available",
        "shown_overdraft_limit",
        "shown_maximum_balance",
        "long_line",
    )

    shown_held = shown("held", ordering="held_minor")
    shown_available = shown("available", empty=UNLIMITED)
    shown_overdraft_limit = shown("overdraft_limit", empty=UNLIMITED)
    shown_maximum_balance = shown("maximum_balance", empty=UNLIMITED)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        """Sum the slots of split accounts in the same query."""
        slots = Account.objects.filter(slot_of=OuterRef("pk")).order_by().values("slot_of")
        queryset: QuerySet[Account] = super().get_queryset(request)
        return queryset.select_related("owner").annotate(
            slots_minor=Subquery(slots.annotate(sum=Sum("balance_minor")).values("sum"))
        )

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Fetch the lines of all accounts on the page at once."""
        page = super().get_changelist_instance(request)
        page.result_list = list(page.result_list)  # one page, to hang the points on
        points = recent_balances(page.result_list, POINTS_IN_LIST)
        for account in page.result_list:
            account.points = points[account.pk]
        return page

    def matching_id(self, wanted: UUID) -> Q:
        """Find an account, and the slots of one."""
        return Q(pk=wanted) | Q(slot_of=wanted)

    def matching_accounts(self, accounts: Sequence[UUID]) -> Q:
        """Find the accounts of an owner."""
        return Q(pk__in=accounts)

    def panels(self, request: HttpRequest, obj: Account) -> Iterable[Panel]:
        """Show the newest lines, or those before ``?before=<version>``."""
        lines = obj.entries.select_related("counterparty__owner").order_by("-version")
        before = request.GET.get("before", "")
        if before.isascii() and before.isdigit() and len(before) < 19:
            lines = lines.filter(version__lt=int(before))
        shown = list(lines[:HISTORY_LINES])
        more = f"?before={shown[-1].version}" if shown and shown[-1].version > 1 else ""
        columns = ("No.", "Recorded", "Kind", "Amount", "Balance", "Other account", "Transfer")
        yield Panel("History", columns, [_row(line) for line in shown], more)

    @admin.action(description="Freeze selected accounts", permissions=["step"])
    def freeze_selected(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        """Freeze each; those that cannot be are named."""
        for account in queryset:
            self.attempt(request, FREEZE, account, {"reason": f"Frozen in the admin by {request.user}."})

    @admin.action(description="Unfreeze selected accounts", permissions=["step"])
    def unfreeze_selected(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        """Unfreeze each; those that cannot be are named."""
        for account in queryset:
            self.attempt(request, UNFREEZE, account, {})

    def has_step_permission(self, request: HttpRequest) -> bool:
        """Say who may freeze and unfreeze."""
        return request.user.has_perm(FREEZE.permission)

    @admin.display(description="balance", ordering="balance_minor")
    def shown_balance(self, account: Account) -> str:
        """Return the posted money, that of the slots included."""
        return in_words(from_minor(account.balance_minor + (account.slots_minor or 0), account.currency))  # type: ignore[attr-defined]  # annotated

    @admin.display(description="balance over time")
    def line(self, account: Account) -> SafeString | str:
        """Draw the newest balances."""
        return sparkline(account.points, label="The newest balances")  # type: ignore[attr-defined]  # hung on the page's rows

    @admin.display(description="balance over time")
    def long_line(self, account: Account) -> SafeString | str:
        """Draw more of the newest balances, larger."""
        points = recent_balances([account], POINTS_ON_PAGE)[account.pk]
        return sparkline(points, width=560, height=80, label="The newest balances") or "-"


def recent_balances(accounts: Iterable[Account], points: int) -> dict[UUID, list[int]]:
    """Return the newest balances of several accounts, oldest first, in one query over ranges of versions."""
    wanted = Q()
    for account in accounts:
        # Constants, not a join: both databases push them through the view down to the two unique indexes.
        wanted |= Q(account=account.pk, version__gt=account.version - points)
    found: dict[UUID, list[int]] = defaultdict(list)
    if wanted:
        lines = Entry.objects.filter(wanted).order_by("account", "version")
        for account_id, minor in lines.values_list("account_id", "balance_minor"):
            found[account_id].append(minor)
    return found


def _row(line: Entry) -> tuple[object, ...]:
    return (
        line.version,
        line.recorded_at,
        line.kind,
        in_words(line.amount),
        in_words(line.balance),
        owned_account_link(line.counterparty),
        link_to(Transfer, line.transfer_id),
    )
