"""Fields that several topics share."""

import datetime as dt
import math
from collections.abc import Callable
from functools import reduce
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from holdfast.api.fields import MoneyField
from holdfast.money import from_minor
from holdfast_artisan_shop.selectors.days import EARLIEST, LATEST
from holdfast_artisan_shop.states import (
    CouponKind,
    DeliveryState,
    Fulfillment,
    MoveKind,
    OrderState,
    PaymentState,
    ShopState,
)


class MinorMoneyField(MoneyField):
    """An amount that is kept in minor units, as money: ``MinorMoneyField("total_minor")``.

    ``currency`` is the path to its currency, from the row; ``None`` says that the serializer's context has it.
    """

    def __init__(self, minor: str, currency: str | None = "currency", **options: Any) -> None:
        super().__init__(source="*", read_only=True, **options)
        self.minor = minor
        self.currency = currency

    def to_representation(self, value: Any) -> Any:
        """Return the money, or ``None`` where the row has no such amount."""
        minor = reduce(_of, self.minor.split("."), value)
        return None if minor is None else super().to_representation(from_minor(minor, self._currency(value)))

    def _currency(self, row: Any) -> Any:
        if self.currency is None:
            return self.context["currency"]
        return reduce(_of, self.currency.split("."), row)


class WholeNumberField(serializers.Field[int, Any, int, Any]):
    """A whole number of JSON: neither "2" nor 2.0 nor true. Its range is the verb's to say, with a code of its own."""

    default_error_messages = {"not_a_number": "This is no whole number."}

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("not_a_number")
        return data

    def to_representation(self, value: int) -> int:
        """Return the number."""
        return value


class NumberField(serializers.Field[float, Any, float, Any]):
    """A number of JSON, not "2". Its range is the verb's to say."""

    default_error_messages = {"not_a_number": "This is no number."}

    def to_internal_value(self, data: Any) -> float:
        """Return the number."""
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("not_a_number")
        try:
            return float(data)
        except OverflowError:
            return math.inf if data > 0 else -math.inf  # beyond every range

    def to_representation(self, value: float) -> float:
        """Return the number."""
        return value


class MomentField(serializers.DateTimeField):
    """A moment that every time zone has a word for."""

    default_error_messages = {"out_of_range": "A moment is from 2000 to 2999."}

    def to_internal_value(self, value: Any) -> dt.datetime:
        """Return the moment."""
        moment = super().to_internal_value(value)
        if not EARLIEST.year <= moment.year <= LATEST.year:
            self.fail("out_of_range")
        return moment


class DayField(serializers.DateField):
    """A day that every time zone has a word for."""

    default_error_messages = {"out_of_range": "A day is from 2000 to 2999."}

    def to_internal_value(self, value: Any) -> dt.date:
        """Return the day."""
        day = super().to_internal_value(value)
        if not EARLIEST <= day <= LATEST:
            self.fail("out_of_range")
        return day


def words(choices: type[TextChoices]) -> Callable[..., serializers.ChoiceField]:
    """Return a field for one of our words; the document knows each list of words by one name."""

    class WordsField(serializers.ChoiceField):
        def __init__(self, **options: Any) -> None:
            super().__init__(choices=choices.choices, **options)

    schema = {"type": "string", "enum": list(choices.values)}
    return extend_schema_field(schema, component_name=choices.__name__)(WordsField)


ShopStateField = words(ShopState)
OrderStateField = words(OrderState)
PaymentStateField = words(PaymentState)
DeliveryStateField = words(DeliveryState)
FulfillmentField = words(Fulfillment)
MoveKindField = words(MoveKind)
CouponKindField = words(CouponKind)


class UserIdField(serializers.Field[Any, Any, Any, Any]):
    """The id of a user, of whatever type the host's user model has."""

    default_error_messages = {"invalid": "This is no id of a user."}

    def to_internal_value(self, data: Any) -> Any:
        """Return the id as the user model knows it."""
        if isinstance(data, bool) or not isinstance(data, int | str):
            self.fail("invalid")
        key = get_user_model()._meta.pk
        try:
            user_id = key.to_python(data)
            key.run_validators(user_id)  # above all the range of an integer column
        except (ValidationError, ValueError, OverflowError):
            self.fail("invalid")
        return user_id

    def to_representation(self, value: Any) -> Any:
        """Return the id as JSON holds it."""
        return value if isinstance(value, int) else str(value)


def _of(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, dict) else getattr(row, name)


# As MoneyField, by whose name the document knows it.
extend_schema_field(MoneyField)(MinorMoneyField)
extend_schema_field(OpenApiTypes.INT)(WholeNumberField)
extend_schema_field(OpenApiTypes.DOUBLE)(NumberField)
extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})(UserIdField)
