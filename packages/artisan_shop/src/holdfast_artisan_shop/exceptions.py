"""The refusals of the marketplace: one class for each, whose docstring's first line is the message.

What is of somebody else is not found: outside a verb's scope nothing exists.
"""

from holdfast import errors


class ShopError(errors.Refusal):
    """The marketplace refused the request."""

    code = "holdfast_artisan_shop.refused"


class ShopNotFound(ShopError, errors.NotFound):
    """There is no such shop."""

    code = "holdfast_artisan_shop.shop_not_found"


class CategoryNotFound(ShopError, errors.NotFound):
    """There is no such category."""

    code = "holdfast_artisan_shop.category_not_found"


class ProductNotFound(ShopError, errors.NotFound):
    """There is no such product.

    Context: ``product_ids``, where several were asked for.
    """

    code = "holdfast_artisan_shop.product_not_found"


class VariantNotFound(ShopError, errors.NotFound):
    """There is no such variant."""

    code = "holdfast_artisan_shop.variant_not_found"


class OrderNotFound(ShopError, errors.NotFound):
    """There is no such order."""

    code = "holdfast_artisan_shop.order_not_found"


class PaymentNotFound(ShopError, errors.NotFound):
    """There is no such payment."""

    code = "holdfast_artisan_shop.payment_not_found"


class SlotNotFound(ShopError, errors.NotFound):
    """There is no such slot."""

    code = "holdfast_artisan_shop.slot_not_found"


class SlotPatternNotFound(ShopError, errors.NotFound):
    """There is no such pattern of slots."""

    code = "holdfast_artisan_shop.slot_pattern_not_found"


class DeliveryNotFound(ShopError, errors.NotFound):
    """There is no such delivery."""

    code = "holdfast_artisan_shop.delivery_not_found"


class FlashSaleNotFound(ShopError, errors.NotFound):
    """There is no such flash sale."""

    code = "holdfast_artisan_shop.flash_sale_not_found"


class CouponNotFound(ShopError, errors.NotFound):
    """There is no such coupon."""

    code = "holdfast_artisan_shop.coupon_not_found"


class MemberNotFound(ShopError, errors.NotFound):
    """There is no such member of the shop."""

    code = "holdfast_artisan_shop.member_not_found"


class BackInStockRequestNotFound(ShopError, errors.NotFound):
    """You do not wait for this."""

    code = "holdfast_artisan_shop.back_in_stock_request_not_found"


class ShopNameTaken(ShopError, errors.Conflict):
    """You have a shop of this name already."""

    code = "holdfast_artisan_shop.shop_name_taken"


class ShopNotOpen(ShopError, errors.Conflict):
    """The shop is not open.

    Context: ``shop_id``, ``state``.
    """

    code = "holdfast_artisan_shop.shop_not_open"


class ShopStepNotAllowed(ShopError, errors.Conflict):
    """The shop is not in a state that allows this step.

    Context: ``shop_id``, ``state``, ``step``.
    """

    code = "holdfast_artisan_shop.shop_step_not_allowed"


class VersionOutdated(ShopError, errors.Conflict):
    """This has changed since you read it.

    Context: ``id``, ``version`` (the present one).
    """

    code = "holdfast_artisan_shop.version_outdated"
    status = 412


class SkuTaken(ShopError, errors.Conflict):
    """Another variant of this shop has this SKU."""

    code = "holdfast_artisan_shop.sku_taken"


class NameTaken(ShopError, errors.Conflict):
    """Another one has this name."""

    code = "holdfast_artisan_shop.name_taken"


class CategoryInUse(ShopError, errors.Conflict):
    """Products or categories are in this category: move them first."""

    code = "holdfast_artisan_shop.category_in_use"


class FlashSaleOverlaps(ShopError, errors.Conflict):
    """The product has another flash sale in this time."""

    code = "holdfast_artisan_shop.flash_sale_overlaps"


class CodeTaken(ShopError, errors.Conflict):
    """The shop has another coupon with this code."""

    code = "holdfast_artisan_shop.code_taken"


class NotAnArtisan(ShopError, errors.Denied):
    """Only an artisan may do this."""

    code = "holdfast_artisan_shop.not_an_artisan"


class NotTheOwner(ShopError, errors.Denied):
    """Only the owner of the shop may do this."""

    code = "holdfast_artisan_shop.not_the_owner"


class TextInvalid(ShopError, errors.Invalid):
    """A text is empty or too long.

    Context: ``field``, ``length``, ``maximum``.
    """

    code = "holdfast_artisan_shop.text_invalid"


