"""Change sets: what one transaction changed is told once, however many verbs had a part in it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction

from holdfast.money import Money, from_minor, to_minor
from holdfast.outbox import emit
from holdfast_catalog_notify.events import ProductsChanged
from holdfast_catalog_notify.models import Change, ChangeSet, Product
from holdfast_catalog_notify.states import Action, Door

EVENT_CHANGES = 100
EVENT_TEXT = 200
BATCH = 500


@dataclass(frozen=True)
class Snapshot:
    """What can be seen of a product at one moment, in plain values."""

    product_id: UUID
    brand_id: UUID
    sku: str
    name: str
    fields: Mapping[str, Any]

    @classmethod
    def of(cls, product: Product) -> "Snapshot":
        """Look at a product, whose brand and category have been read."""
        fields = {
            "sku": product.sku,
            "name": product.name,
            "description": product.description,
            "price": price_text(product.price),
            "brand": product.brand.name,
            "category": product.category.name if product.category else None,
            "image_url": product.image_url,
            "active": product.active,
        }
        return cls(product.pk, product.brand_id, product.sku, product.name, fields)


@dataclass
class Recorder:
    """Takes down what a block changes; the first look at a product and the last one count."""

    actor_id: Any
    door: Door
    _entries: list[tuple[Snapshot | None, Snapshot | None]] = field(default_factory=list)

    def add(self, before: Snapshot | None, after: Snapshot | None) -> None:
        """Note a product as it was, ``None`` for a new one, and as it is, ``None`` for a deleted one."""
        self._entries.append((before, after))

    def mark(self) -> int:
        """Return a place to come back to."""
        return len(self._entries)

    def rewind(self, mark: int) -> None:
        """Forget what came after the mark: it was rolled back."""
        del self._entries[mark:]

    def write(self) -> ChangeSet | None:
        """Write the change set and emit its event; return ``None`` if in the end nothing is different."""
        changes = [change for change in map(_change_of, *self._merged()) if change is not None]
        if not changes:
            return None
        change_set = ChangeSet(actor_id=self.actor_id, actor_name=_name_of(self.actor_id), door=self.door)
        change_set.save(force_insert=True)
        for change in changes:
            change.change_set = change_set
        Change.objects.bulk_create(changes, batch_size=BATCH)
        emit(
            ProductsChanged(
                change_set_id=str(change_set.pk),
                actor_id=None if self.actor_id is None else plain_id(self.actor_id),
                door=str(self.door),
                total=len(changes),
                changes=[_told(change) for change in changes[:EVENT_CHANGES]],
            )
        )
        return change_set

    def _merged(self) -> tuple[list[Snapshot | None], list[Snapshot | None]]:
        first: dict[UUID, Snapshot | None] = {}
        last: dict[UUID, Snapshot | None] = {}
        for before, after in self._entries:
            product_id = (before or after).product_id  # type: ignore[union-attr]  # one of them is there
            first.setdefault(product_id, before)
            last[product_id] = after
        return list(first.values()), [last[product_id] for product_id in first]


_open: ContextVar[Recorder | None] = ContextVar("holdfast_catalog_notify_change_set", default=None)


@contextmanager
def change_set(*, actor_id: Any = None, door: Door = Door.SERVICE) -> Iterator[Recorder]:
    """Make the block one transaction and what its verbs change one change set, told as one notification.

    A block within a block is a part of the outer one, whose door and actor count. Raises ``ValueError`` if the inner
    one is somebody else's. Emits ``ProductsChanged`` if anything is different at the end.
    """
    outer = _open.get()
    if outer is None:
        with transaction.atomic():
            recorder = Recorder(actor_id, door)
            token = _open.set(recorder)
            try:
                yield recorder
            finally:
                _open.reset(token)
            recorder.write()
        return
    if actor_id is not None and actor_id != outer.actor_id:
        raise ValueError("A change set has one actor.")
    mark = outer.mark()
    try:
        with transaction.atomic():
            yield outer
    except BaseException:
        outer.rewind(mark)
        raise


def price_text(price: Money) -> str:
    """Return a price with the decimals of its currency: ``12.00 EUR``."""
    shown = from_minor(to_minor(price), price.currency)
    return f"{shown.amount} {shown.currency}"


def plain_id(user_id: Any) -> int | str:
    """Return a user's id as JSON holds it: the host's user model may have ids of any type."""
    return user_id if isinstance(user_id, int) else str(user_id)


def _name_of(actor_id: Any) -> str:
    actor = None if actor_id is None else get_user_model()._default_manager.filter(pk=actor_id).first()  # noqa: SLF001 - what Django documents for models not one's own
    return "" if actor is None else str(actor.get_username())[:254]


def _change_of(before: Snapshot | None, after: Snapshot | None) -> Change | None:
    known = after or before
    if known is None or before == after:
        return None
    old = before.fields if before else {}
    new = after.fields if after else {}
    values = {
        name: {"old": old.get(name), "new": new.get(name)}
        for name in known.fields
        # Of what was never there nobody says that it is empty.
        if old.get(name) != new.get(name) and {old.get(name), new.get(name)} != {None, ""}
    }
    action = Action.CHANGED if before and after else Action.CREATED if after else Action.DELETED
    return Change(
        product_id=known.product_id,
        brand_id=known.brand_id,
        sku=known.sku,
        name=known.name,
        action=action,
        values=values,
        price_changed="price" in values,
    )


def _told(change: Change) -> dict[str, Any]:
    return {
        "product_id": str(change.product_id),
        "sku": change.sku,
        "name": change.name,
        "action": str(change.action),
        "values": {name: {when: _short(value) for when, value in pair.items()} for name, pair in change.values.items()},
    }


def _short(value: Any) -> Any:
    # A row of the outbox is no place for two descriptions of each product; the change has them whole.
    return f"{value[:EVENT_TEXT]}…" if isinstance(value, str) and len(value) > EVENT_TEXT else value
