"""Holds, with what happened to them."""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from holdfast.money import from_minor
from holdfast_wallet import services
from holdfast_wallet.admin.window import Panel, Step, SureForm, WindowAdmin, account_link, link_to, shown
from holdfast_wallet.models import Hold, Transfer
from holdfast_wallet.states import HoldState


def _release(hold: Hold, _values: dict[str, Any]) -> str:
    released = services.release_hold(hold_id=hold.pk, owner_id=hold.account.owner_id)
    return f"{released.released} of {hold.account} is available again."


RELEASE = Step(
    name="release",
    label="Release",
    question="What is left of the hold becomes available to the account again. Whoever relied on it is not paid.",
    permission="holdfast_wallet.change_hold",
    form=SureForm,
    run=_release,
    offered=lambda hold: hold.state == HoldState.OPEN,
)


@admin.register(Hold)
class HoldAdmin(WindowAdmin):
    """What is set aside."""

    steps: ClassVar = (RELEASE,)
    actions = ("release_selected",)
    list_display = ("id", "on_account", "state", "shown_amount", "shown_remaining", "expires_at", "created_at")
    list_filter = ("state", "currency")
    list_select_related = ("account",)
    fields = (
        ("id", "on_account", "state"),
        ("shown_amount", "shown_captured", "shown_released", "shown_remaining"),
        ("created_at", "expires_at", "ended_at", "owner_may_end"),
        "metadata",
    )
    readonly_fields = ("on_account", "shown_amount", "shown_captured", "shown_released", "shown_remaining")

    shown_amount = shown("amount", ordering="amount_minor")
    shown_captured = shown("captured")
    shown_released = shown("released")
    shown_remaining = shown("remaining")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        """Bring the account along."""
        queryset: QuerySet[Hold] = super().get_queryset(request)
        return queryset.select_related("account")

    def matching_id(self, wanted: UUID) -> Q:
        """Find a hold, or the holds of an account."""
        return Q(pk=wanted) | Q(account=wanted)

    def panels(self, request: HttpRequest, obj: Hold) -> Iterable[Panel]:
        """Show its events."""
        rows = [
            (
                event.recorded_at,
                event.get_kind_display(),
                from_minor(event.amount_minor, obj.currency),
                link_to(Transfer, event.transfer_id),
            )
            for event in obj.events.order_by("id")
        ]
        yield Panel("Events", ("Recorded", "What", "Amount", "Transfer"), rows)

    @admin.action(description="Release selected holds", permissions=["step"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Hold]) -> None:
        """Release each; those that cannot be are named."""
        for hold in queryset:
            self.attempt(request, RELEASE, hold, {})

    def has_step_permission(self, request: HttpRequest) -> bool:
        """Say who may release."""
        return request.user.has_perm(RELEASE.permission)

    @admin.display(description="account")
    def on_account(self, hold: Hold) -> SafeString | str:
        """Return whose money it is."""
        return account_link(hold.account)
