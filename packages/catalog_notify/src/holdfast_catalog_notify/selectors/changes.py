"""Reads of the history."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from holdfast_catalog_notify.models import Change


def changes_of(
    *,
    product_id: UUID | None = None,
    change_set_id: UUID | None = None,
    actor_id: Any = None,
    prices_only: bool = False,
) -> QuerySet[Change]:
    """Return the changes that match every filter given, the newest first, each with its change set.

    A deleted product's are among them. ``prices_only`` is the history of the prices.
    """
    filters = {"product_id": product_id, "change_set_id": change_set_id, "change_set__actor_id": actor_id}
    found = Change.objects.filter(**{name: value for name, value in filters.items() if value is not None})
    if prices_only:
        found = found.filter(price_changed=True)
    return found.select_related("change_set")
