"""Shops: everybody sees the published ones, and artisans keep their own."""

from functools import partial
from uuid import UUID

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.etags import expected_version
from holdfast.api.schema import document
from holdfast.idempotency import IdempotencyMixin
from holdfast.money import UnknownCurrency
from holdfast_artisan_shop import exceptions as no
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.api.paging import near_page, page
from holdfast_artisan_shop.api.serializers import shops as shapes
from holdfast_artisan_shop.api.views.base import (
    MarketView,
    UserView,
    conditional,
    created,
    no_content,
    versioned,
)
from holdfast_artisan_shop.models import Shop
from holdfast_artisan_shop.services.versions import version_of

CHANGING = (
    no.ShopNameTaken,
    no.TextInvalid,
    no.LocationInvalid,
    no.TimeZoneUnknown,
    no.HoursInvalid,
    no.RadiusInvalid,
)
MOVING = (no.ShopNotFound, no.ShopStepNotAllowed)


class ShopsView(IdempotencyMixin, MarketView):
    """All shops, and a new one."""

    @document(summary="List shops", query=shapes.ShopFilter, response=shapes.ShopOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of the published shops, or of those that I act for, the newest first."""
        mine = self.parse(shapes.ShopFilter, request.query_params)["mine"]
        shops = selectors.shops_of(actor_id=self.user_id) if mine else selectors.shops()
        return page(request, shops, shapes.ShopOutput)

    @document(
        summary="Open a shop",
        request=shapes.ShopInput,
        response=shapes.ShopOutput,
        status=201,
        refusals=[no.NotAnArtisan, UnknownCurrency, *CHANGING],
    )
    def post(self, request: Request) -> Response:
        """Open a shop of mine; nobody sees it before it is published."""
        return answer(services.open_shop(owner_id=self.user_id, **self.parse(shapes.ShopInput)), created=True)


class NearShopsView(MarketView):
    """Shops around a point."""

    @document(
        summary="List shops near a point",
        query=shapes.CircleFilter,
        response=shapes.NearShopOutput,
        page=True,
        refusals=[no.LocationInvalid, no.RadiusInvalid],
    )
    def get(self, request: Request) -> Response:
        """Return a page of the published shops within the radius, the nearest first."""
        circle = self.parse(shapes.CircleFilter, request.query_params)
        return near_page(request, partial(selectors.shops_near, **circle), shapes.NearShopOutput)


class ShopView(MarketView):
    """One shop."""

    @document(summary="Read a shop", response=shapes.ShopOutput, refusals=[no.ShopNotFound])
    def get(self, request: Request, shop_id: UUID) -> HttpResponseBase:
        """Return the shop; 304 if it is still the one with the ``ETag`` that is sent along."""
        shop = selectors.get_shop(shop_id=shop_id, actor_id=self.visitor_id)
        return conditional(request, shapes.ShopOutput(shop).data, version=version_of(shop))

    @document(
        summary="Change a shop",
        request=shapes.ShopChange,
        response=shapes.ShopOutput,
        if_match=True,
        refusals=[no.ShopNotFound, no.VersionOutdated, *CHANGING],
    )
    def patch(self, request: Request, shop_id: UUID) -> Response:
        """Change the fields that are given, of the version that was read."""
        return answer(
            services.change_shop(
                shop_id=shop_id,
                actor_id=self.user_id,
                expected_version=expected_version(request),
                **self.parse(shapes.ShopChange),
            )
        )


class PublishShopView(UserView):
    """A shop begins to sell, or does so again."""

    @document(summary="Publish a shop", response=shapes.ShopOutput, refusals=MOVING)
    def post(self, request: Request, shop_id: UUID) -> Response:
        """Show a shop of mine, and sell."""
        self.parse_nothing()
        return answer(services.publish_shop(shop_id=shop_id, actor_id=self.user_id))


class HolidayView(UserView):
    """A shop rests."""

    @document(summary="Send a shop on holiday", response=shapes.ShopOutput, refusals=MOVING)
    def post(self, request: Request, shop_id: UUID) -> Response:
        """Go on showing a shop of mine, and sell nothing until it is published again."""
        self.parse_nothing()
        return answer(services.go_on_holiday(shop_id=shop_id, actor_id=self.user_id))


class CloseShopView(UserView):
    """A shop ends."""

    @document(summary="Close a shop", response=shapes.ShopOutput, refusals=[*MOVING, no.NotTheOwner])
    def post(self, request: Request, shop_id: UUID) -> Response:
        """Show a shop of mine no more; what was ordered is still delivered."""
        self.parse_nothing()
        return answer(services.close_shop(shop_id=shop_id, actor_id=self.user_id))


class MembersView(UserView):
    """Who acts for a shop beside its owner."""

    @document(summary="List the members of a shop", response=shapes.MemberOutput, page=True, refusals=[no.ShopNotFound])
    def get(self, request: Request, shop_id: UUID) -> Response:
        """Return a page of the members, the first first."""
        members = selectors.managed_shop(shop_id=shop_id, actor_id=self.user_id).members.all()
        return page(request, members, shapes.MemberOutput, ordering=("id",))

    @document(
        summary="Invite a member",
        request=shapes.MemberInput,
        response=shapes.MemberOutput,
        status=201,
        refusals=[no.ShopNotFound, no.NotTheOwner, no.UserUnknown],
    )
    def post(self, request: Request, shop_id: UUID) -> Response:
        """Let another user act for my shop; inviting twice is inviting once."""
        member = services.invite_member(shop_id=shop_id, actor_id=self.user_id, **self.parse(shapes.MemberInput))
        return created(shapes.MemberOutput(member).data)


class MemberView(UserView):
    """One who acts for a shop."""

    @document(summary="Remove a member", status=204, refusals=[no.ShopNotFound, no.NotTheOwner, no.MemberNotFound])
    def delete(self, request: Request, shop_id: UUID, member_id: str) -> Response:
        """Let a user act for my shop no more."""
        user_id = self.parse(shapes.MemberInput, {"user": member_id})["user_id"]
        services.remove_member(shop_id=shop_id, actor_id=self.user_id, user_id=user_id)
        return no_content()


def answer(shop: Shop, *, created: bool = False) -> Response:
    """Return a shop with its entity tag."""
    return versioned(shapes.ShopOutput(shop).data, version_of(shop), created=created)
