"""Forms about money."""

import datetime as dt
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from holdfast.errors import Refusal
from holdfast.money import Money, parse_amount
from holdfast_wallet import selectors
from storefront.templatetags.storefront import plain_money

CURRENCIES = [
    ("EUR", "Euro"),
    ("USD", "US dollar"),
    ("GBP", "Pound sterling"),
    ("CHF", "Swiss franc"),
    ("JPY", "Japanese yen"),
]


def name_of(account: Any) -> str:
    """Return how to call an account."""
    return account.name or f"{account.currency} account"


def _label(account: Any) -> str:
    if account.state != "active":
        return f"{name_of(account)} · {account.state}"
    return f"{name_of(account)} · {plain_money(account.available)} available"


AMOUNT = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "class": "money", "placeholder": "0.00"})


_AMOUNT = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def read_amount(text: str, currency: str) -> Money:
    """Return the money that somebody typed. Raises ``ValidationError``."""
    # "12,50" is how half of the world writes it; "1,250" is left to be refused, because halves disagree about it.
    plain = re.sub(r",(\d{1,2})$", r".\1", re.sub(r"\s", "", text))
    if not _AMOUNT.fullmatch(plain):
        raise ValidationError(
            "Write the amount in figures alone, such as 1000 or 12.50: without signs between the thousands.",
            code="amount_unreadable",
        )
    try:
        return parse_amount(plain, currency)
    except Refusal as refusal:
        raise ValidationError(refusal.message, code=refusal.code) from refusal


class KeyedForm(forms.Form):
    """A form that is meant once: the key travels with it, so that sent twice it happens once."""

    key = forms.UUIDField(widget=forms.HiddenInput)


class OpenAccountForm(forms.Form):
    """A new account."""

    currency = forms.ChoiceField(choices=CURRENCIES)
    name = forms.CharField(
        max_length=60,
        required=False,
        label="Name (optional)",
        help_text="For you only, such as “Everyday” or “Holiday”.",
    )


class MoneyForm(KeyedForm):
    """An amount from or to one of my accounts."""

    account = forms.ChoiceField(label="Account")
    amount = forms.CharField(
        max_length=30,
        widget=AMOUNT,
    )

    field_order = ["account", "amount"]

    def __init__(self, *args: Any, owner_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = selectors.accounts_of(owner_id=owner_id).exclude(state="closed").order_by("-is_default", "created_at")
        self.accounts = {str(account.id): account for account in mine}
        self.fields["account"].choices = [(key, _label(account)) for key, account in self.accounts.items()]  # type: ignore[attr-defined]  # a ChoiceField

    def clean(self) -> dict[str, Any]:
        """Read the amount in the account's currency."""
        values = super().clean() or {}
        if "account" in values:
            values["account"] = self.accounts[values["account"]]
            if "amount" in values:
                try:
                    values["amount"] = read_amount(values["amount"], values["account"].currency)
                except ValidationError as error:
                    self.add_error("amount", error)
        return values


class NotedMoneyForm(MoneyForm):
    """An amount to somebody, with a word about it."""

    recipient = forms.CharField(
        max_length=254,
        label="To",
        help_text="A username, an e-mail address or the id of an account.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    note = forms.CharField(
        max_length=140, required=False, label="Note (optional)", help_text="Both of you can read it."
    )

    field_order = ["account", "recipient", "amount", "note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].label = "From"


class ExchangeForm(MoneyForm):
    """An amount from one of my accounts into another currency of mine."""

    target = forms.ChoiceField(label="Into")
    quote = forms.CharField(required=False, widget=forms.HiddenInput)

    field_order = ["account", "amount", "target"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].label = "From"
        self.fields["target"].choices = self.fields["account"].choices  # type: ignore[attr-defined]  # ChoiceFields
        source = self.accounts.get(str(self.initial.get("account"))) or next(iter(self.accounts.values()), None)
        others = [key for key, account in self.accounts.items() if source and account.currency != source.currency]
        if others:
            self.fields["target"].initial = others[0]
        else:  # the browser would propose the first: the account that the money comes from
            self.fields["target"].choices = [("", "You have no account in another currency")]  # type: ignore[attr-defined]  # a ChoiceField

    def clean(self) -> dict[str, Any]:
        """Read both accounts."""
        values = super().clean()
        if "target" in values:
            values["target"] = self.accounts[values["target"]]
            if "account" in values and values["account"].currency == values["target"].currency:
                self.add_error(
                    "target", ValidationError("Choose an account in another currency.", code="same_currency")
                )
        return values


class SetAsideForm(MoneyForm):
    """Money that stays on the account, but cannot be spent by mistake."""

    note = forms.CharField(max_length=140, required=False, label="What for (optional)")
    days = forms.TypedChoiceField(
        label="For how long",
        coerce=int,
        choices=[(1, "A day"), (7, "A week"), (30, "A month"), (90, "Three months")],
        initial=7,
    )

    field_order = ["account", "amount", "days", "note"]

    @property
    def expires_at(self) -> dt.datetime:
        """When the money is free again by itself."""
        return timezone.now() + dt.timedelta(days=self.cleaned_data["days"])


class PeriodForm(forms.Form):
    """A period of whole days."""

    start = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label="To (including)", widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it begins."""
        values = super().clean() or {}
        if "start" in values and "end" in values and values["end"] < values["start"]:
            self.add_error("end", ValidationError("The period ends before it begins.", code="backwards"))
        return values


class CaptureForm(KeyedForm):
    """How much of what is set aside goes to whom."""

    recipient = forms.CharField(
        max_length=254,
        label="To",
        help_text="A username, an e-mail address or the id of an account.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    amount = forms.CharField(max_length=30, widget=AMOUNT)
    final = forms.BooleanField(required=False, initial=True, label="Free what is left of it")

    field_order = ["recipient", "amount", "final"]

    def __init__(self, *args: Any, hold: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hold = hold
        self.fields["amount"].initial = str(hold.remaining.amount)

    def clean_amount(self) -> Money:
        """Read the amount in the currency of the hold."""
        return read_amount(self.cleaned_data["amount"], self.hold.account.currency)
