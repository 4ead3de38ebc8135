"""Being told: a change set and who hears of it, the deliveries, the inbox, and how one wants to be told."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from holdfast import errors
from holdfast.api.streams import event_stream
from holdfast_catalog_notify import selectors, services
from holdfast_catalog_notify.states import DeliveryState, Mode
from storefront.forms.told import DeliveriesForm, ToldForm, name_of
from storefront.pages import AdminFormPage, AdminPage, leaf
from storefront.viewed import price_chart

PAGE_LINES = 20
SHOWN_CHANGES = 50
SHOWN_DELIVERIES = 200
# The relay and the worker need a moment; who looks that soon after the change is shown that they are at it.
SOON_SECONDS = 60
MAY = "holdfast_catalog_notify."


@dataclass(frozen=True)
class Told:
    """One admin, and how far each of his notifications has come."""

    name: str
    deliveries: list[Any]


class ChangeSetView(AdminPage):
    """What was changed together, which every admin is told; and, for who may see that, who is."""

    template_name = "storefront/catalog/change_set.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather the changes and their deliveries."""
        changes = list(selectors.changes_of(change_set_id=kwargs["change_set_id"]).order_by("pk")[: SHOWN_CHANGES + 1])
        if not changes:
            raise Http404
        change_set = changes[0].change_set
        sent = selectors.deliveries().filter(change_set_id=change_set.pk).select_related("recipient", "change_set")
        deliveries = list(sent.order_by("recipient_id", "pk")[: SHOWN_DELIVERIES + 1])
        told = [Told(str(rows[0].recipient), rows) for rows in _each(deliveries[:SHOWN_DELIVERIES])]
        fresh = (timezone.now() - change_set.at).total_seconds() < SOON_SECONDS
        open_ones = [one for one in deliveries if one.state in _OPEN and not (one.digest and one.lease is None)]
        return super().get_context_data(
            change_set=change_set,
            changes=changes[:SHOWN_CHANGES],
            more=len(changes) > SHOWN_CHANGES,
            told=told,
            more_told=len(deliveries) > SHOWN_DELIVERIES,
            mine=change_set.actor_id == self.owner_id,
            waiting=fresh and not told,
            moving=fresh and (not told or bool(open_ones)),
            mailbox=bool(settings.MAILBOX_DIR),
            **kwargs,
        )


class ChangeSetToldView(ChangeSetView):
    """The part of the page that moves."""

    permission_required = f"{MAY}view_delivery"
    template_name = "storefront/catalog/told.html"


class ChangesView(AdminPage):
    """Everything that was changed, the newest first."""

    template_name = "storefront/catalog/changes.html"
    permission_required = f"{MAY}view_change"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather one page."""
        page = leaf(self.request, selectors.changes_of(), ordering=("-id",), size=PAGE_LINES)
        return super().get_context_data(page=page, **kwargs)


class ProductHistoryView(AdminPage):
    """What became of one product, be it there or not, and of its price."""

    template_name = "storefront/catalog/history.html"
    permission_required = f"{MAY}view_change"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather one page of it."""
        product_id: UUID = kwargs["product_id"]
        page = leaf(self.request, selectors.changes_of(product_id=product_id), ordering=("-id",), size=PAGE_LINES)
        product = selectors.products().filter(pk=product_id).first()
        if product is None and not page.rows:
            raise Http404
        chart = price_chart(product) if product else None
        name = product.name if product else page.rows[0].name
        return super().get_context_data(page=page, product=product, name=name, chart=chart, **kwargs)


