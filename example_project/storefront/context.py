"""The one navigation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from holdfast.api.problems import request_id_of
from holdfast_artisan_shop import selectors as shop
from holdfast_catalog_notify import selectors as catalog
from people.states import Role
from storefront import notices


def everybody(_user: Any) -> bool:
    """Admit visitors, too."""
    return True


def signed_in(user: Any) -> bool:
    """Admit who is signed in."""
    return bool(user.is_authenticated)


def customers(user: Any) -> bool:
    """Admit who is signed in and does not work here: whoever does finds it behind the door before."""
    return signed_in(user) and not user.is_staff


def admins(user: Any) -> bool:
    """Admit the staff."""
    return signed_in(user) and user.is_staff


def artisans(user: Any) -> bool:
    """Admit who is an artisan, and who acts for a shop."""
    return customers(user) and (user.role == Role.ARTISAN or shop.shops_of(actor_id=user.pk).exists())


@dataclass(frozen=True)
class Door:
    """One entry of the navigation; ``names`` are the pages behind it, besides the first."""

    title: str
    icon: str
    name: str
    names: frozenset[str] = frozenset()
    admits: Callable[[Any], bool] = signed_in

    @property
    def address(self) -> str:
        """Where it leads."""
        return reverse(f"storefront:{self.name}")


_MONEY = {"account", "open-account", "top-up", "pay-out", "statement", "transfer"}
_MOVING = {"send", "send-confirm", "exchange", "exchange-confirm", "holds", "hold-place", "hold-pay"}
_ROOMS = {"orders", "order", "wares", "ware", "ware-new", "ware-change", "plan", "slots", "alerts"}
_ROOMS |= {
    "ware-pictures",
    "ware-choice-new",
    "ware-choice",
    "days-off",
    "hours",
    "members",
    "coupons",
    "payouts",
    "payout",
}

DOORS = [
    Door("Market", "market", "market", frozenset({"near", "shop", "ware"}), everybody),
    Door("Orders", "box", "orders", frozenset({"order", "order-slot", "basket", "checkout", "waiting"}), customers),
    Door(
        "Workshop",
        "hammer",
        "workshop",
        frozenset({f"shop-{room}" for room in (*_ROOMS, "open", "figures", "change")}),
        artisans,
    ),
    Door("Wallet", "wallet", "wallet", frozenset(_MONEY | _MOVING)),
    Door("Cards", "card", "cards", frozenset({"card", "order-card", "lost-card", "end-card"})),
    Door("Defects", "defect", "defects", frozenset({"defect", "report-defect", "change-defect", "delete-defect"})),
    Door("Catalog", "catalog", "catalog", frozenset({"product", "product-new", "product-change"}), everybody),
    Door("Inbox", "inbox", "inbox", frozenset(), admins),
]

MAY = "holdfast_catalog_notify."
# What the admins of the catalog find within it: the page, and the permission that it takes.
SECTIONS = [
    (
        Door(
            "Products",
            "catalog",
            "catalog",
            frozenset({"product", "product-new", "product-change", "product-delete", "prices", "import"}),
        ),
        "",
    ),
    (Door("Inbox", "inbox", "inbox"), ""),
    (Door("How I am told", "bell", "told"), ""),
    (Door("Changes", "ledger", "changes", frozenset({"change-set", "product-history"})), f"{MAY}view_change"),
    (Door("Deliveries", "send", "deliveries"), f"{MAY}view_delivery"),
    (Door("Reports", "chart", "reports"), f"{MAY}view_dailyviews"),
    (Door("Admins", "people", "admins", frozenset({"admin-new", "admin", "admin-delete"})), f"{MAY}manage_admins"),
]
MAILBOX = Door("Mails", "mail", "mailbox", frozenset({"mail"}))


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Return the doors that are open to who asks, which of them is open now, and how much waits behind them."""
    user = getattr(request, "user", None)
    if user is None:
        return {"request_id": request_id_of(request)}
    match = request.resolver_match
    here = match.url_name if match is not None and match.namespace == "storefront" else ""
    doors = [door for door in DOORS if door.admits(user)]
    found: dict[str, Any] = {"doors": doors, "here": here, "current_door": _open_now(doors, here)}
    found["request_id"] = request_id_of(request)
    if user.is_authenticated:
        found["unread"] = notices.unread(user_id=user.pk)
        found["in_basket"] = shop.basket_of(customer_id=user.pk).order_by().count()
    if admins(user):
        sections = [door for door, permission in SECTIONS if not permission or user.has_perm(permission)]
        sections += [MAILBOX] if settings.MAILBOX_DIR else []
        section = _open_now(sections, here)
        found |= {
            "unread_changes": catalog.inbox(user_id=user.pk, unread=True).count(),
            "sections": sections,
            "mail_catcher": settings.MAILBOX_PAGE,
            "current_section": section,
        }
        # The sections are all behind the catalog's door, but for the inbox, which has one of its own.
        if section is not None and found["current_door"] is None:
            found["current_door"] = next(door for door in doors if door.name == "catalog")
    return found


def _open_now(doors: list[Door], here: str | None) -> Door | None:
    return next((door for door in doors if here == door.name or here in door.names), None)
