"""What the outbox's admin pages have in common: they look, and they read a limited range."""

from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest

from holdfast.outbox.models import OutboxSubscriber

COUNT_LIMIT = 10_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Counts no further than anybody pages: to count millions of events would take the page seconds."""

    @cached_property
    def count(self) -> int:
        """The number of rows, or the limit."""
        rows: Any = self.object_list[:COUNT_LIMIT]
        count: int = rows.count()
        return count


class WindowAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Rows that nobody edits: they say what happened."""

    show_full_result_count = False
    paginator = BoundedPaginator
    list_per_page = 50

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody deletes: retention does."""
        return False


def named(subscriber: OutboxSubscriber) -> str:
    """Return what to call a subscriber: a webhook's stable name is an id, and its endpoint has one to read."""
    endpoint = getattr(subscriber, "webhook_endpoint", None)
    return subscriber.name if endpoint is None else f"{endpoint.name} (webhook)"
