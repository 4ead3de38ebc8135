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
from holdfast.transactions import atomic_for
from holdfast_catalog_notify.events import ProductsChanged
from holdfast_catalog_notify.models import Change, ChangeSet, Product
from holdfast_catalog_notify.services.rows import using
from holdfast_catalog_notify.states import Action, Door

EVENT_CHANGES = 100
EXCERPT_LENGTH = 200
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


@dataclass(eq=False)
class Part:
    """Takes down what one block of a change set changes."""

    entries: list[tuple[Snapshot | None, Snapshot | None]] = field(default_factory=list)

    def add(self, before: Snapshot | None, after: Snapshot | None) -> None:
        """Note a product as it was, ``None`` for a new one, and as it is, ``None`` for a deleted one."""
        self.entries.append((before, after))

    def __call__(self) -> None:
        """Do nothing: that Django means to call it after the commit says that the part is not rolled back."""


@dataclass
class Recorder:
    """Gathers the parts of a change set; of each product the first look and the last one count."""

    actor_id: Any
    door: Door
    _parts: list[Part] = field(default_factory=list)

    @contextmanager
    def part(self) -> Iterator[Part]:
        """Make the block a transaction, or a savepoint in one, and a part of the change set."""
        part = Part()
        self._parts.append(part)
        with atomic_for(ChangeSet):
            # Whichever savepoint is rolled back, this block's or one around it of whoever calls us, Django forgets
            # what was to be called after the commit of anything within it.
            transaction.on_commit(part, using=using())
            yield part

    def write(self) -> ChangeSet | None:
        """Write the change set and emit its event; return ``None`` if in the end nothing is different."""
        changes = [change for change in map(_change_of, *self._merged()) if change is not None]
        if not changes:
            return None
        change_set = ChangeSet(
            actor_id=self.actor_id, actor_name=_name_of(self.actor_id), door=self.door, total=len(changes)
        )
        change_set.save(force_insert=True)
        for change in changes:
            change.change_set = change_set
        Change.objects.using(using()).bulk_create(changes, batch_size=BATCH)
        emit(
            ProductsChanged(
                change_set_id=str(change_set.pk),
                actor_id=None if self.actor_id is None else plain_id(self.actor_id),
                door=str(self.door),
                total=len(changes),
                changes=[_told(change) for change in changes[:EVENT_CHANGES]],
            ),
            using=using(),
        )
        return change_set

    def _merged(self) -> tuple[list[Snapshot | None], list[Snapshot | None]]:
        first: dict[UUID, Snapshot | None] = {}
        last: dict[UUID, Snapshot | None] = {}
        kept = {id(call) for _savepoints, call, *_more in transaction.get_connection(using()).run_on_commit}
        entries = (entry for part in self._parts if id(part) in kept for entry in part.entries)
        for before, after in entries:
            product_id = (before or after).product_id  # type: ignore[union-attr]  # one of them is there
            first.setdefault(product_id, before)
            last[product_id] = after
        return list(first.values()), [last[product_id] for product_id in first]


_open: ContextVar[Recorder | None] = ContextVar("holdfast_catalog_notify_change_set", default=None)


@contextmanager
def change_set(*, actor_id: Any = None, door: Door = Door.SERVICE) -> Iterator[Part]:
    """Make the block one transaction and what its verbs change one change set, told as one notification.

    A block within a block is a part of the outer one, whose door and actor count; what is rolled back of it, by
    whomever, is told to nobody. Raises ``ValueError`` if the inner one is somebody else's. Emits ``ProductsChanged`` if
    anything is different at the end.
    """
    outer = _open.get()
    if outer is not None:
        if actor_id is not None and actor_id != outer.actor_id:
            raise ValueError("A change set has one actor.")
        with outer.part() as part:
            yield part
        return
    recorder = Recorder(actor_id, door)
    with atomic_for(ChangeSet):
        token = _open.set(recorder)
        try:
            with recorder.part() as part:
                yield part
        finally:
            _open.reset(token)
        recorder.write()


def price_text(price: Money) -> str:
    """Return a price with the decimals of its currency: ``12.00 EUR``."""
    shown = from_minor(to_minor(price), price.currency)
    return f"{shown.amount} {shown.currency}"


def plain_id(user_id: Any) -> int | str:
    """Return a user's id as JSON holds it: the host's user model may have ids of any type."""
    return user_id if isinstance(user_id, int) else str(user_id)


def excerpts(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what each field was and is, long texts cut.

    Neither a row of the outbox nor a mail is a place for two descriptions of each product; the change has them whole.
    """
    return {name: {when: _excerpt(value) for when, value in pair.items()} for name, pair in values.items()}


def _name_of(actor_id: Any) -> str:
    users = get_user_model()._default_manager.using(using())  # noqa: SLF001 - what Django documents for models not one's own
    actor = None if actor_id is None else users.filter(pk=actor_id).first()
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
        "values": excerpts(change.values),
    }


def _excerpt(value: Any) -> Any:
    return f"{value[:EXCERPT_LENGTH]}…" if isinstance(value, str) and len(value) > EXCERPT_LENGTH else value
