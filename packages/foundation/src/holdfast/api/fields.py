"""Fields that the domains share."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from djmoney.money import Money
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from holdfast.errors import Refusal
from holdfast.money import exponent, parse_amount

_SCHEMA = {
    "type": "object",
    "properties": {
        "amount": {"type": "string", "pattern": r"^[+-]?[0-9]{1,40}(\.[0-9]{1,40})?$", "examples": ["12.30"]},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]},
    },
    "required": ["amount", "currency"],
    "additionalProperties": False,
}


@extend_schema_field(_SCHEMA, component_name="Money")
class MoneyField(serializers.Field[Money, Any, dict[str, str], Any]):
    """Money as ``{"amount": "12.30", "currency": "EUR"}``: the amount as text, never as a JSON float.

    On input a whole number may also be a JSON integer.
    """

    default_error_messages = {
        "not_an_object": "Money is an object with amount and currency.",
        "required": "This field is required.",
        "unknown_field": "Unknown field.",
        "not_text": "A currency is text of three letters.",
        "float": 'An amount is text, as in "12.30": a float would round it.',
    }

    def to_internal_value(self, data: Any) -> Money:
        """Return the exact money."""
        if not isinstance(data, Mapping):
            self.fail("not_an_object")
        errors = {name: self._error("unknown_field") for name in data if name not in ("amount", "currency")}
        errors |= {name: self._error("required") for name in ("amount", "currency") if name not in data}
        if "currency" in data and not isinstance(data["currency"], str):
            errors["currency"] = self._error("not_text")
        if isinstance(data.get("amount"), float):
            errors["amount"] = self._error("float")
        if errors:
            raise ValidationError(errors)
        about = "currency"
        try:
            exponent(data["currency"])
            about = "amount"
            return parse_amount(data["amount"], data["currency"])
        except Refusal as refusal:
            raise ValidationError({about: [ErrorDetail(refusal.message, code=refusal.code)]}) from refusal

    def to_representation(self, value: Money) -> dict[str, str]:
        """Return the money with all decimals of its currency, and more where it has more."""
        shown = max(exponent(value.currency), -int(value.amount.normalize().as_tuple().exponent))
        return {"amount": f"{Decimal(value.amount):.{shown}f}", "currency": str(value.currency)}

    def _error(self, key: str) -> list[ErrorDetail]:
        return [ErrorDetail(str(self.error_messages[key]), code=key)]
