"""Forms of what can be chosen of a product."""

from typing import Any

from django import forms

from holdfast.money import Money
from storefront.forms.workshop import PRICE, PricedForm

NAME_LENGTH, SKU_LENGTH, PIECES_MAX = 200, 64, 1_000_000


class VariantForm(PricedForm):
    """A choice: one word for each of the product's options; ``labels`` are what can be chosen so far."""

    amounts = ("extra",)

    def __init__(self, *args: Any, labels: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.labels = labels
        if not labels:
            self.fields["option"] = forms.CharField(
                max_length=NAME_LENGTH, label="What can be chosen", help_text="Such as Glaze or Size."
            )
        for number, label in enumerate(labels or ["The choice"]):
            self.fields[f"choice_{number}"] = forms.CharField(max_length=NAME_LENGTH, label=label)
        self.fields["extra"] = forms.CharField(
            max_length=30, widget=PRICE, required=False, label="Costs more by", help_text="Empty: it costs the same."
        )
        self.fields["sku"] = forms.CharField(
            max_length=SKU_LENGTH, required=False, label="SKU", help_text="A number of your own, if you keep any."
        )

    @property
    def values(self) -> dict[str, Any]:
        """Return what the verbs take."""
        chosen = self.cleaned_data
        labels = self.labels or [chosen["option"].strip()]
        options = {label: chosen[f"choice_{number}"].strip() for number, label in enumerate(labels)}
        extra = chosen["extra"] or Money(0, self.currency)
        return {"options": options, "extra": extra, "sku": chosen["sku"]}


class NewVariantForm(VariantForm):
    """A choice that is new, and how many pieces there are of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["stock"] = forms.IntegerField(
            min_value=0, max_value=PIECES_MAX, required=False, initial=0, label="Pieces in stock"
        )

    @property
    def values(self) -> dict[str, Any]:
        """Return what the verb takes."""
        return super().values | {"stock": self.cleaned_data["stock"] or 0}


class ChangeVariantForm(VariantForm):
    """A choice that is there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["active"] = forms.BooleanField(required=False, label="Customers can choose it")

    @property
    def values(self) -> dict[str, Any]:
        """Return what the verb takes."""
        return super().values | {"active": self.cleaned_data["active"]}
