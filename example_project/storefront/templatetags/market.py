"""How wares, prices, ratings and distances look."""

from typing import Any
from zlib import crc32

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from holdfast.money import Money, from_minor
from holdfast_artisan_shop.states import PaymentState
from storefront import pictures
from storefront.templatetags.storefront import icon

register = template.Library()

TURNS, STARS = 4, 5
# What the words of a category have in them, the sign that stands for it, and its tint.
_SIGNS = (
    (("bowl",), "bowl", 1),
    (("cup", "jug", "vase", "ceramic"), "vase", 1),
    (("bread", "cake"), "loaf", 3),
    (("cheese",), "cheese", 3),
    (("honey", "food"), "honey", 3),
    (("blanket", "linen", "textile"), "yarn", 4),
    (("note", "book", "paper"), "book", 2),
    (("tumbler", "glass"), "glass", 6),
    (("lamp",), "lamp", 6),
    (("string", "lesson", "music"), "guitar", 0),
    (("bag", "belt", "leather"), "bag", 1),
    (("wood", "stool"), "stool", 7),
    (("candle", "soap", "home"), "candle", 3),
    (("jewel",), "ring", 5),
    (("kni", "metal"), "knife", 5),
)

_MONEY: dict[str, str] = {
    PaymentState.AUTHORIZING: "being set aside",
    PaymentState.AUTHORIZED: "set aside",
    PaymentState.DECLINED: "declined",
    PaymentState.CAPTURING: "being paid",
    PaymentState.CAPTURED: "paid",
    PaymentState.RELEASING: "being freed",
    PaymentState.RELEASED: "free again",
    PaymentState.REFUNDING: "on its way back",
    PaymentState.REFUNDED: "given back",
    PaymentState.FAILED: "stuck: one of us looks at it",
}


@register.simple_tag
def ware(product: Any, look: str = "") -> SafeString:
    """Show a product: its own picture or, where it has none, a sign of what it is."""
    if address := pictures.shown(getattr(product, "image_url", None) or ""):
        image = format_html('<img src="{}" alt="" loading="lazy" referrerpolicy="no-referrer">', address)
        return format_html('<div class="picture {}">{}</div>', look, image)
    words = str(product.category).lower()
    sign, tint = next(
        ((sign, tint) for parts, sign, tint in _SIGNS if any(part in words for part in parts)), ("box", 0)
    )
    turn = crc32(product.name.encode()) % TURNS
    return format_html('<div class="picture tint-{} turn-{} {}">{}</div>', tint, turn, look, icon(sign))


@register.filter
def in_money(minor: int | None, currency: str) -> Money | None:
    """Return minor units as money."""
    return None if minor is None else from_minor(minor, currency)


@register.simple_tag
def stars(rating: float | None, count: int | None = None) -> SafeString:
    """Show a rating; the words say it to who does not see it."""
    if not rating:
        return format_html('<span class="soft small">{}</span>', "No reviews yet")
    full = round(rating)
    counted = format_html(' <span class="soft small">({})</span>', count) if count is not None else ""
    return format_html(
        '<span class="stars"><span aria-hidden="true">{}<i>{}</i></span>'
        '<span class="unseen">{} of {} stars</span></span>{}',
        "★" * full,
        "★" * (STARS - full),
        f"{rating:.1f}",
        STARS,
        counted,
    )


@register.filter
def kilometers(distance: float | None) -> str:
    """Return a distance as people say it."""
    if distance is None:
        return ""
    return f"{distance * 1000:,.0f} m" if distance < 0.995 else f"{distance:,.1f} km"


@register.filter
def chosen_options(options: dict[str, str] | None) -> str:
    """Return what was chosen of a variant."""
    return ", ".join((options or {}).values())


@register.filter
def money_word(state: str) -> str:
    """Return where the money of an order is, in a word for people."""
    return _MONEY.get(state, state)


@register.filter
def percent(share: float | None) -> str:
    """Return a share of one as a percentage."""
    return "" if share is None else f"{share * 100:.0f} %"
