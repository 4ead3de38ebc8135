"""The back office's own navigation: the lists of each app under its name, the ones that are worked with first."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True)
class Room:
    """An app: its title, and the symbol of each of its lists, the most asked for first. What is not named follows."""

    labels: tuple[str, ...]
    title: str
    symbols: dict[str, str]


ROOMS = (
    Room(
        ("holdfast_wallet",),
        "Wallet",
        {
            "account": "account_balance_wallet",
            "transfer": "swap_horiz",
            "hold": "lock",
            "payment": "account_balance",
            "seal": "fact_check",
        },
    ),
    Room(
        ("holdfast_artisan_shop",),
        "Market",
        {"order": "shopping_bag", "payment": "payments", "delivery": "local_shipping", "inventoryalert": "warning"},
    ),
    Room(
        ("holdfast_cards",),
        "Cards",
        {"card": "credit_card", "operation": "rule", "discrepancy": "difference", "notice": "inbox"},
    ),
    Room(
        ("holdfast_catalog_notify",),
        "Catalog",
        {"product": "inventory_2", "changeset": "history", "delivery": "mail", "suppression": "block"},
    ),
    Room(("holdfast_defects",), "Defects", {"defect": "bug_report"}),
    Room(
        ("holdfast",),
        "Events",
        {"outboxdeadletter": "report", "webhookendpoint": "webhook", "outboxevent": "bolt"},
    ),
    Room(("people", "auth", "authtoken"), "People", {"user": "group"}),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of lists that somebody may see, each app's in the order in which it is worked with."""
    first = {"title": "Overview", "icon": "dashboard", "link": reverse("admin:index")}
    pages = {"title": "The pages", "icon": "storefront", "link": reverse("storefront:home"), "active": False}
    groups: list[dict[str, Any]] = [{"items": [first, pages]}]
    apps = {app["app_label"]: app["models"] for app in admin.site.get_app_list(request)}
    for room in ROOMS:
        models = [model for label in room.labels for model in apps.pop(label, [])]
        groups.append({"title": room.title, "collapsible": True, "items": _items(models, room)})
    others = [model for models in apps.values() for model in models]
    groups.append({"title": "Else", "collapsible": True, "items": _items(others, Room((), "Else", {}))})
    return [group for group in groups if group["items"]]


def _items(models: list[dict[str, Any]], room: Room) -> list[dict[str, Any]]:
    places = {name: place for place, name in enumerate(room.symbols)}
    return [
        {
            "title": str(model["name"]).capitalize(),
            "icon": room.symbols.get(model["object_name"].lower(), "list"),
            "link": model["admin_url"],
        }
        for model in sorted(models, key=lambda one: places.get(one["object_name"].lower(), len(places)))
        if model.get("admin_url")
    ]
