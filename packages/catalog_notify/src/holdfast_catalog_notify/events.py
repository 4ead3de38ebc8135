"""What is told of the catalog: a frozen, versioned fact of plain values."""

from typing import Any

from holdfast.events import Event


class ProductsChanged(Event, type="holdfast_catalog_notify.products_changed.v1", key="change_set_id"):
    """Products were created, changed or deleted, in one transaction.

    ``changes`` are the first hundred of ``total``, each ``{"product_id", "sku", "name", "action", "values"}`` with
    ``values`` as ``{"price": {"old": "10.00 EUR", "new": "12.00 EUR"}}``; ``selectors.changes_of`` has all of them.
    ``actor_id`` is ``None`` where nobody's name was given.
    """

    change_set_id: str
    actor_id: int | str | None
    door: str
    total: int
    changes: list[dict[str, Any]]
