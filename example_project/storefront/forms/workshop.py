"""Forms of the artisan's side."""

import datetime as dt
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from holdfast.money import Money
from holdfast_artisan_shop.services import VariantValues
from holdfast_artisan_shop.states import Fulfillment
from storefront.forms.market import category_choices
from storefront.forms.wallet import AMOUNT, CURRENCIES, read_amount
from storefront.places import PLACES, TIME_ZONE

PRICE = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "placeholder": "0.00"})
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
SALE_HOURS = [("3", "3 hours"), ("24", "A day"), ("72", "Three days"), ("168", "A week")]


class PricedForm(forms.Form):
    """A form with amounts in the shop's currency."""

    amounts: tuple[str, ...] = ()

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean(self) -> dict[str, Any]:
        """Read the amounts in their currency."""
        values = super().clean() or {}
        for name in self.amounts:
            if values.get(name):
                try:
                    values[name] = self.read(values[name])
                except ValidationError as error:
                    self.add_error(name, error)
        return values

    def read(self, text: str) -> Money:
        """Return an amount that somebody typed. Raises ``ValidationError``."""
        return read_amount(text, self.currency)


class ShopForm(forms.Form):
    """What can be said of a shop."""

    name = forms.CharField(max_length=200)
    description = forms.CharField(max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 4}))
    address = forms.CharField(max_length=500, required=False)
    place = forms.ChoiceField(
        choices=[(place.slug, place.name) for place in PLACES.values()],
        label="Where",
        help_text="Your dot on the map.",
    )
    delivery_radius_km = forms.FloatField(
        min_value=0.1, max_value=500, required=False, label="You deliver within (km)", help_text="Empty: anywhere."
    )

    @property
    def values(self) -> dict[str, Any]:
        """Return what the verbs take."""
        chosen = dict(self.cleaned_data)
        place = PLACES.get(chosen.pop("place", ""))
        return chosen | ({"lat": place.lat, "lng": place.lng} if place else {})


class OpenShopForm(ShopForm):
    """A new shop."""

    currency = forms.ChoiceField(choices=CURRENCIES, help_text="Of all its prices; it never changes.")

    @property
    def values(self) -> dict[str, Any]:
        """Return what the verb takes: the clock is the one of the place."""
        return super().values | {"time_zone": TIME_ZONE}


class ChangeShopForm(ShopForm):
    """A shop that is there stays where it is, unless one says otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].required = False
        self.fields["place"].choices = [("", "Where it is"), *self.fields["place"].choices]  # type: ignore[attr-defined]  # a ChoiceField


class WareForm(PricedForm):
    """What can be said of a product."""

    amounts = ("price",)
    name = forms.CharField(max_length=200)
    price = forms.CharField(max_length=30, widget=AMOUNT)
    category = forms.ChoiceField()
    description = forms.CharField(max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 4}))
    made_to_order = forms.BooleanField(
        required=False, label="Made to order", help_text="It has no stock and is made when it is ordered."
    )
    lead_days = forms.IntegerField(min_value=0, max_value=365, required=False, label="Days until it is made", initial=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].choices = category_choices()[1:]  # type: ignore[attr-defined]  # a ChoiceField

    @property
    def values(self) -> dict[str, Any]:
        """Return what the verbs take."""
        chosen = {name: value for name, value in self.cleaned_data.items() if name in _WARE}
        return chosen | {
            "category_id": UUID(self.cleaned_data["category"]),
            "lead_days": self.cleaned_data["lead_days"] or 0,
        }


_WARE = ("name", "price", "description", "made_to_order")


class NewWareForm(WareForm):
    """A new product: one piece or several variants."""

    option = forms.CharField(
        max_length=100, required=False, label="What can be chosen", help_text="Such as Glaze or Size; empty: nothing."
    )
    choices = forms.CharField(
        max_length=500, required=False, label="The choices", help_text="With commas between: sea blue, oatmeal."
    )
    stock = forms.IntegerField(min_value=0, max_value=1_000_000, required=False, initial=0, label="Pieces in stock")

    @property
    def values(self) -> dict[str, Any]:
        """Return what the verb takes; with choices the stock is received of each afterwards."""
        label = self.cleaned_data["option"].strip()
        words = [one.strip() for one in self.cleaned_data["choices"].split(",") if one.strip()]
        variants = [VariantValues(options={label: one}) for one in words] if label else []
        return super().values | {
            "variants": variants,
            "stock": 0 if variants else self.cleaned_data["stock"] or 0,
        }


class ChangeWareForm(WareForm):
    """A product that is there."""

    active = forms.BooleanField(required=False, label="Customers see it")

    @property
    def values(self) -> dict[str, Any]:
        """Return what the verb takes."""
        return super().values | {"active": self.cleaned_data["active"]}


class ReceiveForm(forms.Form):
    """Pieces that were made."""

    quantity = forms.IntegerField(min_value=1, max_value=1_000_000, label="Pieces made")


class CorrectForm(forms.Form):
    """What counting anew has found."""

    difference = forms.IntegerField(min_value=-1_000_000, max_value=1_000_000, label="More or fewer")
    note = forms.CharField(max_length=200, required=False, label="Why")


class ThresholdForm(forms.Form):
    """At how many one wants to be told."""

    low_at = forms.IntegerField(min_value=0, max_value=1_000_000, label="Tell me at")


class SaleForm(PricedForm):
    """A flash sale that begins now."""

    amounts = ("price",)
    price = forms.CharField(max_length=30, widget=PRICE, label="Price meanwhile")
    hours = forms.TypedChoiceField(coerce=int, choices=SALE_HOURS, label="For")
    quantity = forms.IntegerField(min_value=1, max_value=1_000_000, required=False, label="Pieces (empty: all)")

    @property
    def values(self) -> dict[str, Any]:
        """Return what the verb takes."""
        now = timezone.now()
        chosen = self.cleaned_data
        ends_at = now + dt.timedelta(hours=chosen["hours"])
        return {"price": chosen["price"], "starts_at": now, "ends_at": ends_at, "quantity": chosen["quantity"]}


class PatternForm(PricedForm):
    """A slot of every week."""

    amounts = ("fee",)
    kind = forms.ChoiceField(
        choices=[(Fulfillment.DELIVERY, "I bring it"), (Fulfillment.PICKUP, "They fetch it")], label="How"
    )
    weekdays = forms.TypedMultipleChoiceField(
        coerce=int, choices=list(enumerate(WEEKDAYS)), widget=forms.CheckboxSelectMultiple, label="On these days"
    )
    starts = forms.TimeField(widget=forms.TimeInput(attrs={"type": "time"}), label="From")
    ends = forms.TimeField(widget=forms.TimeInput(attrs={"type": "time"}), label="To")
    capacity = forms.IntegerField(min_value=1, max_value=10_000, initial=6, label="Places")
    lead_hours = forms.IntegerField(
        min_value=0, max_value=336, initial=12, label="Booked until (hours before)", help_text="Later nobody books it."
    )
    fee = forms.CharField(max_length=30, widget=PRICE, required=False, label="Fee")
