"""The words of the marketplace."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ShopState(TextChoices):
    """Whether customers see a shop, and whether it sells."""

    DRAFT = "draft", _("draft")
    OPEN = "open", _("open")
    HOLIDAY = "holiday", _("on holiday")
    CLOSED = "closed", _("closed")


class OrderState(TextChoices):
    """How far an order has come."""

    PENDING = "pending", _("awaiting payment")
    PAID = "paid", _("paid")
    PROCESSING = "processing", _("being made")
    READY = "ready", _("ready")
    OUT_FOR_DELIVERY = "out_for_delivery", _("out for delivery")
    COMPLETED = "completed", _("completed")
    CANCELLED = "cancelled", _("cancelled")
    REFUNDED = "refunded", _("refunded")


class PaymentState(TextChoices):
    """How far a payment has come.

    What ends in "-ing" is an intent: the gateway is asked, and asked again, until it answers.
    """

    AUTHORIZING = "authorizing", _("authorizing")
    AUTHORIZED = "authorized", _("authorized")
    DECLINED = "declined", _("declined")
    CAPTURING = "capturing", _("capturing")
    CAPTURED = "captured", _("captured")
    RELEASING = "releasing", _("releasing")
    RELEASED = "released", _("released")
    REFUNDING = "refunding", _("refunding")
    REFUNDED = "refunded", _("refunded")
    FAILED = "failed", _("failed")


class Fulfillment(TextChoices):
    """How the goods reach the customer."""

    DELIVERY = "delivery", _("delivery")
    PICKUP = "pickup", _("pickup")


class DeliveryState(TextChoices):
    """How far a delivery has come."""

    SCHEDULED = "scheduled", _("scheduled")
    OUT_FOR_DELIVERY = "out_for_delivery", _("out for delivery")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class MoveKind(TextChoices):
    """Why figures of the stock changed."""

    RECEIVED = "received", _("received")
    RESERVED = "reserved", _("reserved")
    RELEASED = "released", _("released")
    SOLD = "sold", _("sold")
    RETURNED = "returned", _("returned")
    CORRECTED = "corrected", _("corrected")


class CouponKind(TextChoices):
    """What a coupon takes off."""

    PERCENT = "percent", _("percent")
    AMOUNT = "amount", _("amount")
