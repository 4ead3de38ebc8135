"""Forms about the catalog."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.http import urlencode

from holdfast.money import Money, from_minor, to_minor
from holdfast_catalog_notify import selectors
from storefront.forms.wallet import AMOUNT, CURRENCIES, read_amount

IMPORT_BYTES = 5 * 1024 * 1024
ORDERS = {
    "new": ("Newest first", ("-id",)),
    "name": ("By name", ("name", "id")),
    "cheap": ("Cheapest first", ("price", "id")),
    "dear": ("Dearest first", ("-price", "-id")),
}
SHOWN = {"": "All", "yes": "Visible", "no": "Hidden"}


class BrowseForm(forms.Form):
    """Which products to show, and in which order. What makes no sense filters nothing."""

    q = forms.CharField(max_length=200, required=False, label="Search")
    brand: Any = forms.ModelChoiceField(queryset=None, required=False, empty_label="Any brand")
    category: Any = forms.ModelChoiceField(queryset=None, required=False, empty_label="Any category")
    order = forms.ChoiceField(choices=[(name, label) for name, (label, _by) in ORDERS.items()], required=False)
    active = forms.ChoiceField(choices=list(SHOWN.items()), required=False, label="Shown")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = selectors.brands()  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["category"].queryset = selectors.categories()  # type: ignore[attr-defined]  # as above
        self.is_valid()

    def filters(self, *, admin: bool) -> dict[str, Any]:
        """Return what the selector is asked for; visitors see what is active."""
        chosen = self.cleaned_data
        wanted = {"yes": True, "no": False}.get(chosen.get("active", ""))
        return {
            "search": chosen.get("q", ""),
            "brand_id": chosen["brand"].pk if chosen.get("brand") else None,
            "category_id": chosen["category"].pk if chosen.get("category") else None,
            "active": wanted if admin else True,
        }

    @property
    def exported(self) -> str:
        """Return the query with which the API exports what is shown."""
        # A truth is written as JSON writes it.
        chosen = {
            name: str(one).lower() if isinstance(one, bool) else one
            for name, one in self.filters(admin=True).items()
            if one not in (None, "")
        }
        return urlencode({name.removesuffix("_id"): one for name, one in chosen.items()})

    @property
    def ordering(self) -> tuple[str, ...]:
        """The columns to order by."""
        return ORDERS[self.cleaned_data.get("order") or "new"][1]

    @property
    def narrows(self) -> bool:
        """Whether any filter is set."""
        return any(self.cleaned_data.get(name) for name in ("q", "brand", "category", "active"))


class ProductForm(forms.Form):
    """What can be said of a product."""

    name = forms.CharField(max_length=200)
    sku = forms.CharField(max_length=64, label="SKU", help_text="The number by which shops know it.")
    price = forms.CharField(max_length=30, widget=AMOUNT)
    currency = forms.ChoiceField(choices=CURRENCIES)
    brand: Any = forms.ModelChoiceField(queryset=None)
    category: Any = forms.ModelChoiceField(queryset=None, required=False, empty_label="None")
    description = forms.CharField(max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 4}))
    image_url = forms.URLField(
        max_length=500, required=False, label="Address of a picture", assume_scheme="https", help_text="Over https."
    )
    active = forms.BooleanField(required=False, initial=True, label="Visitors see it")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = selectors.brands()  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["category"].queryset = selectors.categories()  # type: ignore[attr-defined]  # as above

    @staticmethod
    def showing(product: Any) -> dict[str, Any]:
        """Return what the form shows of a product."""
        price = from_minor(to_minor(product.price), product.price.currency)
        same = ("name", "sku", "brand", "category", "description", "image_url", "active", "version")
        return {name: getattr(product, name) for name in same} | {
            "price": str(price.amount),
            "currency": str(price.currency),
        }

    def clean(self) -> dict[str, Any]:
        """Read the price in its currency."""
        values = super().clean() or {}
        if "price" in values and "currency" in values:
            try:
                values["money"] = read_amount(values["price"], values["currency"])
            except ValidationError as error:
                self.add_error("price", error)
        return values

    @property
    def values(self) -> dict[str, Any]:
        """Return what the verbs take."""
        chosen = self.cleaned_data
        money: Money = chosen["money"]
        category = chosen["category"]
        return {
            **{name: chosen[name] for name in ("name", "sku", "description", "image_url", "active")},
            "price": money,
            "brand_id": chosen["brand"].pk,
            "category_id": category.pk if category else None,
        }


class ChangeProductForm(ProductForm):
    """The same for a product that is there, as somebody saw it in this version."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class PricesForm(forms.Form):
    """By how much, and whose."""

    percent = forms.DecimalField(
        max_digits=7,
        decimal_places=2,
        label="Percent",
        help_text="5 makes 10.00 into 10.50, and -10 makes it 9.00.",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    brand: Any = forms.ModelChoiceField(queryset=None, required=False, empty_label="All brands")
    category: Any = forms.ModelChoiceField(queryset=None, required=False, empty_label="All categories")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = selectors.brands()  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["category"].queryset = selectors.categories()  # type: ignore[attr-defined]  # as above


class ImportForm(forms.Form):
    """A file, and what to do with the rows of it that are broken."""

    file = forms.FileField(
        label="CSV file",
        help_text="The first line names the columns; sku, name, price, currency and brand have to be among them.",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    broken = forms.ChoiceField(
        choices=[("refuse", "Import nothing"), ("skip", "Import the others")],
        initial="refuse",
        widget=forms.RadioSelect,
        label="If a row is broken",
    )
    dry_run = forms.BooleanField(required=False, initial=True, label="Only look, change nothing")

    def clean_file(self) -> Any:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > IMPORT_BYTES:
            raise ValidationError("The file is larger than 5 MB.", code="too_large")
        return file


class AdminForm(forms.Form):
    """Another admin."""

    username = forms.CharField(max_length=150)
    email = forms.EmailField(label="E-mail")
    password = forms.CharField(
        max_length=128, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )


class ChangeAdminForm(forms.Form):
    """What can be changed of an admin."""

    username = forms.CharField(max_length=150)
    email = forms.EmailField(label="E-mail")
    password = forms.CharField(
        max_length=128,
        required=False,
        strip=False,
        label="New password",
        help_text="Leave it empty, and it stays what it is.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    active = forms.BooleanField(required=False, label="May sign in, and is told of changes")

    @property
    def changes(self) -> dict[str, Any]:
        """Return what is different from what the form showed."""
        return {name: self.cleaned_data[name] for name in self.fields if name in self.changed_data}
