"""What goes in and what comes out, each operation by itself.

Outputs show one's own side only: a transfer never tells the other party's balance.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from holdfast.api.fields import MoneyField
from holdfast.api.serializers import StrictSerializer
from holdfast.errors import Refusal
from holdfast_wallet.states import AccountState, HoldState, PaymentState

SerializerT = TypeVar("SerializerT", bound=type[serializers.Serializer[Any]])

MAX_BATCH = 100
MAX_METADATA_ITEMS = 20
MAX_METADATA_NAME = 40
RESERVED = "holdfast_wallet."


MINE, YOURS = "018f3c5e-7a10-7cc1-b1a2-3b5d0c9e4f01", "018f3c5e-7a10-7cc1-b1a2-3b5d0c9e4f02"
MONEY = {"amount": "12.30", "currency": "EUR"}


def example(body: dict[str, Any]) -> Callable[[SerializerT], SerializerT]:
    """Show a body in the document."""
    return extend_schema_serializer(examples=[OpenApiExample("A request", value=body, request_only=True)])


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(serializers.Field[dt.datetime, str, str, Any]):
    """A moment in ISO 8601; a bare date stands for its first moment in the current time zone."""

    default_error_messages = {"invalid": _("Give a date or a date and time in ISO 8601, such as 2026-11-20T12:00:00Z.")}

    def to_internal_value(self, data: Any) -> dt.datetime:
        """Parse either form; a time without an offset is in the current time zone."""
        try:
            day = parse_date(data)
            moment = parse_datetime(data) if day is None else dt.datetime.combine(day, dt.time.min)
        except (TypeError, ValueError):
            moment = None
        # Before 1970 there is no money of ours; years 1 and 9999 cannot be told in every time zone.
        if moment is None or not 1970 <= moment.year < 9999:
            self.fail("invalid")
        return timezone.make_aware(moment) if timezone.is_naive(moment) else moment

    def to_representation(self, value: dt.datetime) -> str:
        """Return ISO 8601."""
        return value.isoformat()


class MetadataField(serializers.DictField):
    """Up to twenty short texts of the caller's own, such as an order's number."""

    child = serializers.CharField(max_length=500, allow_blank=True)
    default_error_messages = {
        "too_many": _("At most {limit} items."),
        "bad_name": _("A name has 1 to 40 characters and does not begin with {reserved}"),
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Limit the number of items and the length of their names."""
        values: dict[str, str] = super().to_internal_value(data)
        if len(values) > MAX_METADATA_ITEMS:
            self.fail("too_many", limit=MAX_METADATA_ITEMS)
        for name in values:
            if not 1 <= len(name) <= MAX_METADATA_NAME or name.startswith(RESERVED):
                self.fail("bad_name", reserved=RESERVED)
        return values


# What several doors share


class Nothing(StrictSerializer):
    """The body of a request that needs none."""


class ReadAs(StrictSerializer):
    """In whose scope to read."""

    owner = serializers.CharField(
        required=False, max_length=64, help_text="For staff: a user's id, `house`, or (in lists) `all`. Left out: mine."
    )


# Accounts


@example({"currency": "EUR", "name": "Holidays"})
class OpenAccountInput(StrictSerializer):
    """What a user may choose when he opens an account; its limits are the host's to set."""

    currency = serializers.CharField(min_length=3, max_length=3, help_text="ISO 4217, such as EUR.")
    name = serializers.CharField(max_length=100, allow_blank=True, default="")
    is_default = serializers.BooleanField(
        required=False, help_text="Make it the default of its currency; left out: if it is the first."
    )


@example({"name": "Holidays"})
class RenameAccountInput(StrictSerializer):
    """The name that its owner gives an account."""

    name = serializers.CharField(max_length=100, allow_blank=True)


class AccountOutput(serializers.Serializer[Any]):
    """An account as its owner sees it."""

    id = serializers.UUIDField()
    owner = serializers.CharField(source="owner_id", allow_null=True)
    role = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    currency = serializers.CharField()
    state = serializers.ChoiceField(choices=AccountState.choices)
    is_default = serializers.BooleanField()
    balance = MoneyField()
    held = MoneyField()
    available = MoneyField(allow_null=True, help_text="What can be spent: balance - held + overdraft limit.")
    overdraft_limit = MoneyField(allow_null=True)
    maximum_balance = MoneyField(allow_null=True)
    version = serializers.IntegerField(help_text="Counts the transfers that touched the account, without gaps.")
    created_at = serializers.DateTimeField()


