"""The one navigation."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from storefront import notices


@dataclass(frozen=True)
class Door:
    """One entry of the navigation; ``names`` are the pages behind it."""

    title: str
    icon: str
    address: str
    current: bool


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Return the doors that are open to who asks, and how many notices wait."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"doors": [], "unread": 0, "environment": settings.ENVIRONMENT}
    return {
        "doors": [_door(request, *door) for door in _DOORS],
        "unread": notices.unread(user_id=user.pk),
        "environment": settings.ENVIRONMENT,
    }


_DOORS = [
    (
        "Wallet",
        "wallet",
        "storefront:wallet",
        {"wallet", "account", "open-account", "top-up", "pay-out", "statement", "transfer"},
    ),
    ("Send", "send", "storefront:send", {"send", "send-confirm"}),
    ("Exchange", "swap", "storefront:exchange", {"exchange", "exchange-confirm"}),
    ("Set aside", "hold", "storefront:holds", {"holds", "hold-place", "hold"}),
    ("Activity", "bell", "storefront:activity", {"activity"}),
]


def _door(request: HttpRequest, title: str, icon: str, name: str, names: set[str]) -> Door:
    match = request.resolver_match
    here = match is not None and match.namespace == "storefront" and match.url_name in names
    return Door(title=title, icon=icon, address=reverse(name), current=here)
