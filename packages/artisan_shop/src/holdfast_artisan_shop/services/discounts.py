"""What flash sales and coupons take off, and how many times they may."""

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from holdfast.transactions import atomic_for
from holdfast_artisan_shop.exceptions import CouponExhausted, CouponInvalid, CouponUsed, FlashSaleSoldOut
from holdfast_artisan_shop.models import Coupon, CouponUse, FlashSale, Order, OrderLine
from holdfast_artisan_shop.services.drafts import Choice, Draft
from holdfast_artisan_shop.services.rows import using
from holdfast_artisan_shop.states import CouponKind

# Letters and digits that can be read out and typed, with hyphens between them.
CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,38}[A-Z0-9])?")


def chosen_coupons(choices: Mapping[UUID, Choice], customer_id: Any) -> dict[UUID, Coupon]:
    """Return the coupons whose codes a customer has chosen, by shop; ``used_before`` says whether he has used one."""
    codes = {shop_id: choice.coupon_code.strip().upper() for shop_id, choice in choices.items()}
    wanted = [Q(shop_id=shop_id, code=code) for shop_id, code in codes.items() if CODE.fullmatch(code)]
    if not wanted:
        return {}
    uses = CouponUse.objects.filter(coupon_id=OuterRef("pk"), customer_id=customer_id)
    coupons = Coupon.objects.using(using()).filter(reduce(or_, wanted)).annotate(used_before=Exists(uses))
    return {coupon.shop_id: coupon for coupon in coupons}


def check_coupon(coupon: Any, subtotal_minor: int) -> None:
    """Raise ``CouponInvalid``, ``CouponUsed`` or ``CouponExhausted`` for a chosen coupon that does not hold.

    ``None`` is what no coupon was found for.
    """
    now = timezone.now()
    if coupon is None or not coupon.active or coupon.starts_at > now:
        raise CouponInvalid(reason="unknown")
    if coupon.ends_at is not None and coupon.ends_at <= now:
        raise CouponInvalid(reason="over")
    if subtotal_minor < coupon.minimum_minor:
        raise CouponInvalid(reason="minimum", minimum_minor=coupon.minimum_minor)
    if coupon.used_before:
        raise CouponUsed(code=coupon.code)
    if coupon.max_uses is not None and coupon.used >= coupon.max_uses:
        raise CouponExhausted(code=coupon.code)


def discount_of(coupon: Coupon | None, subtotal_minor: int) -> int:
    """Return what a coupon takes off, at most everything."""
    if coupon is None:
        return 0
    if coupon.kind == CouponKind.PERCENT:
        return percent_of(subtotal_minor, coupon.percent)
    return min(coupon.amount_minor, subtotal_minor)


def percent_of(minor: int, percent: float) -> int:
    """Return so many percent of an amount, rounded half up."""
    return int((minor * Decimal(str(percent)) / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def check_flash_sales(drafts: Sequence[Draft]) -> None:
    """Raise ``FlashSaleSoldOut`` where fewer pieces are left at the price of a flash sale than are wanted."""
    wanted = _flash_pieces(drafts)
    if not wanted:
        return
    limited = FlashSale.objects.using(using()).filter(pk__in=wanted, quantity__isnull=False)
    for flash_sale_id, left in limited.values_list("pk", F("quantity") - F("sold")):
        if left < wanted[flash_sale_id]:
            raise FlashSaleSoldOut(flash_sale_id=str(flash_sale_id))


def take(drafts: Sequence[Draft]) -> None:
    """Count the pieces of flash sales, then the uses of coupons, each in the order of their ids.

    Raises ``FlashSaleSoldOut``, ``CouponExhausted``, ``CouponUsed``.
    """
    for flash_sale_id, quantity in sorted(_flash_pieces(drafts).items()):
        enough = Q(quantity=None) | Q(quantity__gte=F("sold") + quantity)
        flash_sales = FlashSale.objects.using(using()).filter(enough, pk=flash_sale_id, ends_at__gt=Now())
        if not flash_sales.update(sold=F("sold") + quantity):
            raise FlashSaleSoldOut(flash_sale_id=str(flash_sale_id))
    for draft in sorted((one for one in drafts if one.coupon), key=lambda one: one.coupon.pk):  # type: ignore[union-attr]  # those that have one
        _use(draft.coupon, draft.order)  # type: ignore[arg-type]  # as above


def give_back(order: Order) -> None:
    """Give back what a cancelled order has taken."""
    taken = OrderLine.objects.using(using()).filter(order=order).exclude(flash_sale=None)
    for flash_sale_id, quantity in sorted(taken.values_list("flash_sale_id", "quantity")):
        FlashSale.objects.using(using()).filter(pk=flash_sale_id).update(sold=F("sold") - quantity)
    use = CouponUse.objects.using(using()).filter(order=order).first()
    if use is not None:
        # The coupon before its use, as whoever takes it: or the two could wait for each other in a circle.
        Coupon.objects.using(using()).filter(pk=use.coupon_id).update(used=F("used") - 1)
        use.delete()


def _flash_pieces(drafts: Sequence[Draft]) -> dict[UUID, int]:
    pieces: dict[UUID, int] = {}
    for draft in drafts:
        for one in draft.quoted:
            if one.flash_sale_id is not None:
                pieces[one.flash_sale_id] = pieces.get(one.flash_sale_id, 0) + one.quantity
    return pieces


def _use(coupon: Coupon, order: Order) -> None:
    left = Q(max_uses=None) | Q(max_uses__gt=F("used"))
    if not Coupon.objects.using(using()).filter(left, pk=coupon.pk, active=True).update(used=F("used") + 1):
        raise CouponExhausted(code=coupon.code)
    try:
        with atomic_for(CouponUse):
            CouponUse(coupon=coupon, customer_id=order.customer_id, order=order).save(force_insert=True, using=using())
    except IntegrityError:
        raise CouponUsed(code=coupon.code) from None