class AccountFilter(ReadAs):
    """Which accounts to list."""

    currency = serializers.CharField(min_length=3, max_length=3, required=False)
    state = serializers.ChoiceField(choices=AccountState.choices, required=False)
    is_default = serializers.BooleanField(required=False)


class AtInput(ReadAs):
    """Which moment is asked for."""

    at = MomentField(required=False, help_text="The moment; now when left out.")
    effective = serializers.BooleanField(
        default=False, help_text="By when transfers count, not by when they were recorded."
    )


class BalanceOutput(serializers.Serializer[Any]):
    """The balance as it was recorded at a moment."""

    account = serializers.UUIDField()
    at = serializers.DateTimeField()
    balance = MoneyField()


class EntryOutput(serializers.Serializer[Any]):
    """One side of a transfer: what it did to one account."""

    account = serializers.UUIDField(source="account_id")
    version = serializers.IntegerField()
    transfer = serializers.UUIDField(source="transfer_id")
    journal = serializers.UUIDField(source="journal_id", help_text="The transaction that it belongs to.")
    counterparty = serializers.UUIDField(source="counterparty_id", help_text="The other account.")
    kind = serializers.CharField()
    amount = MoneyField(help_text="Signed: negative when money left.")
    balance = MoneyField(help_text="The account's balance after it.")
    effective_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()


# Transfers


@example({"source": MINE, "target": YOURS, "amount": MONEY, "metadata": {"order": "4711"}})
class TransferInput(StrictSerializer):
    """Money from one of my accounts to any other."""

    source = serializers.UUIDField(source="source_id", help_text="One of my accounts.")  # type: ignore[assignment]  # a field of the API, not of the class
    target = serializers.UUIDField(source="target_id", help_text="The account that receives, mine or not.")
    amount = MoneyField()
    metadata = MetadataField(default=dict, help_text="Both parties can read it.")


@example({"atomic": False, "transfers": [{"source": MINE, "target": YOURS, "amount": MONEY}]})
class BatchInput(StrictSerializer):
    """Several transfers at once."""

    atomic = serializers.BooleanField(default=True, help_text="All or none; false: each by itself.")
    transfers = serializers.ListField(child=TransferInput(), min_length=1, max_length=MAX_BATCH)


class TransferOutput(serializers.Serializer[Any]):
    """A transfer as either party sees it."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    amount = MoneyField()
    source = serializers.UUIDField(source="source_id")  # type: ignore[assignment]  # a field of the API, not of the class
    target = serializers.UUIDField(source="target_id")
    journal = serializers.UUIDField(source="journal_id", help_text="The transaction that it belongs to.")
    reverses = serializers.UUIDField(source="reverses_id", allow_null=True)
    hold = serializers.UUIDField(source="hold_id", allow_null=True)
    effective_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    metadata = serializers.DictField()


class RefusalOutput(serializers.Serializer[Any]):
    """Why one transfer of a batch was refused."""

    code = serializers.CharField()
    detail = serializers.CharField()
    context = serializers.DictField()  # type: ignore[assignment]  # as above


def refusal(error: Refusal) -> dict[str, object]:
    """Return a refusal as ``RefusalOutput`` shows it."""
    return {"code": error.code, "detail": error.message, "context": error.context}


class BatchItemOutput(serializers.Serializer[Any]):
    """What became of one transfer of a batch: exactly one of the two is given."""

    transfer = TransferOutput(allow_null=True)
    refusal = RefusalOutput(allow_null=True)


class BatchOutput(serializers.Serializer[Any]):
    """What became of a batch, in the order in which it was sent."""

    results = BatchItemOutput(many=True)


@example({"amount": MONEY, "reason": "Came too late."})
class RefundInput(StrictSerializer):
    """How much of what I received I give back."""

    amount = MoneyField(required=False, help_text="All that is left of it when left out.")
    reason = serializers.CharField(max_length=200, allow_blank=True, default="")


class TransferFilter(ReadAs):
    """Which transfers to list."""

    account = serializers.UUIDField(required=False)
    kind = serializers.CharField(max_length=40, required=False)
    journal = serializers.UUIDField(source="journal_id", required=False)


# Transactions


class LegOutput(serializers.Serializer[Any]):
    """One account's side of a transaction: the legs of each currency add up to zero."""

    transfer = serializers.UUIDField()
    account = serializers.UUIDField()
    kind = serializers.CharField()
    amount = MoneyField(help_text="Signed: negative when money left the account.")


class TransactionHead(serializers.Serializer[Any]):
    """A transaction, told by the first of its transfers."""

    id = serializers.UUIDField(source="journal_id")
    recorded_at = serializers.DateTimeField()


