"""Forms about buying."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from holdfast.money import from_minor
from holdfast_artisan_shop import selectors
from holdfast_artisan_shop.services import Choice
from holdfast_artisan_shop.states import Fulfillment
from storefront.forms.wallet import KeyedForm
from storefront.places import HOME, PLACES
from storefront.templatetags.storefront import plain_money

ORDERS = [("popular", "Most loved"), ("newest", "Newest"), ("price", "Cheapest first"), ("-price", "Dearest first")]
RADII = ["1", "2", "5", "10", "25", "50"]
SLOTS_SHOWN = 4
NO_SLOT = "none"
DEPTH = "\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}"


def category_choices() -> list[tuple[str, str]]:
    """Return the tree of categories as choices, what lies below a little to the right."""
    found = [("", "Everything")]

    def walk(nodes: list[dict[str, Any]], depth: int) -> None:
        for node in nodes:
            found.append((str(node["id"]), DEPTH * depth + node["name"]))
            walk(node["children"], depth + 1)

    walk(selectors.category_tree(), 0)
    return found


class MarketForm(forms.Form):
    """What to show of the market. What makes no sense filters nothing."""

    q = forms.CharField(max_length=200, required=False, label="Search")
    category = forms.ChoiceField(required=False)
    order = forms.ChoiceField(choices=ORDERS, required=False)
    in_stock = forms.BooleanField(required=False, label="Ready to take")
    on_sale = forms.BooleanField(required=False, label="Flash sales")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].choices = category_choices()  # type: ignore[attr-defined]  # a ChoiceField
        self.is_valid()

    @property
    def filters(self) -> dict[str, Any]:
        """Return what the selector is asked for."""
        chosen = self.cleaned_data
        category = chosen.get("category")
        return {
            "text": chosen.get("q", ""),
            "category_id": UUID(category) if category else None,
            "in_stock": chosen.get("in_stock", False),
            "on_sale": chosen.get("on_sale", False),
        }

    @property
    def chosen_order(self) -> str:
        """Return the order; who searches and says nothing wants what fits best."""
        default = "relevance" if self.cleaned_data.get("q") else "popular"
        return self.cleaned_data.get("order") or default

    @property
    def narrows(self) -> bool:
        """Whether any filter is set."""
        return any(self.filters.values())


class NearForm(forms.Form):
    """Around which point, how far, and what."""

    place = forms.ChoiceField(
        choices=[(place.slug, place.name) for place in PLACES.values()], required=False, label="Around"
    )
    radius = forms.ChoiceField(choices=[(radius, f"{radius} km") for radius in RADII], required=False)
    category = forms.ChoiceField(required=False)
    lat = forms.FloatField(min_value=-90, max_value=90, required=False, widget=forms.HiddenInput)
    lng = forms.FloatField(min_value=-180, max_value=180, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].choices = category_choices()  # type: ignore[attr-defined]  # a ChoiceField
        self.is_valid()

    @property
    def circle(self) -> dict[str, float]:
        """Return the circle to look in: around a position that the browser knows, or around a place."""
        chosen = self.cleaned_data
        place = PLACES.get(chosen.get("place") or "", HOME)
        lat, lng = chosen.get("lat"), chosen.get("lng")
        here = (lat, lng) if lat is not None and lng is not None else (place.lat, place.lng)
        return {"lat": here[0], "lng": here[1], "radius_km": float(chosen.get("radius") or "5")}

    @property
    def category_id(self) -> UUID | None:
        """Return the chosen category."""
        category = self.cleaned_data.get("category")
        return UUID(category) if category else None


class WhichForm(forms.Form):
    """Which variant."""

    variant = forms.UUIDField()


class IntoBasketForm(WhichForm):
    """How many of which variant."""

    quantity = forms.IntegerField(min_value=1, max_value=10_000)


class QuantityForm(forms.Form):
    """How many it shall be; none takes it out."""

    quantity = forms.IntegerField(min_value=0, max_value=10_000)


class ReviewForm(forms.Form):
    """What a customer says of what he has received."""

    rating = forms.TypedChoiceField(
        coerce=int,
        widget=forms.RadioSelect,
        choices=[(5, "Wonderful"), (4, "Good"), (3, "It will do"), (2, "Not quite"), (1, "No")],
        label="How is it?",
    )
    text = forms.CharField(max_length=5_000, required=False, widget=forms.Textarea(attrs={"rows": 3}), label="In words")


class SlotForm(KeyedForm):
    """Another slot for a delivery."""

    slot = forms.ChoiceField(widget=forms.RadioSelect, label="When?")

    def __init__(self, *args: Any, order: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slot"].choices = slot_choices(order.shop, Fulfillment(kind), order.lead_days)  # type: ignore[attr-defined]  # a ChoiceField


class CheckoutForm(KeyedForm):
    """Where to, and for each shop when, and with which coupon."""

    address = forms.CharField(
        max_length=500,
        required=False,
        help_text="For what is brought to you.",
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )
    place = forms.ChoiceField(
        choices=[(place.slug, place.name) for place in PLACES.values()], required=False, label="Where that is"
    )

    def __init__(self, *args: Any, groups: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = groups
        for number, group in enumerate(groups):
            choices = [
                *slot_choices(group.shop, Fulfillment.DELIVERY, group.lead_days),
                *slot_choices(group.shop, Fulfillment.PICKUP, group.lead_days),
            ]
            initial = choices[0][0] if choices else NO_SLOT
            choices.append((NO_SLOT, "No slot: I call for it when it is ready"))
            self.fields[f"slot_{number}"] = forms.ChoiceField(
                choices=choices, widget=forms.RadioSelect, required=False, label="When?", initial=initial
            )
            self.fields[f"coupon_{number}"] = forms.CharField(max_length=40, required=False, label="Coupon")
            self.fields[f"note_{number}"] = forms.CharField(
                max_length=500, required=False, label="A word to the workshop"
            )

    def sections(self) -> list[tuple[Any, Any, Any, Any]]:
        """Return each shop with its fields."""
        return [
            (group, self[f"slot_{number}"], self[f"coupon_{number}"], self[f"note_{number}"])
            for number, group in enumerate(self.groups)
        ]

    def choices(self) -> dict[UUID, Choice]:
        """Return what was chosen for each shop."""
        return self._choices(self.cleaned_data)

    def priced(self) -> dict[UUID, Choice]:
        """Return what is chosen so far, to be told its price: that does not depend on the number of the house."""
        names = {name: self.get_initial_for_field(field, name) for name, field in self.fields.items()}
        values = self.cleaned_data if self.is_bound else names
        return self._choices(dict(values) | {"address": values.get("address") or "not said yet"})

    def _choices(self, values: dict[str, Any]) -> dict[UUID, Choice]:
        place = PLACES.get(values.get("place") or "", HOME)
        found = {}
        for number, group in enumerate(self.groups):
            slot = values.get(f"slot_{number}")
            found[group.shop.pk] = Choice(
                slot_id=UUID(slot) if slot and slot != NO_SLOT else None,
                address=values.get("address") or "",
                lat=place.lat,
                lng=place.lng,
                coupon_code=values.get(f"coupon_{number}") or "",
                note=values.get(f"note_{number}") or "",
            )
        return found


def slot_choices(shop: Any, kind: Fulfillment, lead_days: int) -> list[tuple[str, str]]:
    """Return the next free slots of a shop as choices, in its own time."""
    slots = selectors.free_slots(shop_id=shop.pk, kind=kind, lead_days=lead_days)[:SLOTS_SHOWN]
    return [(str(slot.pk), f"{how(kind)} · {span(slot, shop)} · {_fee(slot, shop)}") for slot in slots]


def how(kind: str) -> str:
    """Return how goods reach their customer, in a word."""
    return "Brought to you" if kind == Fulfillment.DELIVERY else "Fetched by you"


def span(slot: Any, shop: Any) -> str:
    """Return a slot as people say it, in the shop's own time."""
    zone = ZoneInfo(shop.time_zone)
    starts, ends = slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone)
    days = (starts.date() - timezone.now().astimezone(zone).date()).days
    day = {0: "today", 1: "tomorrow"}.get(days, f"{starts:%A} {starts.day} {starts:%B}")
    return f"{day}, {starts:%H:%M} to {ends:%H:%M}"


def _fee(slot: Any, shop: Any) -> str:
    return plain_money(from_minor(slot.fee_minor, shop.currency)) if slot.fee_minor else "free"
