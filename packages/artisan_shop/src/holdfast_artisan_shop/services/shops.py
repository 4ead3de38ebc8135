"""Shops: opened by artisans, changed by their owners and those whom they invite."""

import re
from typing import Any, NotRequired, TypedDict, Unpack
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.db import IntegrityError, router
from django_fsm import can_proceed

from holdfast.conf import load_backend
from holdfast.money import exponent
from holdfast.outbox import emit
from holdfast.transactions import atomic_for
from holdfast_artisan_shop.conf import settings
from holdfast_artisan_shop.events import ShopChanged
from holdfast_artisan_shop.exceptions import (
    HoursInvalid,
    MemberNotFound,
    NotAnArtisan,
    NotTheOwner,
    RadiusInvalid,
    ShopNameTaken,
    ShopStepNotAllowed,
    TimeZoneUnknown,
    UserUnknown,
)
from holdfast_artisan_shop.models import Product, Shop, ShopMember
from holdfast_artisan_shop.models.shops import ADDRESS_LENGTH, DESCRIPTION_LENGTH, NAME_LENGTH
from holdfast_artisan_shop.ports import Artisans
from holdfast_artisan_shop.services import slots
from holdfast_artisan_shop.services.places import check_location
from holdfast_artisan_shop.services.rows import lock_shop, plain, using
from holdfast_artisan_shop.services.texts import check_text
from holdfast_artisan_shop.services.versions import check_version, stamp

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SPANS_MAX = 6
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


class ShopDetails(TypedDict):
    """What can be said of a shop beside its name and its place; what is left out stays as it is."""

    description: NotRequired[str]
    address: NotRequired[str]
    time_zone: NotRequired[str]
    opening_hours: NotRequired[dict[str, list[list[str]]]]
    delivery_radius_km: NotRequired[float | None]


class ShopValues(ShopDetails):
    """All that can be changed of a shop."""

    name: NotRequired[str]
    lat: NotRequired[float]
    lng: NotRequired[float]


@atomic_for(Shop)
def open_shop(
    *,
    owner_id: Any,
    name: str,
    currency: str,
    lat: float,
    lng: float,
    **values: Unpack[ShopDetails],
) -> Shop:
    """Register a shop of an artisan; nobody sees it before it is published.

    Raises ``NotAnArtisan``, ``ShopNameTaken``, ``TextInvalid``, ``LocationInvalid``, ``TimeZoneUnknown``,
    ``HoursInvalid``, ``RadiusInvalid``, ``UnknownCurrency``. Emits ``ShopChanged``.
    """
    artisans: Artisans = load_backend(settings.ARTISANS)
    if not artisans.may_open_shop(owner_id):
        raise NotAnArtisan
    exponent(currency)
    shop = Shop(owner_id=owner_id, currency=currency)
    _set(shop, {"name": name, "lat": lat, "lng": lng, **values})
    _save(shop, force_insert=True)
    return _told(shop)


@atomic_for(Shop)
def change_shop(
    *, shop_id: UUID, actor_id: Any, expected_version: int | None = None, **values: Unpack[ShopValues]
) -> Shop:
    """Change what is given of a shop; where it moves, its products move with it, and its slots with its clock.

    Raises ``ShopNotFound``, ``VersionOutdated`` and what ``open_shop`` does. Emits ``ShopChanged``.
    """
    shop = lock_shop(shop_id, actor_id)
    check_version(shop, expected_version)
    before, clock = (shop.lat, shop.lng), shop.time_zone
    _set(shop, dict(values))
    _save(shop)
    if (shop.lat, shop.lng) != before:
        products = Product.objects.using(using()).filter(shop=shop, own_location=False)
        products.update(lat=shop.lat, lng=shop.lng, x=shop.x, y=shop.y, z=shop.z)
    if shop.time_zone != clock:
        slots.follow_clock(shop)
    return _told(shop)


@atomic_for(Shop)
def publish_shop(*, shop_id: UUID, actor_id: Any) -> Shop:
    """Show a shop and sell, for the first time or again.

    Raises ``ShopNotFound``, ``ShopStepNotAllowed``. Emits ``ShopChanged``.
    """
    return _move("open", lock_shop(shop_id, actor_id))