class TransactionOutput(TransactionHead):
    """The transfers of one business event, as legs."""

    legs = LegOutput(many=True)


# Money from and to the outside


@example({"account": MINE, "amount": MONEY})
class PaymentInput(StrictSerializer):
    """How much to bring in, or to pay out."""

    account = serializers.UUIDField(source="account_id")
    amount = MoneyField()
    metadata = MetadataField(default=dict)


class PaymentOutput(serializers.Serializer[Any]):
    """A payment: the money is on the account when it has settled, and not before."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=PaymentState.choices)
    account = serializers.UUIDField(source="account_id")
    amount = MoneyField()
    transfer = serializers.UUIDField(source="transfer_id", allow_null=True)
    reason = serializers.CharField(
        allow_blank=True, help_text="Why it failed, or why the house keeps the money for now."
    )
    created_at = serializers.DateTimeField()


class PaymentFilter(ReadAs):
    """Which payments to list."""

    account = serializers.UUIDField(source="account_id", required=False)
    state = serializers.ChoiceField(choices=PaymentState.choices, required=False)


# Holds


@example({"account": MINE, "amount": MONEY, "expires_at": "2030-01-31T12:00:00Z"})
class PlaceHoldInput(StrictSerializer):
    """How much to set aside, and until when."""

    account = serializers.UUIDField(source="account_id")
    amount = MoneyField()
    expires_at = MomentField(required=False, help_text="The host's default when left out.")
    metadata = MetadataField(default=dict)

    def validate_expires_at(self, moment: dt.datetime) -> dt.datetime:
        """Refuse a hold that would be over before it began."""
        if moment <= timezone.now():
            raise serializers.ValidationError(_("A hold ends in the future."), code="past")
        return moment


@example({"target": YOURS, "amount": MONEY, "final": False})
class CaptureHoldInput(StrictSerializer):
    """How much of a hold to pay, and to whom."""

    target = serializers.UUIDField(source="target_id")
    amount = MoneyField(required=False, help_text="All that is left when left out.")
    final = serializers.BooleanField(default=True, help_text="Release what is left after this.")
    metadata = MetadataField(default=dict)


class HoldOutput(serializers.Serializer[Any]):
    """Money that is set aside on an account."""

    id = serializers.UUIDField()
    account = serializers.UUIDField(source="account_id")
    state = serializers.ChoiceField(choices=HoldState.choices)
    amount = MoneyField()
    captured = MoneyField()
    remaining = MoneyField()
    owner_may_end = serializers.BooleanField(help_text="Whether I may capture and release it.")
    expires_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    metadata = serializers.DictField()


class HoldFilter(ReadAs):
    """Which holds to list."""

    account = serializers.UUIDField(source="account_id", required=False)
    state = serializers.ChoiceField(choices=HoldState.choices, required=False)


# Exchange


@example({"source": MINE, "target": YOURS, "amount": MONEY})
class ExchangeInput(StrictSerializer):
    """How much of one currency to turn into another, at the house's rate."""

    source = serializers.UUIDField(source="source_id", help_text="One of my accounts.")  # type: ignore[assignment]  # a field of the API, not of the class
    target = serializers.UUIDField(source="target_id", help_text="One of my accounts, in another currency.")
    amount = MoneyField(help_text="In the currency of the source.")
    metadata = MetadataField(default=dict)


class QuoteOutput(serializers.Serializer[Any]):
    """What would be sold and bought."""

    rate = serializers.DecimalField(max_digits=None, decimal_places=None, coerce_to_string=True)
    sold = MoneyField()
    bought = MoneyField()
    fee = MoneyField(allow_null=True)


class ExchangeOutput(QuoteOutput):
    """What was sold and bought."""

    fee = MoneyField(source="fee.amount", allow_null=True, default=None)
    id = serializers.UUIDField(source="debit.journal_id", help_text="The transaction.")


# Statements


class StatementInput(ReadAs):
    """Which period."""

    start = MomentField(
        required=False, help_text="The first moment of the period; the first of this month when left out."
    )
    end = MomentField(required=False, help_text="The first moment after the period; now when left out.")


class StatementPageInput(StatementInput):
    """Which period, and which page of its lines."""

    cursor = serializers.CharField(required=False, help_text="Where the page begins; taken from another page's links.")
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=200)


class StatementFrame(serializers.Serializer[Any]):
    """The period, and the balances around it."""

    account = serializers.UUIDField(source="account.id")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    opening = MoneyField()
    closing = MoneyField()
    line_count = serializers.IntegerField(help_text="Of the whole period.")


class StatementOutput(StatementFrame):
    """The frame, and a page of the lines in it."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = EntryOutput(many=True)
