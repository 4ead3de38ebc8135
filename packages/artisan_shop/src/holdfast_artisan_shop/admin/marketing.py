"""Flash sales, coupons, and what customers say."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from holdfast.money import from_minor
from holdfast.windows import Step, SureForm, WindowAdmin
from holdfast_artisan_shop import services
from holdfast_artisan_shop.admin.orders import login_of
from holdfast_artisan_shop.models import Coupon, FlashSale, Review


def _end_sale(sale: FlashSale, _values: dict[str, Any]) -> str:
    services.end_flash_sale(flash_sale_id=sale.pk, actor_id=sale.product.shop.owner_id)
    return _("The flash sale is over.")


def _end_coupon(coupon: Coupon, _values: dict[str, Any]) -> str:
    services.end_coupon(coupon_id=coupon.pk, actor_id=coupon.shop.owner_id)
    return _("The coupon does not hold any more.")


END_SALE = Step(
    name="end",
    label=_("End now"),
    question=_("The product costs its ordinary price again."),
    permission="holdfast_artisan_shop.change_flashsale",
    form=SureForm,
    run=_end_sale,
    # One that has not begun would be gone with its page.
    offered=lambda sale: sale.starts_at <= timezone.now() < sale.ends_at,
)
END_COUPON = Step(
    name="end",
    label=_("Take back"),
    question=_("Nobody can use it any more; orders that used it keep what it took off."),
    permission="holdfast_artisan_shop.change_coupon",
    form=SureForm,
    run=_end_coupon,
    offered=lambda coupon: coupon.active,
)


@admin.register(FlashSale)
class FlashSaleAdmin(WindowAdmin):
    """What is cheaper for a while."""

    steps: ClassVar = (END_SALE,)
    list_display = ("product", "shown_price", "starts_at", "ends_at", "quantity", "sold")
    list_select_related = ("product__shop",)
    search_help_text = "An id of a flash sale, a product or a shop."
    fields: ClassVar = (("product", "shown_price"), ("starts_at", "ends_at"), ("quantity", "sold"), "id")
    readonly_fields = ("shown_price",)

    def matching_id(self, wanted: UUID) -> Q:
        """Find a flash sale, and those of a product or a shop."""
        return Q(pk=wanted) | Q(product=wanted) | Q(product__shop=wanted)

    @admin.display(description="price")
    def shown_price(self, sale: FlashSale) -> str:
        """Return what the product costs meanwhile."""
        return str(from_minor(sale.price_minor, sale.product.currency))


@admin.register(Coupon)
class CouponAdmin(WindowAdmin):
    """What codes take off, and how often they did."""

    steps: ClassVar = (END_COUPON,)
    list_display = ("code", "shop", "takes_off", "used", "max_uses", "ends_at", "active")
    list_filter = ("active", "kind")
    list_select_related = ("shop",)
    search_help_text = "An id of a coupon or a shop, or a code."
    fields: ClassVar = (
        ("code", "shop", "active"),
        ("takes_off", "minimum_minor"),
        ("starts_at", "ends_at"),
        ("used", "max_uses"),
        "id",
    )
    readonly_fields = ("takes_off",)

    def matching_id(self, wanted: UUID) -> Q:
        """Find a coupon, and those of a shop."""
        return Q(pk=wanted) | Q(shop=wanted)

    def matching_login(self, login: str) -> Q:
        """Find coupons by their code."""
        return Q(code=login.upper())

    @admin.display(description="takes off")
    def takes_off(self, coupon: Coupon) -> str:
        """Return what it takes off."""
        return f"{coupon.percent} %" if coupon.percent else str(from_minor(coupon.amount_minor, coupon.shop.currency))


@admin.register(Review)
class ReviewAdmin(WindowAdmin):
    """What customers say of what they have received."""

    list_display = ("product", "rating", "customer", "created_at")
    list_filter = ("rating",)
    list_select_related = ("product", "customer")
    search_help_text = "An id of a review, a product or a shop, or a customer's login."
    fields: ClassVar = (("product", "rating"), "text", ("customer", "created_at"), "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        """Bring the product along."""
        queryset: QuerySet[Review] = super().get_queryset(request)
        return queryset.select_related("product", "customer")

    def matching_id(self, wanted: UUID) -> Q:
        """Find a review, and those of a product or a shop."""
        return Q(pk=wanted) | Q(product=wanted) | Q(product__shop=wanted)

    def matching_login(self, login: str) -> Q:
        """Find a customer's reviews."""
        return login_of("customer", login)
