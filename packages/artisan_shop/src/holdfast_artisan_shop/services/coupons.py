"""Coupons: codes that a shop gives away. What they take off, and how often, is in ``discounts``."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from holdfast.money import Money, to_minor
from holdfast.outbox import emit
from holdfast.transactions import atomic_for
from holdfast_artisan_shop.events import CouponChanged
from holdfast_artisan_shop.exceptions import (
    CodeTaken,
    CouponNotFound,
    DiscountInvalid,
    PeriodInvalid,
    QuantityInvalid,
    TextInvalid,
)
from holdfast_artisan_shop.models import Coupon, Shop
from holdfast_artisan_shop.models.marketing import CODE_LENGTH
from holdfast_artisan_shop.models.products import MAX_MINOR
from holdfast_artisan_shop.selectors.scopes import managed_shop, shops_of
from holdfast_artisan_shop.services.discounts import CODE
from holdfast_artisan_shop.services.rows import using
from holdfast_artisan_shop.services.texts import check_moments
from holdfast_artisan_shop.states import CouponKind

USES_MAX = 1_000_000


@atomic_for(Coupon)
def create_coupon(
    *,
    shop_id: UUID,
    actor_id: Any,
    code: str,
    percent: int | None = None,
    amount: Money | None = None,
    minimum: Money | None = None,
    starts_at: dt.datetime | None = None,
    ends_at: dt.datetime | None = None,
    max_uses: int | None = None,
) -> Coupon:
    """Give a code that takes ``percent`` or ``amount`` off an order, for each customer once.

    Raises ``ShopNotFound``, ``TextInvalid``, ``CodeTaken``, ``DiscountInvalid``, ``PeriodInvalid``,
    ``QuantityInvalid``. Emits ``CouponChanged``.
    """
    shop = managed_shop(shop_id=shop_id, actor_id=actor_id, using=using())
    code = code.strip().upper()
    if not CODE.fullmatch(code):
        raise TextInvalid(field="code", length=len(code), maximum=CODE_LENGTH)
    if (percent is None) == (amount is None) or (percent is not None and not 1 <= percent <= 100):
        raise DiscountInvalid
    check_moments(starts_at, ends_at)
    starts_at = starts_at or timezone.now()
    if ends_at is not None and ends_at <= max(starts_at, timezone.now()):
        raise PeriodInvalid
    if max_uses is not None and not 1 <= max_uses <= USES_MAX:
        raise QuantityInvalid(quantity=str(max_uses)[:40], maximum=USES_MAX)
    coupon = Coupon(
        shop=shop,
        code=code,
        kind=CouponKind.AMOUNT if percent is None else CouponKind.PERCENT,
        percent=percent or 0,
        amount_minor=0 if amount is None else _minor(amount, shop, at_least=1),
        minimum_minor=0 if minimum is None else _minor(minimum, shop, at_least=0),
        starts_at=starts_at,
        ends_at=ends_at,
        max_uses=max_uses,
    )
    try:
        with atomic_for(Coupon):
            coupon.save(force_insert=True, using=using())
    except IntegrityError:
        raise CodeTaken(code=code) from None
    return _told(coupon)


@atomic_for(Coupon)
def end_coupon(*, coupon_id: UUID, actor_id: Any) -> Coupon:
    """Take a coupon back: orders that used it keep what it took off.

    Raises ``CouponNotFound``. Emits ``CouponChanged``.
    """
    mine = Coupon.objects.using(using()).filter(shop__in=shops_of(actor_id=actor_id))
    coupon = mine.select_for_update(no_key=True, of=("self",)).filter(pk=coupon_id).first()
    if coupon is None:
        raise CouponNotFound(coupon_id=str(coupon_id))
    coupon.active = False
    coupon.save(update_fields=["active"])
    return _told(coupon)


def _told(coupon: Coupon) -> Coupon:
    emit(
        CouponChanged(coupon_id=str(coupon.pk), shop_id=str(coupon.shop_id), code=coupon.code, active=coupon.active),
        using=using(),
    )
    return coupon


def _minor(amount: Money, shop: Shop, *, at_least: int) -> int:
    if amount.currency.code != shop.currency:
        raise DiscountInvalid(currency=shop.currency)
    minor = to_minor(amount)
    if not at_least <= minor <= MAX_MINOR:
        raise DiscountInvalid(maximum_minor=MAX_MINOR)
    return minor
