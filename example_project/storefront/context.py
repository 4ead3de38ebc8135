"""The one navigation."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from storefront import notices


@dataclass(frozen=True)
class Door:
    """One entry of the navigation; ``names`` are the pages behind it, besides the first."""

    title: str
    icon: str
    name: str
    names: frozenset[str] = frozenset()

    @property
    def address(self) -> str:
        """Where it leads."""
        return reverse(f"storefront:{self.name}")


DOORS = [
    Door(
        "Wallet",
        "wallet",
        "wallet",
        frozenset({"account", "open-account", "top-up", "pay-out", "statement", "transfer"}),
    ),
    Door("Send", "send", "send", frozenset({"send-confirm"})),
    Door("Exchange", "swap", "exchange", frozenset({"exchange-confirm"})),
    Door("Set aside", "hold", "holds", frozenset({"hold-place", "hold-pay"})),
    Door("Cards", "card", "cards", frozenset({"card", "order-card", "lost-card", "end-card"})),
    Door("Activity", "bell", "activity"),
    Door("Defects", "defect", "defects", frozenset({"defect", "report-defect", "change-defect", "delete-defect"})),
]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Return the doors that are open to who asks, which of them is open now, and how many notices wait behind it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    match = request.resolver_match
    here = match.url_name if match is not None and match.namespace == "storefront" else ""
    current = next((door for door in DOORS if here == door.name or here in door.names), None)
    return {"doors": DOORS, "current_door": current, "unread": notices.unread(user_id=user.pk)}