class LocationInvalid(ShopError, errors.Invalid):
    """A latitude is from -90 to 90, a longitude from -180 to 180."""

    code = "holdfast_artisan_shop.location_invalid"


class RadiusInvalid(ShopError, errors.Invalid):
    """A radius is greater than zero and not larger than this.

    Context: ``radius_km``, ``maximum_km``.
    """

    code = "holdfast_artisan_shop.radius_invalid"


class PriceInvalid(ShopError, errors.Invalid):
    """A price is not negative, and in the shop's currency."""

    code = "holdfast_artisan_shop.price_invalid"


class QuantityInvalid(ShopError, errors.Invalid):
    """A quantity is a whole number from 1 to this.

    Context: ``quantity``, ``maximum``.
    """

    code = "holdfast_artisan_shop.quantity_invalid"


class CorrectionInvalid(ShopError, errors.Invalid):
    """A correction changes the stock by a whole number that is not zero."""

    code = "holdfast_artisan_shop.correction_invalid"


class ThresholdInvalid(ShopError, errors.Invalid):
    """A threshold is not negative."""

    code = "holdfast_artisan_shop.threshold_invalid"


class OptionsInvalid(ShopError, errors.Invalid):
    """The options of a variant are names and values, and no two variants have the same."""

    code = "holdfast_artisan_shop.options_invalid"


class LeadTimeInvalid(ShopError, errors.Invalid):
    """A lead time is a number of days from 0 to this.

    Context: ``maximum``.
    """

    code = "holdfast_artisan_shop.lead_time_invalid"


class HoursInvalid(ShopError, errors.Invalid):
    """Opening hours are spans of time for each day of the week, and end after they begin."""

    code = "holdfast_artisan_shop.hours_invalid"


class TimeZoneUnknown(ShopError, errors.Invalid):
    """There is no such time zone."""

    code = "holdfast_artisan_shop.time_zone_unknown"


class CategoryUnknown(ShopError, errors.Invalid):
    """There is no such category to be in."""

    code = "holdfast_artisan_shop.category_unknown"


class CategoryCircular(ShopError, errors.Invalid):
    """A category cannot be below itself."""

    code = "holdfast_artisan_shop.category_circular"


class UserUnknown(ShopError, errors.Invalid):
    """There is no such user."""

    code = "holdfast_artisan_shop.user_unknown"


class PeriodInvalid(ShopError, errors.Invalid):
    """A period ends after it begins, and is not longer than this."""

    code = "holdfast_artisan_shop.period_invalid"


class DiscountInvalid(ShopError, errors.Invalid):
    """A flash sale is cheaper than the product, and a coupon takes off something."""

    code = "holdfast_artisan_shop.discount_invalid"


class CapacityInvalid(ShopError, errors.Invalid):
    """A slot has room for at least one, and not less than is booked."""

    code = "holdfast_artisan_shop.capacity_invalid"


class RatingInvalid(ShopError, errors.Invalid):
    """A rating is a whole number from 1 to 5."""

    code = "holdfast_artisan_shop.rating_invalid"


class LimitInvalid(ShopError, errors.Invalid):
    """A limit is a whole number from 1 to this.

    Context: ``maximum``.
    """

    code = "holdfast_artisan_shop.limit_invalid"


class SoldOut(ShopError, errors.Conflict):
    """There is not enough left.

    Context: ``lines``, each with ``variant_id``, ``wanted`` and ``available``.
    """

    code = "holdfast_artisan_shop.sold_out"


class NotOnSale(ShopError, errors.Conflict):
    """This is not on sale any more.

    Context: ``variant_ids``.
    """

    code = "holdfast_artisan_shop.not_on_sale"


class FlashSaleSoldOut(ShopError, errors.Conflict):
    """There is not enough left at the price of the flash sale."""

    code = "holdfast_artisan_shop.flash_sale_sold_out"


class PriceChanged(ShopError, errors.Conflict):
    """A price has changed since this was put into the basket.

    Context: ``lines``, each with ``variant_id``, ``was_minor`` and ``is_minor``.
    """

    code = "holdfast_artisan_shop.price_changed"


class BasketEmpty(ShopError, errors.Conflict):
    """The basket is empty."""

    code = "holdfast_artisan_shop.basket_empty"


class OrderStepNotAllowed(ShopError, errors.Conflict):
    """The order is not in a state that allows this step.

    Context: ``order_id``, ``state``, ``step``.
    """

    code = "holdfast_artisan_shop.order_step_not_allowed"


