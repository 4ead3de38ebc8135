"""How products, changes and their notifications look."""

from typing import Any
from zlib import crc32

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from storefront.forms.told import name_of
from storefront.templatetags.storefront import MINUS, icon

register = template.Library()

TURNS = 4
LONG = 160
# What a category's name has in it, and the sign that stands for it; each has a color of its own.
_SIGNS = {
    "clay": "vase",
    "yarn": "yarn",
    "paper": "book",
    "flour": "loaf",
    "glass": "glass",
    "tool": "hammer",
    "wood": "guitar",
    "pack": "box",
}
_FIELDS = {"sku": "SKU", "image_url": "Picture", "active": "Visible"}


@register.simple_tag
def picture(product: Any, look: str = "") -> SafeString:
    """Show a product: its own picture or, where it has none, a sign of what it is."""
    if product.image_url.startswith("https://"):
        image = format_html('<img src="{}" alt="" loading="lazy" referrerpolicy="no-referrer">', product.image_url)
        return format_html('<div class="picture {}">{}</div>', look, image)
    words = str(product.category or "").lower()
    tint, sign = next(
        ((tint, sign) for tint, (word, sign) in enumerate(_SIGNS.items()) if word in words), (0, "catalog")
    )
    turn = crc32(product.sku.encode()) % TURNS
    return format_html('<div class="picture tint-{} turn-{} {}">{}</div>', tint, turn, look, icon(sign))


@register.filter
def channel_name(channel: str) -> str:
    """Return how to call a channel."""
    return name_of(channel)


@register.filter
def field_name(field: str) -> str:
    """Return how to call what was changed."""
    return _FIELDS.get(field, field.capitalize())


@register.filter
def shown_value(value: Any) -> str:
    """Return what something was or is, briefly."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value) if value not in (None, "") else "nothing"
    return f"{text[:LONG]}…" if len(text) > LONG else text


@register.simple_tag
def trend(percent: float | None) -> SafeString:
    """Show by how much something has grown; an arrow, so that the color is never alone in saying so."""
    if percent is None:
        return format_html('<span class="trend">{}</span>', "new")
    if percent == 0:
        return format_html('<span class="trend">{}</span>', "as before")
    up = percent > 0
    shown = f"{abs(percent):,.0f}" if abs(percent) >= 10 else f"{abs(percent):.1f}"
    return format_html(
        '<span class="trend {}">{} {}{} %</span>',
        "up" if up else "down",
        "▲" if up else "▼",
        "+" if up else MINUS,
        shown,
    )


@register.simple_tag
def site_address(name: str, *args: Any) -> str:
    """Return where a page is, for who reads of it elsewhere; nothing where the site does not know its own address."""
    return f"{settings.SITE_URL.rstrip('/')}{reverse(name, args=args)}" if settings.SITE_URL else ""