@atomic_for(Shop)
def go_on_holiday(*, shop_id: UUID, actor_id: Any) -> Shop:
    """Sell nothing for a while. Raises and emits as ``publish_shop`` does."""
    return _move("go_on_holiday", lock_shop(shop_id, actor_id))


@atomic_for(Shop)
def close_shop(*, shop_id: UUID, actor_id: Any) -> Shop:
    """Show a shop no more. Raises and emits as ``publish_shop`` does, and ``NotTheOwner``."""
    return _move("close", _owned(shop_id, actor_id))


@atomic_for(ShopMember)
def invite_member(*, shop_id: UUID, actor_id: Any, user_id: Any) -> ShopMember:
    """Let a user act for the shop. Raises ``ShopNotFound``, ``NotTheOwner``, ``UserUnknown``."""
    shop = _owned(shop_id, actor_id)
    users = get_user_model()._default_manager  # noqa: SLF001 - documented by Django
    if not users.using(router.db_for_write(users.model)).filter(pk=user_id).exists():
        raise UserUnknown(user_id=plain(user_id))
    member, _new = ShopMember.objects.using(using()).get_or_create(shop=shop, user_id=user_id)
    return member


@atomic_for(ShopMember)
def remove_member(*, shop_id: UUID, actor_id: Any, user_id: Any) -> None:
    """Let a user act for the shop no more. Raises ``ShopNotFound``, ``NotTheOwner``, ``MemberNotFound``."""
    shop = _owned(shop_id, actor_id)
    gone, _by_model = ShopMember.objects.using(using()).filter(shop=shop, user_id=user_id).delete()
    if not gone:
        raise MemberNotFound(user_id=plain(user_id))


def _owned(shop_id: UUID, actor_id: Any) -> Shop:
    shop = lock_shop(shop_id, actor_id)
    if shop.owner_id != actor_id:
        raise NotTheOwner(shop_id=str(shop_id))
    return shop


def _move(step: str, shop: Shop) -> Shop:
    take_step = getattr(shop, step)
    if not can_proceed(take_step):
        raise ShopStepNotAllowed(shop_id=str(shop.pk), state=shop.state, step=step)
    take_step()
    stamp(shop)
    shop.save(update_fields=["state", "updated_at"])
    return _told(shop)


def _told(shop: Shop) -> Shop:
    emit(ShopChanged(shop_id=str(shop.pk), owner_id=plain(shop.owner_id), state=shop.state), using=using())
    return shop


def _set(shop: Shop, values: dict[str, Any]) -> None:
    """Refuse what makes no sense, and set the rest."""
    lat, lng = values.pop("lat", shop.lat), values.pop("lng", shop.lng)
    check_location(lat, lng)
    shop.put_at(lat, lng)
    for name, value in values.items():
        setattr(shop, name, value)
    check_text("name", shop.name, NAME_LENGTH, required=True)
    check_text("description", shop.description, DESCRIPTION_LENGTH)
    check_text("address", shop.address, ADDRESS_LENGTH)
    radius = shop.delivery_radius_km
    if radius is not None and not 0 < radius <= settings.RADIUS_MAX_KM:
        raise RadiusInvalid(radius_km=str(radius)[:40], maximum_km=settings.RADIUS_MAX_KM)
    try:
        ZoneInfo(shop.time_zone)
    except (ValueError, OSError, LookupError):
        raise TimeZoneUnknown(time_zone=str(shop.time_zone)[:64]) from None
    _check_hours(shop.opening_hours)
    stamp(shop)


def _check_hours(hours: Any) -> None:
    if not isinstance(hours, dict) or not hours.keys() <= set(WEEKDAYS):
        raise HoursInvalid
    for spans in hours.values():
        if not isinstance(spans, list) or len(spans) > SPANS_MAX:
            raise HoursInvalid
        for span in spans:
            good = isinstance(span, list) and len(span) == 2 and all(_CLOCK.fullmatch(str(one)) for one in span)
            if not good or span[0] >= span[1]:
                raise HoursInvalid


def _save(shop: Shop, *, force_insert: bool = False) -> None:
    try:
        with atomic_for(Shop):
            shop.save(force_insert=force_insert, using=using())
    except IntegrityError:
        others = Shop.objects.using(using()).filter(owner_id=shop.owner_id, name__iexact=shop.name)
        if others.exclude(pk=shop.pk).exists():
            raise ShopNameTaken(name=shop.name) from None
        raise
