"""A model field for prices: django-money's, in which the currency travels with the amount.

django-money keeps an amount and its currency in two columns and, in some places, writes or reads only the first: 4 GBP
saved over 5 USD becomes 4 USD. Here both columns are written and read together, whichever way Django takes:

- ``save(update_fields=["price"])`` and ``update_or_create(defaults={"price": ...})``;
- ``bulk_update(rows, ["price"])``, ``bulk_create(rows, update_conflicts=True, update_fields=["price"])``;
- ``defer("price")`` and ``only("price")``.

And migrations do not know the currencies: the names that Babel has for 300 of them, or a host's choice of some, would
make ``makemigrations`` write a migration into a package that nobody changed.

A ledger needs integers and a constraint of its own, not this field.
"""

# mypy: disallow-untyped-calls=False
# django-money is not typed, and this is a subclass of it.

from collections.abc import Callable, Collection, Iterable
from functools import cache, wraps
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.signals import class_prepared
from djmoney.models.fields import CurrencyField, MoneyFieldProxy
from djmoney.models.fields import MoneyField as DjangoMoneyField
from djmoney.utils import MONEY_CLASSES, get_currency_field_name

__all__ = ["MoneyField"]


class _BothColumns(MoneyFieldProxy):
    """Reads an amount together with its currency, loading what was deferred."""

    def __get__(self, row: models.Model | None, owner: type[models.Model] | None = None) -> Any:
        if row is not None:
            deferred = [name for name in (self.field.attname, self.currency_field_name) if name not in row.__dict__]
            if deferred:
                row.refresh_from_db(fields=deferred)
        return super().__get__(row, owner)

    def __set__(self, row: models.Model, value: Any) -> None:
        if self.currency_field_name not in row.__dict__ and not isinstance(value, MONEY_CLASSES):
            # The amount of a row whose currency is deferred: django-money would ask for the currency, and find none.
            row.__dict__[self.field.attname] = self.field.to_python(value)
        else:
            super().__set__(row, value)


class MoneyField(DjangoMoneyField):
    """A price: an exact amount and its currency, never one without the other. There is no default currency."""

    def __init__(
        self,
        verbose_name: str | None = None,
        name: str | None = None,
        max_digits: int = 19,
        decimal_places: int = 4,
        **kwargs: Any,
    ) -> None:
        # Both are settings of the host in django-money, and would be in our migrations.
        kwargs.setdefault("default_currency", None)
        kwargs["currency_max_length"] = 3
        kwargs.setdefault("money_descriptor_class", _BothColumns)
        super().__init__(verbose_name, name, max_digits, decimal_places, **kwargs)

    def to_python(self, value: Any) -> Any:
        """Return the exact amount. Raises ``ValidationError`` for a float, which is exact only by chance."""
        if isinstance(value, float):
            raise ValidationError("An amount is exact: give text or a Decimal, not a float.", code="float")
        return super().to_python(value)

    def deconstruct(self) -> Any:
        """Return what a migration says of the field: nothing that a host's settings or Babel could change."""
        name, _path, args, kwargs = super().deconstruct()
        for of_the_host in ("currency_choices", "currency_max_length", "default_currency"):
            kwargs.pop(of_the_host, None)
        if self.default_currency is not None:
            kwargs["default_currency"] = str(self.default_currency)
        return name, "holdfast.money.MoneyField", args, kwargs

    def contribute_to_class(self, cls: type[models.Model], name: str, *args: Any, **kwargs: Any) -> None:
        """Add both columns, and see to it that whoever writes the one writes the other."""
        super().contribute_to_class(cls, name, *args, **kwargs)
        if not hasattr(cls.save_base, "holdfast_money"):
            cls.save_base = _saving_both(cls.save_base)  # type: ignore[method-assign]  # as Django adds get_FOO_display
        class_prepared.connect(_manage_both, sender=cls, dispatch_uid="holdfast.money")

    def add_currency_field(self, cls: type[models.Model], name: str) -> None:
        """Add the currency's column, without choices."""
        field = CurrencyField(
            price_field=self, max_length=3, default=self.default_currency, editable=False, null=self.null
        )
        field.creation_counter = self.creation_counter - 1  # before the amount, which is read with it
        cls.add_to_class(get_currency_field_name(name, self), field)
        self._currency_field = field


def _with_currencies(model: type[models.Model], names: Iterable[str] | None) -> list[str] | None:
    """Return the names and, for each amount among them, its currency's."""
    if names is None:
        return None
    together = dict.fromkeys(names)
    for field in model._meta.concrete_fields:
        if isinstance(field, MoneyField) and field.name in together:
            together[get_currency_field_name(field.name, field)] = None
    return list(together)


def _saving_both(save_base: Callable[..., None]) -> Callable[..., None]:
    @wraps(save_base)
    def save_both(self: models.Model, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        names = _with_currencies(type(self), update_fields)
        save_base(self, *args, update_fields=None if names is None else frozenset(names), **kwargs)

    save_both.holdfast_money = True  # type: ignore[attr-defined]  # once, however many prices
    return save_both


class _BothInBulk(models.QuerySet[Any]):
    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        return super().bulk_update(objs, _with_currencies(self.model, fields) or (), batch_size)

    def bulk_create(
        self,
        objs: Iterable[Any],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,  # noqa: FBT001, FBT002 - Django's signature
        update_conflicts: bool = False,  # noqa: FBT001, FBT002 - as above
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[Any]:
        both = _with_currencies(self.model, update_fields)
        return super().bulk_create(objs, batch_size, ignore_conflicts, update_conflicts, both, unique_fields)


def _manage_both(sender: type[models.Model], **_kwargs: Any) -> None:
    # A manager of an abstract base is copied into each model, and copied anew when Django's caches expire: change the
    # original, and the copies that are there already.
    originals = [manager for base in sender.__mro__ if hasattr(base, "_meta") for manager in base._meta.local_managers]
    for manager in (*originals, *sender._meta.managers):
        if not issubclass(manager.__class__, _BothManaged):
            manager.__class__ = _mixed(_BothManaged, manager.__class__)


class _BothManaged:
    def get_queryset(self) -> models.QuerySet[Any]:
        queryset: models.QuerySet[Any] = super().get_queryset()  # type: ignore[misc]  # the manager's, behind us
        queryset.__class__ = _mixed(_BothInBulk, queryset.__class__)
        return queryset


@cache
def _mixed(mixin: type, base: type) -> type:
    return type(base.__name__, (mixin, base), {"__module__": base.__module__})
