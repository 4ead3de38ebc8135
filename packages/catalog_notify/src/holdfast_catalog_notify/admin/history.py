"""The history, to be looked at."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from holdfast.windows import Panel, WindowAdmin
from holdfast_catalog_notify.models import Change, ChangeSet

SHOWN = 200


@admin.register(ChangeSet)
class ChangeSetAdmin(WindowAdmin):
    """What each transaction changed."""

    list_display = ("at", "actor_name", "door")
    list_filter = ("door",)
    search_help_text = "The id of a change set."

    def panels(self, request: HttpRequest, obj: ChangeSet) -> Iterable[Panel]:
        """Show the products in it."""
        changes = list(obj.changes.order_by("pk")[: SHOWN + 1])
        rows = [(change.sku, change.name, change.get_action_display(), told(change.values)) for change in changes]
        more = "There are more; the API lists them all." if len(rows) > SHOWN else ""
        return [Panel("Changes", ("SKU", "Name", "Action", "What"), rows[:SHOWN], more)]


@admin.register(Change)
class ChangeAdmin(WindowAdmin):
    """What happened to each product."""

    list_display = ("at", "sku", "name", "action", "what", "actor")
    list_filter = ("action", "price_changed")
    list_select_related = ("change_set",)
    search_fields = ("sku",)
    search_help_text = "The id of a change, or a SKU."

    def matching_login(self, login: str) -> Q:
        """Find a SKU."""
        return Q(sku=login)

    @admin.display(description="At")
    def at(self, change: Change) -> Any:
        """Say when."""
        return change.change_set.at

    @admin.display(description="Who")
    def actor(self, change: Change) -> str:
        """Say who."""
        return change.change_set.actor_name or "-"

    @admin.display(description="What")
    def what(self, change: Change) -> str:
        """Say from what to what."""
        return told(change.values)


def told(values: dict[str, dict[str, Any]]) -> str:
    """Return what was changed in one line."""
    return ", ".join(f"{name}: {pair['old']} → {pair['new']}"[:120] for name, pair in values.items())