class DeliveriesView(AdminPage):
    """The log of what was sent to whom, the newest first."""

    template_name = "storefront/catalog/deliveries.html"
    permission_required = f"{MAY}view_delivery"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather one page."""
        form = DeliveriesForm(self.request.GET)
        found = selectors.deliveries(**form.filters).select_related("recipient", "change_set")
        page = leaf(self.request, found, ordering=("-id",), size=PAGE_LINES)
        channels = selectors.preferences(user_id=self.owner_id)
        return super().get_context_data(
            form=form,
            page=page,
            channels=[(one.channel, name_of(one.channel)) for one in channels],
            here=self.request.GET.urlencode(),
            narrows=any(form.filters.values()),
            may_replay=self.request.user.has_perm(f"{MAY}change_delivery"),
            **kwargs,
        )


class DeliveryLinesView(DeliveriesView):
    """The lines of the log alone."""

    template_name = "storefront/catalog/delivery_lines.html"


class ReplayView(AdminPage):
    """A dead delivery, once more."""

    http_method_names = ["post"]
    permission_required = f"{MAY}change_delivery"

    def post(self, request: HttpRequest, *_args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send it again."""
        try:
            delivery = services.replay_delivery(delivery_id=kwargs["delivery_id"])
        except errors.Conflict as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(reverse("storefront:deliveries"))
        messages.success(request, "It is sent again.")
        return HttpResponseRedirect(reverse("storefront:change-set", args=[delivery.change_set_id]))


class InboxView(AdminPage):
    """What came into my inbox, the newest first."""

    template_name = "storefront/catalog/inbox.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather one page."""
        found = selectors.inbox(user_id=self.owner_id)
        page = leaf(self.request, found, ordering=("-change_set_id", "-id"), size=PAGE_LINES)
        return super().get_context_data(page=page, **kwargs)


class InboxLinesView(InboxView):
    """The lines of the inbox alone."""

    template_name = "storefront/catalog/inbox_lines.html"


class UnreadView(AdminPage):
    """The number at the door of the inbox, for a page that is open."""

    template_name = "storefront/catalog/unread.html"


class ReadNotificationView(AdminPage):
    """One notification of mine: looking at it is reading it."""

    def get(self, request: HttpRequest, *_args: Any, **kwargs: Any) -> HttpResponseBase:
        """Remember that it was read, and show what it is about."""
        notification = services.mark_read(user_id=self.owner_id, notification_id=kwargs["notification_id"])
        return HttpResponseRedirect(reverse("storefront:change-set", args=[notification.change_set_id]))


class ReadAllView(AdminPage):
    """All that I have read."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponseBase:
        """Remember it."""
        services.mark_all_read(user_id=self.owner_id)
        return HttpResponseRedirect(reverse("storefront:inbox"))


class EventsView(AdminPage):
    """What happens to the catalog, as it happens, for a page that is open."""

    def get(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponseBase:
        """Follow it."""
        return event_stream(request, "holdfast_catalog_notify.*")


class ToldView(AdminFormPage):
    """How I am told."""

    template_name = "storefront/catalog/preferences.html"
    form_class = ToldForm
    done = "Saved. It holds from the next change on."

    def get_form_kwargs(self) -> dict[str, Any]:
        """Ask about each channel there is."""
        return super().get_form_kwargs() | {"preferences": selectors.preferences(user_id=self.owner_id)}

    def get_initial(self) -> dict[str, Any]:
        """Show what holds now."""
        chosen: dict[str, Any] = {"muted": selectors.muted_brands(user_id=self.owner_id)}
        for one in selectors.preferences(user_id=self.owner_id):
            chosen |= {f"mode_{one.channel}": one.mode, f"address_{one.channel}": one.address}
        return chosen

    @transaction.atomic
    def run(self, form: Any) -> None:
        """Save all of it or, if one channel refuses, nothing."""
        values = form.cleaned_data
        for name in form.names:
            if {f"mode_{name}", f"address_{name}"} & set(form.changed_data):
                services.choose_channel(
                    user_id=self.owner_id,
                    channel=name,
                    mode=Mode(values[f"mode_{name}"]),
                    address=values.get(f"address_{name}", ""),
                )
        before, after = set(selectors.muted_brands(user_id=self.owner_id)), {brand.pk for brand in values["muted"]}
        for brand_id in after - before:
            services.mute_brand(user_id=self.owner_id, brand_id=brand_id)
        for brand_id in before - after:
            services.unmute_brand(user_id=self.owner_id, brand_id=brand_id)

    def where_to(self, result: Any) -> str:
        """Stay here."""
        return reverse("storefront:told")


def _each(deliveries: Iterable[Any]) -> Iterator[list[Any]]:
    for _recipient_id, rows in groupby(deliveries, key=lambda one: one.recipient_id):
        yield list(rows)


_OPEN = (DeliveryState.PENDING, DeliveryState.FAILED)