class PaymentStepNotAllowed(ShopError, errors.Conflict):
    """The payment is not in a state that allows this.

    Context: ``payment_id``, ``state``.
    """

    code = "holdfast_artisan_shop.payment_step_not_allowed"


class PaymentDeclined(ShopError, errors.Conflict):
    """The payment was declined.

    Context: ``order_id``, ``reason``.
    """

    code = "holdfast_artisan_shop.payment_declined"


class StockInUse(ShopError, errors.Conflict):
    """This many pieces are reserved or sold already.

    Context: ``variant_id``, ``free``.
    """

    code = "holdfast_artisan_shop.stock_in_use"


class CouponUsed(ShopError, errors.Conflict):
    """You have used this coupon already."""

    code = "holdfast_artisan_shop.coupon_used"


class CouponExhausted(ShopError, errors.Conflict):
    """This coupon has been used as often as it may be."""

    code = "holdfast_artisan_shop.coupon_exhausted"


class ReviewExists(ShopError, errors.Conflict):
    """You have reviewed this product already."""

    code = "holdfast_artisan_shop.review_exists"


class NotBought(ShopError, errors.Conflict):
    """Only who has received a product may review it."""

    code = "holdfast_artisan_shop.not_bought"


class HoldLimitReached(ShopError, errors.Conflict):
    """You hold as many pieces as one customer may.

    Context: ``maximum``.
    """

    code = "holdfast_artisan_shop.hold_limit_reached"


class KeyReused(ShopError, errors.Invalid):
    """The key was already used for another order."""

    code = "holdfast_artisan_shop.key_reused"


class OrderTooLarge(ShopError, errors.Invalid):
    """An order costs no more than this.

    Context: ``maximum_minor``.
    """

    code = "holdfast_artisan_shop.order_too_large"


class OrderEmpty(ShopError, errors.Invalid):
    """An order has at least one item."""

    code = "holdfast_artisan_shop.order_empty"


class TooManyLines(ShopError, errors.Invalid):
    """An order or a basket has no more lines than this.

    Context: ``maximum``.
    """

    code = "holdfast_artisan_shop.too_many_lines"


class ProductOfAnotherShop(ShopError, errors.Invalid):
    """This product is not of the shop that is ordered from.

    Context: ``product_ids``.
    """

    code = "holdfast_artisan_shop.product_of_another_shop"


class VariantRequired(ShopError, errors.Invalid):
    """This product has several variants: say which.

    Context: ``product_id``, ``variant_ids``.
    """

    code = "holdfast_artisan_shop.variant_required"


class ShopNotInBasket(ShopError, errors.Invalid):
    """Nothing in the basket is of this shop.

    Context: ``shop_ids``.
    """

    code = "holdfast_artisan_shop.shop_not_in_basket"


class CouponInvalid(ShopError, errors.Invalid):
    """This coupon does not hold for this order.

    Context: ``reason``.
    """

    code = "holdfast_artisan_shop.coupon_invalid"


class PaymentUnavailable(ShopError, errors.Unavailable):
    """The payment could not be made at the moment; it is tried again."""

    code = "holdfast_artisan_shop.payment_unavailable"


class SlotFull(ShopError, errors.Conflict):
    """This slot is full."""

    code = "holdfast_artisan_shop.slot_full"


class SlotClosed(ShopError, errors.Conflict):
    """This slot can no longer be booked.

    Context: ``slot_id``, ``closes_at``.
    """

    code = "holdfast_artisan_shop.slot_closed"


class SlotTooSoon(ShopError, errors.Conflict):
    """The order cannot be ready for this slot.

    Context: ``slot_id``, ``earliest``.
    """

    code = "holdfast_artisan_shop.slot_too_soon"


class DeliveryStepNotAllowed(ShopError, errors.Conflict):
    """The delivery is not in a state that allows this step.

    Context: ``delivery_id``, ``state``, ``step``.
    """

    code = "holdfast_artisan_shop.delivery_step_not_allowed"


class AddressRequired(ShopError, errors.Invalid):
    """A delivery needs an address."""

    code = "holdfast_artisan_shop.address_required"


class OutOfRange(ShopError, errors.Invalid):
    """The shop does not deliver that far.

    Context: ``distance_km``, ``radius_km``.
    """

    code = "holdfast_artisan_shop.out_of_range"


class TrackingLinkInvalid(ShopError, errors.Denied):
    """This link was not made here, or is too old."""

    code = "holdfast_artisan_shop.tracking_link_invalid"
