"""Payments: how far money from and to the outside has come."""

from typing import ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from holdfast_wallet.admin.window import WindowAdmin, account_link, link_to, shown
from holdfast_wallet.models import Hold, Payment, Transfer


@admin.register(Payment)
class PaymentAdmin(WindowAdmin):
    """What the payment rail was asked for, and what it said."""

    list_display = ("id", "direction", "state", "shown_amount", "on_account", "reference", "created_at")
    list_filter = ("state", "direction", "currency")
    list_select_related = ("account",)
    fields: ClassVar = (
        ("id", "direction", "state"),
        ("on_account", "shown_amount"),
        ("reference", "reason"),
        ("its_transfer", "its_hold"),
        ("started", "next_poll_at", "created_at", "ended_at"),
        "metadata",
    )
    readonly_fields = ("on_account", "shown_amount", "its_transfer", "its_hold")

    shown_amount = shown("amount", ordering="amount_minor")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        """Bring the account along."""
        queryset: QuerySet[Payment] = super().get_queryset(request)
        return queryset.select_related("account")

    def matching_id(self, wanted: UUID) -> Q:
        """Find a payment, or the payments of an account."""
        return Q(pk=wanted) | Q(account=wanted)

    @admin.display(description="account")
    def on_account(self, payment: Payment) -> SafeString | str:
        """Return whose money it is."""
        return account_link(payment.account)

    @admin.display(description="transfer")
    def its_transfer(self, payment: Payment) -> SafeString | str:
        """Return how it was posted."""
        return link_to(Transfer, payment.transfer_id)

    @admin.display(description="hold")
    def its_hold(self, payment: Payment) -> SafeString | str:
        """Return what is set aside for it."""
        return link_to(Hold, payment.hold_id)
