"""Categories: the tree that everything sold hangs in. It is the whole market's, so who may write it is the door's."""

from typing import NotRequired, TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Value
from django.db.models.functions import Concat, Substr

from holdfast.ids import uuid7
from holdfast.outbox import emit
from holdfast.transactions import atomic_for
from holdfast_artisan_shop.events import CategoryChanged
from holdfast_artisan_shop.exceptions import (
    CategoryCircular,
    CategoryInUse,
    CategoryNotFound,
    CategoryUnknown,
    NameTaken,
)
from holdfast_artisan_shop.models import Category, Product
from holdfast_artisan_shop.models.shops import NAME_LENGTH
from holdfast_artisan_shop.services.rows import using
from holdfast_artisan_shop.services.texts import check_text

DEPTH_MAX = 25


class CategoryValues(TypedDict):
    """What can be said of a category; what is left out stays as it is. ``parent_id`` ``None`` is the root."""

    name: NotRequired[str]
    parent_id: NotRequired[UUID | None]


@atomic_for(Category)
def create_category(*, name: str, parent_id: UUID | None = None) -> Category:
    """Add a category, below another or at the root.

    Raises ``TextInvalid``, ``NameTaken``, ``CategoryUnknown``. Emits ``CategoryChanged``.
    """
    check_text("name", name, NAME_LENGTH, required=True)
    parent = known_category(parent_id) if parent_id else None
    category = Category(id=uuid7(), name=name, parent=parent)
    category.path = _path(category, parent)
    _save_named(category)
    return _told(category)


@atomic_for(Category)
def change_category(*, category_id: UUID, **values: Unpack[CategoryValues]) -> Category:
    """Rename a category, or move it with all that is below it to another parent or to the root.

    Raises ``CategoryNotFound``, ``TextInvalid``, ``NameTaken``, ``CategoryUnknown``, ``CategoryCircular``. Emits
    ``CategoryChanged``.
    """
    # The whole tree: two who move branches into each other must not both succeed.
    list(Category.objects.using(using()).select_for_update().order_by("pk").values_list("pk"))
    category = Category.objects.using(using()).filter(pk=category_id).first()
    if category is None:
        raise CategoryNotFound(category_id=str(category_id))
    category.name = values.get("name", category.name)
    check_text("name", category.name, NAME_LENGTH, required=True)
    before = category.path
    if "parent_id" in values:
        parent = known_category(values["parent_id"]) if values["parent_id"] else None
        if parent is not None and parent.path.startswith(category.path):
            raise CategoryCircular
        category.parent, category.path = parent, _path(category, parent)
    _save_named(category)
    if category.path != before:
        below = Category.objects.using(using()).filter(path__startswith=before).exclude(pk=category.pk)
        below.update(path=Concat(Value(category.path), Substr("path", len(before) + 1)))
    return _told(category)


@atomic_for(Category)
def delete_category(*, category_id: UUID) -> None:
    """Delete a category in which nothing is.

    Raises ``CategoryNotFound``, ``CategoryInUse``. Emits ``CategoryChanged``.
    """
    categories, products = Category.objects.using(using()), Product.objects.using(using())
    category = categories.select_for_update().filter(pk=category_id).first()
    if category is None:
        raise CategoryNotFound(category_id=str(category_id))
    if categories.filter(parent=category).exists() or products.filter(category=category).exists():
        raise CategoryInUse(category_id=str(category_id))
    _told(category, removed=True)
    category.delete()


def known_category(category_id: UUID) -> Category:
    """Return the category that something shall be in, locked. Raises ``CategoryUnknown``."""
    # Whoever moves or deletes it just now is waited for, or waits: a path below the old one would lead nowhere.
    category = Category.objects.using(using()).select_for_update(no_key=True).filter(pk=category_id).first()
    if category is None:
        raise CategoryUnknown(category_id=str(category_id))
    return category


def _path(category: Category, parent: Category | None) -> str:
    path = f"{parent.path if parent else ''}{category.pk.hex}/"
    if path.count("/") > DEPTH_MAX:
        raise CategoryUnknown("A category is at most this deep.", maximum=DEPTH_MAX)
    return path


def _save_named(category: Category) -> None:
    try:
        with atomic_for(Category):
            category.save(using=using())
    except IntegrityError:
        raise NameTaken(name=category.name) from None


def _told(category: Category, *, removed: bool = False) -> Category:
    parent_id = str(category.parent_id) if category.parent_id else None
    emit(
        CategoryChanged(category_id=str(category.pk), parent_id=parent_id, name=category.name, removed=removed),
        using=using(),
    )
    return category
