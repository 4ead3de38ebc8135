"""The log of what was sent, and what to do with what was not."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from holdfast.errors import Refusal
from holdfast.windows import LookAdmin, Panel, Step, SureForm, WindowAdmin
from holdfast_catalog_notify import services
from holdfast_catalog_notify.models import ChannelPreference, Delivery, Suppression
from holdfast_catalog_notify.states import DeliveryState


def replay(delivery: Delivery, _values: dict[str, Any]) -> str:
    """Send a dead delivery again."""
    services.replay_delivery(delivery_id=delivery.pk)
    return "It will be sent again."


@admin.action(description="Replay selected dead deliveries", permissions=["replay"])
def replay_selected(modeladmin: "DeliveryAdmin", request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
    """Send each of them that is dead again."""
    done = 0
    for delivery in queryset.filter(state=DeliveryState.DEAD):
        try:
            services.replay_delivery(delivery_id=delivery.pk)
        except Refusal:  # somebody else was quicker, which is as good
            continue
        done += 1
    modeladmin.message_user(request, f"{done} will be sent again.")


@admin.register(Delivery)
class DeliveryAdmin(WindowAdmin):
    """The deliveries, with their tries."""

    list_display = ("created_at", "recipient", "channel", "via", "state", "sent_at", "error")
    list_filter = ("state", "channel")
    list_select_related = ("recipient",)
    search_help_text = "The id of a delivery, or a recipient's login."
    actions = (replay_selected,)
    steps = (
        Step(
            name="replay",
            label="Replay",
            question="Send it again, from the channel that the admin chose?",
            permission="holdfast_catalog_notify.change_delivery",
            form=SureForm,
            run=replay,
            offered=lambda delivery: delivery.state == DeliveryState.DEAD,
        ),
    )

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Whether somebody may replay."""
        return request.user.has_perm("holdfast_catalog_notify.change_delivery")

    def matching_login(self, login: str) -> Q:
        """Find a recipient."""
        return Q(**{f"recipient__{get_user_model().USERNAME_FIELD}": login})

    def panels(self, request: HttpRequest, obj: Delivery) -> Iterable[Panel]:
        """Show the tries."""
        rows = [(one.number, one.via, one.at, one.provider_id, one.error) for one in obj.tries.all()]
        return [Panel("Tries", ("Number", "Via", "At", "The receiver's id", "Error"), rows)]


@admin.register(ChannelPreference)
class ChannelPreferenceAdmin(LookAdmin):
    """How each admin wants to be told."""

    list_display = ("user", "channel", "mode", "address")
    list_filter = ("channel", "mode")
    list_select_related = ("user",)


@admin.register(Suppression)
class SuppressionAdmin(LookAdmin):
    """Addresses that nothing is sent to; deleting one lifts it."""

    list_display = ("address", "reason", "at")
    search_fields = ("address",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether somebody may lift one."""
        return request.user.has_perm("holdfast_catalog_notify.delete_suppression")

    def delete_model(self, request: HttpRequest, obj: Suppression) -> None:
        """Lift it."""
        services.lift_suppression(address=obj.address)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> None:
        """Lift each."""
        for suppression in queryset:
            self.delete_model(request, suppression)
