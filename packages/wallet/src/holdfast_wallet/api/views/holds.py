"""Holds: money set aside, then paid or given back.

A user ends the holds that he placed himself through this door. Those that the host placed on his account (for an
order, for a withdrawal under way) he can see and not touch: somebody relies on them.
"""

from uuid import UUID

from django.db import router
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.pagination import keyset_page
from holdfast.api.schema import document
from holdfast.idempotency import IdempotencyMixin
from holdfast_wallet import selectors, services
from holdfast_wallet.api import serializers as shapes
from holdfast_wallet.api.views.base import POSTING, PostingView, WalletView
from holdfast_wallet.exceptions import CaptureExceedsHold, HoldInUse, HoldLapsed, HoldNotFound, HoldNotOpen
from holdfast_wallet.models import Hold
from holdfast_wallet.services import OwnerId


class HoldsView(PostingView):
    """The holds on my accounts, and a new one."""

    @document(summary="List holds", query=shapes.HoldFilter, response=shapes.HoldOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of the holds on my accounts, newest first."""
        wanted = self.parse(shapes.HoldFilter, request.query_params)
        owner = wanted.pop("owner", None)
        if self.reads_everybody(owner):
            holds = Hold.objects.all()
        else:
            holds = selectors.holds_of(owner_id=self.reader_id(owner))
        return keyset_page(request, holds.filter(**wanted), serializer=shapes.HoldOutput)

    @document(
        summary="Place a hold",
        request=shapes.PlaceHoldInput,
        response=shapes.HoldOutput,
        status=201,
        refusals=[*POSTING],
    )
    def post(self, request: Request) -> Response:
        """Set money of one of my accounts aside."""
        order = self.parse(shapes.PlaceHoldInput)
        key = self.posting_key("hold")
        hold = services.place_hold(key=key, owner_id=self.owner_id, owner_may_end=True, **order)
        return Response(shapes.HoldOutput(hold).data, status=status.HTTP_201_CREATED)


class HoldView(WalletView):
    """One hold."""

    @document(summary="Read a hold", query=shapes.ReadAs, response=shapes.HoldOutput, refusals=[HoldNotFound])
    def get(self, request: Request, hold_id: UUID) -> Response:
        """Return a hold on one of my accounts."""
        wanted = self.parse(shapes.ReadAs, request.query_params)
        hold = selectors.get_hold(hold_id=hold_id, owner_id=self.reader_id(wanted.get("owner")))
        return Response(shapes.HoldOutput(hold).data)


class CaptureHoldView(PostingView):
    """Set money aside, then pay with it."""

    @document(
        summary="Capture a hold",
        request=shapes.CaptureHoldInput,
        response=shapes.TransferOutput,
        status=201,
        refusals=[HoldNotFound, HoldNotOpen, HoldInUse, HoldLapsed, CaptureExceedsHold, *POSTING],
    )
    def post(self, request: Request, hold_id: UUID) -> Response:
        """Pay all or a part of what one of my holds sets aside, in several captures until the ``final`` one."""
        order = self.parse(shapes.CaptureHoldInput)
        _require_own(hold_id, self.owner_id)
        key = self.posting_key("capture", hold_id)
        transfer = services.capture_hold(key=key, hold_id=hold_id, owner_id=self.owner_id, **order)
        return Response(shapes.TransferOutput(transfer).data, status=status.HTTP_201_CREATED)


class ReleaseHoldView(IdempotencyMixin, WalletView):
    """Have the money back."""

    @document(summary="Release a hold", response=shapes.HoldOutput, refusals=[HoldNotFound, HoldNotOpen, HoldInUse])
    def post(self, request: Request, hold_id: UUID) -> Response:
        """Make what is left of one of my holds available again."""
        self.parse(shapes.Nothing)
        _require_own(hold_id, self.owner_id)
        hold = services.release_hold(hold_id=hold_id, owner_id=self.owner_id)
        return Response(shapes.HoldOutput(hold).data)


def _require_own(hold_id: UUID, owner_id: OwnerId) -> None:
    # Where it was written: it may have been placed a moment ago.
    hold = selectors.get_hold(hold_id=hold_id, owner_id=owner_id, using=router.db_for_write(Hold))
    if not hold.owner_may_end:
        raise PermissionDenied(_("This hold was placed by the house, and is the house's to end."))
