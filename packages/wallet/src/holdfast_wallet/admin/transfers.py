"""Transfers, with the legs of their transaction."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID, uuid5

from django import forms
from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from holdfast.money import from_minor, parse_amount
from holdfast_wallet import selectors, services
from holdfast_wallet.admin.window import (
    Panel,
    ReasonForm,
    Step,
    WindowAdmin,
    in_words,
    link_to,
    owned_account_link,
    shown,
)
from holdfast_wallet.exceptions import KeyReused
from holdfast_wallet.models import Hold, Transfer

LEGS = ("Transfer", "Kind", "Account", "No.", "Debit", "Credit", "Balance after")


class ReverseForm(ReasonForm):
    """Asks how much and why."""

    amount = forms.CharField(
        max_length=40, required=False, label=_("Amount"), help_text=_("Empty: all that was not given back yet.")
    )
    field_order = ("amount", "reason")


def _reverse(transfer: Transfer, values: dict[str, Any]) -> str:
    amount = parse_amount(values["amount"].strip(), transfer.currency) if values["amount"].strip() else None
    # The key is what is asked for, not a number of the page: a browser that goes back loads the page anew, and may
    # fill in what was typed before.
    key = uuid5(transfer.pk, f"{'all' if amount is None else amount.amount} {values['reason']}")
    if transfer.reversals.filter(pk=key).exists():
        raise KeyReused("This went back already, for the same reason. If more is to go back, say what differs.")
    reversal = services.reverse(
        key=key,
        transfer_id=transfer.pk,
        owner_id=transfer.target.owner_id,
        amount=amount,
        reason=values["reason"],
    )
    return f"{reversal.amount} went back: {values['reason']}"


REVERSE = Step(
    name="reverse",
    label="Reverse",
    question="A transfer in the other direction gives back all or a part of it. The original stays as it is.",
    permission="holdfast_wallet.add_transfer",
    form=ReverseForm,
    run=_reverse,
    offered=lambda transfer: transfer.reverses_id is None and selectors.reversible(transfer).amount > 0,
)


@admin.register(Transfer)
class TransferAdmin(WindowAdmin):
    """How money moved."""

    steps: ClassVar = (REVERSE,)
    # No date hierarchy: nothing indexes the time of all transfers, and counting them by day would read the whole table.
    list_display = ("number", "recorded_at", "kind", "shown_amount", "from_account", "to_account", "transaction")
    list_filter = ("kind", "currency")
    list_select_related = ("source__owner", "target__owner")
    ordering = ("-number",)
    fields = (
        ("id", "number", "kind"),
        ("from_account", "to_account", "shown_amount"),
        ("transaction", "reversal_of", "captured_hold"),
        ("effective_at", "recorded_at"),
        "metadata",
    )
    readonly_fields = ("from_account", "to_account", "shown_amount", "transaction", "reversal_of", "captured_hold")

    shown_amount = shown("amount", ordering="amount_minor")

    def matching_id(self, wanted: UUID) -> Q:
        """Find a transfer, its transaction, or the transfers of an account."""
        # In the words of the index over journals, which leaves out transfers that are alone.
        return Q(pk=wanted) | Q(journal_id=wanted) & ~Q(journal_id=F("id")) | Q(source=wanted) | Q(target=wanted)

    def matching_accounts(self, accounts: Sequence[UUID]) -> Q:
        """Find the transfers from and to an owner's accounts."""
        return Q(source__in=accounts) | Q(target__in=accounts)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transfer]:
        """Bring both accounts along."""
        queryset: QuerySet[Transfer] = super().get_queryset(request)
        return queryset.select_related("source__owner", "target__owner")

    def panels(self, request: HttpRequest, obj: Transfer) -> Iterable[Panel]:
        """Show both sides of each transfer of the same business event, and what was given back."""
        journal = selectors.journal(journal_id=obj.journal_id).select_related("source__owner", "target__owner")
        legs = [leg for transfer in journal for leg in _legs(transfer)]
        yield Panel("Legs of the transaction", LEGS, legs)
        back = [
            (link_to(Transfer, reversal.pk), reversal.recorded_at, reversal.amount, reversal.metadata.get("reason", ""))
            for reversal in obj.reversals.order_by("number")
        ]
        if back:
            yield Panel("Reversals", ("Transfer", "Recorded", "Amount", "Reason"), back)

    @admin.display(description="from")
    def from_account(self, transfer: Transfer) -> SafeString | str:
        """Return where it came from."""
        return owned_account_link(transfer.source)

    @admin.display(description="to")
    def to_account(self, transfer: Transfer) -> SafeString | str:
        """Return where it went."""
        return owned_account_link(transfer.target)

    @admin.display(description="transaction")
    def transaction(self, transfer: Transfer) -> str:
        """Return the business event that it belongs to."""
        return "-" if transfer.journal_id == transfer.pk else str(transfer.journal_id)

    @admin.display(description="reversal of")
    def reversal_of(self, transfer: Transfer) -> SafeString | str:
        """Return what it gives back."""
        return link_to(Transfer, transfer.reverses_id)

    @admin.display(description="capture of")
    def captured_hold(self, transfer: Transfer) -> SafeString | str:
        """Return the hold that paid for it."""
        return link_to(Hold, transfer.hold_id)


def _legs(transfer: Transfer) -> Iterable[tuple[object, ...]]:
    # Number and balance are the account's own slot's, where an account is split.
    what, amount = (link_to(Transfer, transfer.pk), transfer.kind), in_words(transfer.amount)
    left = in_words(from_minor(transfer.source_balance_minor, transfer.currency))
    right = in_words(from_minor(transfer.target_balance_minor, transfer.currency))
    yield (*what, owned_account_link(transfer.source), transfer.source_version, amount, "", left)
    yield (*what, owned_account_link(transfer.target), transfer.target_version, "", amount, right)
