"""Being told: the inbox of who asks, how he wants to be told, and the log of what was sent."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.loader import render_to_string
from rest_framework import status
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.pagination import keyset_page
from holdfast.api.schema import document
from holdfast.api.serializers import StrictSerializer
from holdfast.api.views import DomainAPIView
from holdfast_catalog_notify import selectors, services
from holdfast_catalog_notify.api import serializers as shapes
from holdfast_catalog_notify.api.files import PageRenderer
from holdfast_catalog_notify.api.permissions import IsAdmin, Permitted
from holdfast_catalog_notify.exceptions import (
    AddressNeeded,
    BrandUnknown,
    ChannelUnknown,
    DeliveryNotDead,
    DeliveryNotFound,
    DigestNotOffered,
    NotificationNotFound,
    TooManyMutedBrands,
    UnsubscribeLinkInvalid,
)


class MineView(DomainAPIView):
    """What belongs to the admin who asks."""

    permission_classes = [IsAdmin]


class InboxView(MineView):
    """My inbox."""

    @document(summary="List my notifications", query=shapes.InboxFilter, response=shapes.NotificationOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of my notifications, the newest first."""
        wanted = self.parse(shapes.InboxFilter, request.query_params)
        inbox = selectors.inbox(user_id=request.user.pk, **wanted)
        # By when the change was made: two that are told side by side may arrive in either order.
        return keyset_page(request, inbox, ordering=("-change_set_id", "-id"), serializer=shapes.NotificationOutput)


class UnreadView(MineView):
    """How many I have not read."""

    @document(summary="Count my unread notifications", response=shapes.CountOutput)
    def get(self, request: Request) -> Response:
        """Return the number."""
        count = selectors.inbox(user_id=request.user.pk, unread=True).count()
        return Response(shapes.CountOutput({"count": count}).data)


class ReadView(MineView):
    """One that I have read."""

    @document(
        summary="Mark a notification as read", response=shapes.NotificationOutput, refusals=[NotificationNotFound]
    )
    def post(self, request: Request, notification_id: UUID) -> Response:
        """Mark it; again, it stays as it was."""
        self.parse(StrictSerializer)  # a body with anything in it is a mistake
        notification = services.mark_read(user_id=request.user.pk, notification_id=notification_id)
        return Response(shapes.NotificationOutput(notification).data)


class ReadAllView(MineView):
    """All that I have read."""

    # By its path it would be called like the reading of one.
    @document(
        summary="Mark all my notifications as read",
        response=shapes.CountOutput,
        operation_id="catalog_notifications_read_all",
    )
    def post(self, request: Request) -> Response:
        """Mark them; return how many were new."""
        self.parse(StrictSerializer)  # a body with anything in it is a mistake
        return Response(shapes.CountOutput({"count": services.mark_all_read(user_id=request.user.pk)}).data)


class PreferencesView(MineView):
    """How I am told."""

    @document(
        summary="Read how I am told",
        response={"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}},
    )
    def get(self, request: Request) -> Response:
        """Return how I am told over each channel there is."""
        chosen = selectors.preferences(user_id=request.user.pk)
        return Response(shapes.PreferenceOutput(chosen, many=True).data)


class PreferenceView(MineView):
    """How I am told over one channel."""

    @document(
        summary="Say how I am told over a channel",
        request=shapes.PreferenceInput,
        response=shapes.PreferenceOutput,
        refusals=[ChannelUnknown, AddressNeeded, DigestNotOffered],
    )
    def put(self, request: Request, channel: str) -> Response:
        """Say it: at once, in digests, or not at all; and to which address, where the channel needs one."""
        values = self.parse(shapes.PreferenceInput)
        preference = services.choose_channel(user_id=request.user.pk, channel=channel, **values)
        return Response(shapes.PreferenceOutput(preference).data)


class MutedBrandsView(MineView):
    """The brands that I am not told of."""

    @document(summary="Read which brands I have muted", response=shapes.MutedBrandsOutput)
    def get(self, request: Request) -> Response:
        """Return their ids."""
        return Response({"brands": [str(one) for one in selectors.muted_brands(user_id=request.user.pk)]})


class MutedBrandView(MineView):
    """One brand that I am not told of."""

    @document(summary="Mute a brand", status=204, refusals=[BrandUnknown, TooManyMutedBrands])
    def put(self, request: Request, brand_id: UUID) -> Response:
        """Tell me no more of its products."""
        self.parse(StrictSerializer)  # a body with anything in it is a mistake
        services.mute_brand(user_id=request.user.pk, brand_id=brand_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @document(summary="Unmute a brand", status=204)
    def delete(self, request: Request, brand_id: UUID) -> Response:
        """Tell me of its products again."""
        services.unmute_brand(user_id=request.user.pk, brand_id=brand_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class UnsubscribeView(DomainAPIView):
    """The link in a message: whoever has it may end what it is about, and nothing else."""

    # No session: a mailbox has none, and a session would ask for a CSRF token.
    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    parser_classes = [FormParser, MultiPartParser, *DomainAPIView.parser_classes]
    renderer_classes = [*DomainAPIView.renderer_classes, PageRenderer]

    @document(
        summary="Ask whether to unsubscribe",
        response={"type": "string"},
        status=(200, "text/html"),
        refusals=[UnsubscribeLinkInvalid],
    )
    def get(self, request: Request, token: str) -> HttpResponse:
        """Return a page that asks. Nothing ends by looking: scanners of mail follow every link."""
        _user_id, channel = services.read_unsubscribe_link(token=token)
        return page(channel, done=False)

    @document(
        summary="Unsubscribe with one click",
        request=shapes.UnsubscribeInput,
        response={"type": "string"},
        status=(200, "text/html"),
        refusals=[UnsubscribeLinkInvalid],
    )
    def post(self, request: Request, token: str) -> HttpResponse:
        """End it (RFC 8058)."""
        return page(services.unsubscribe(token=token), done=True)


class DeliveriesView(DomainAPIView):
    """The log of all deliveries."""

    permission_classes = [Permitted]
    needed = {"GET": "holdfast_catalog_notify.view_delivery"}

    @document(summary="List deliveries", query=shapes.DeliveryFilter, response=shapes.DeliveryOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of deliveries, the newest first, each with its tries."""
        wanted = self.parse(shapes.DeliveryFilter, request.query_params)
        return keyset_page(request, selectors.deliveries(**wanted), ordering=("-id",), serializer=shapes.DeliveryOutput)


class ReplayView(DomainAPIView):
    """A dead delivery, once more."""

    permission_classes = [Permitted]
    needed = {"POST": "holdfast_catalog_notify.change_delivery"}

    @document(
        summary="Replay a dead delivery", response=shapes.DeliveryOutput, refusals=[DeliveryNotFound, DeliveryNotDead]
    )
    def post(self, request: Request, delivery_id: UUID) -> Response:
        """Send it again, from the first channel on."""
        self.parse(StrictSerializer)  # a body with anything in it is a mistake
        return Response(shapes.DeliveryOutput(services.replay_delivery(delivery_id=delivery_id)).data)


def page(channel: str, *, done: bool) -> HttpResponse:
    """Return the page of a link, which needs nothing else, neither styles nor scripts."""
    text = render_to_string("holdfast_catalog_notify/unsubscribe.html", {"channel": channel, "done": done})
    headers = {
        "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(text, headers=headers)
