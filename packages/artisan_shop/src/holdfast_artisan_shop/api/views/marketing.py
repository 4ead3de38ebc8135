"""Reviews, coupons and payout statements."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.schema import document
from holdfast.idempotency import IdempotencyMixin
from holdfast.money import InvalidAmount
from holdfast_artisan_shop import exceptions as no
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.api.paging import page
from holdfast_artisan_shop.api.serializers import marketing as shapes
from holdfast_artisan_shop.api.views.base import MarketView, UserView, created, no_content
from holdfast_artisan_shop.selectors import keeping


class ReviewsView(IdempotencyMixin, MarketView):
    """What customers say of a product."""

    @document(
        summary="List the reviews of a product",
        response=shapes.ReviewOutput,
        page=True,
        refusals=[no.ProductNotFound],
    )
    def get(self, request: Request, product_id: UUID) -> Response:
        """Return a page of the reviews, the newest first."""
        product = selectors.get_offer(product_id=product_id, actor_id=self.visitor_id)
        return page(request, selectors.reviews_of(product_id=product.pk), shapes.ReviewOutput)

    @document(
        summary="Review a product",
        request=shapes.ReviewInput,
        response=shapes.ReviewOutput,
        status=201,
        refusals=[no.ProductNotFound, no.RatingInvalid, no.TextInvalid, no.NotBought, no.ReviewExists],
    )
    def post(self, request: Request, product_id: UUID) -> Response:
        """Say what a product is like that I have received, once."""
        values = self.parse(shapes.ReviewInput)
        review = services.write_review(product_id=product_id, customer_id=self.user_id, **values)
        return created(shapes.ReviewOutput(review).data)


class CouponsView(IdempotencyMixin, UserView):
    """The coupons of a shop."""

    @document(summary="List the coupons of a shop", response=shapes.CouponOutput, page=True, refusals=[no.ShopNotFound])
    def get(self, request: Request, shop_id: UUID) -> Response:
        """Return a page of the coupons of a shop of mine, the newest first."""
        return page(request, keeping.coupons_of(shop_id=shop_id, actor_id=self.user_id), shapes.CouponOutput)

    @document(
        summary="Create a coupon",
        request=shapes.CouponInput,
        response=shapes.CouponOutput,
        status=201,
        refusals=[
            no.ShopNotFound,
            no.TextInvalid,
            no.CodeTaken,
            no.DiscountInvalid,
            no.PeriodInvalid,
            no.QuantityInvalid,
            InvalidAmount,
        ],
    )
    def post(self, request: Request, shop_id: UUID) -> Response:
        """Give a code that takes something off an order in a shop of mine."""
        coupon = services.create_coupon(shop_id=shop_id, actor_id=self.user_id, **self.parse(shapes.CouponInput))
        return created(shapes.CouponOutput(coupon).data)


class CouponView(UserView):
    """One coupon."""

    @document(summary="End a coupon", status=204, refusals=[no.CouponNotFound])
    def delete(self, request: Request, coupon_id: UUID) -> Response:
        """Take a coupon back; orders that used it keep what it took off."""
        services.end_coupon(coupon_id=coupon_id, actor_id=self.user_id)
        return no_content()


class PayoutView(UserView):
    """What a shop has earned."""

    @document(
        summary="Read a payout statement",
        query=shapes.PayoutFilter,
        response=shapes.PayoutOutput,
        refusals=[no.ShopNotFound, no.PeriodInvalid],
    )
    def get(self, request: Request, shop_id: UUID) -> Response:
        """Return the amounts of a shop of mine over a period; moving the money is the payment gateway's."""
        wanted = self.parse(shapes.PayoutFilter, request.query_params)
        statement = selectors.payout(shop_id=shop_id, actor_id=self.user_id, **wanted)
        return Response(shapes.PayoutOutput(statement).data)
