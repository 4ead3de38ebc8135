"""The catalog, to be edited: everything goes through the services, so each change is told like any other."""

from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from holdfast.errors import Refusal
from holdfast.windows import BoundedPaginator
from holdfast_catalog_notify import services
from holdfast_catalog_notify.conf import settings
from holdfast_catalog_notify.exceptions import BrandNotFound, CategoryNotFound, ProductNotFound
from holdfast_catalog_notify.models import Brand, Category, Product
from holdfast_catalog_notify.states import Door

EDITABLE = ("sku", "name", "price", "brand", "category", "description", "image_url", "active")


class ProductForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Remembers which version the editor has seen."""

    expected_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Product
        fields = ()  # the admin says which

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["expected_version"].initial = self.instance.version


class CurrencySelect(forms.Select):
    """Offers the currencies that prices may have, and that of this price: fifty lists of 300 are a megabyte."""

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> list[Any]:
        """Return the options."""
        self.choices = [(code, code) for code in dict.fromkeys([*(settings.CURRENCIES or ()), *filter(None, value)])]
        return super().optgroups(name, value, attrs)


class CurrencyField(forms.ChoiceField):
    """Takes any currency, for the service says which are allowed; fifty forms do not copy a list of them."""

    def __init__(self, *, known: frozenset[str]) -> None:
        super().__init__()
        self.known = known

    def valid_value(self, value: Any) -> bool:
        """Tell whether it is one."""
        return value in self.known


class RefusingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Shows a page again, as it is by now, with the reason why a verb refused."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show or take the form."""
        return self._refusing(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask, or delete."""
        return self._refusing(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the list, or do what was chosen with it."""
        return self._refusing(request, super().changelist_view, *args, **kwargs)

    def _refusing(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)  # type: ignore[no-any-return]  # Django's
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


@admin.register(Product)
class ProductAdmin(RefusingAdmin):
    """The products. What is changed on one page, however many products, is one change set."""

    form = ProductForm
    # As Django does it from 6.0 on.
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    list_display = ("sku", "name", "price", "brand", "category", "active", "updated_at")
    list_display_links = ("sku",)
    list_editable = ("price", "active")
    list_filter = ("active", "brand", "category")
    list_select_related = ("brand", "category")
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    search_fields = ("name", "sku")
    readonly_fields = ("version", "created_at", "updated_at")
    autocomplete_fields = ("brand", "category")

    def get_fields(self, request: HttpRequest, obj: Product | None = None) -> tuple[str, ...]:
        """Ask for what somebody says of a product; show what we know of it."""
        return (*EDITABLE, *self.readonly_fields, "expected_version") if obj else EDITABLE

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the currencies that prices may have."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "price" and settings.CURRENCIES is not None:
            amount, currency = field.fields
            field.fields = (amount, CurrencyField(known=frozenset(code for code, _name in currency.choices)))
            field.widget.widgets = [field.widget.widgets[0], CurrencySelect(attrs=field.widget.widgets[1].attrs)]
        return field

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Make the edits of the list, and its actions, one change set."""
        if request.method != "POST":
            return super().changelist_view(request, *args, **kwargs)
        try:
            with services.change_set(actor_id=request.user.pk, door=Door.ADMIN):
                # Django's own view: a refusal has to undo the whole of it, and so to leave the block.
                return admin.ModelAdmin.changelist_view(self, request, *args, **kwargs)
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Create or change the product."""
        given = {name: form.cleaned_data[name] for name in EDITABLE if name in form.changed_data}
        values = {f"{name}_id" if name in ("brand", "category") else name: value for name, value in given.items()}
        for name in values.keys() & {"brand_id", "category_id"}:
            values[name] = values[name].pk if values[name] else None
        if change:
            services.change_product(
                product_id=obj.pk,
                # The list has no such field: what it shows of a product is what it changes.
                expected_version=form.cleaned_data.get("expected_version"),
                actor_id=request.user.pk,
                door=Door.ADMIN,
                **values,
            )
        else:
            obj.pk = services.create_product(actor_id=request.user.pk, door=Door.ADMIN, **values).pk

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        """Take the product out of the catalog."""
        with suppress(ProductNotFound):  # somebody else was quicker, which is as good
            services.delete_product(product_id=obj.pk, actor_id=request.user.pk, door=Door.ADMIN)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Take the selected products out of the catalog: one statement for all of them would tell nobody."""
        with services.change_set(actor_id=request.user.pk, door=Door.ADMIN):
            for product in queryset.order_by("pk"):
                self.delete_model(request, product)


@admin.register(Brand)
class BrandAdmin(RefusingAdmin):
    """The brands."""

    search_fields = ("name",)

    def save_model(self, request: HttpRequest, obj: Brand, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Create or rename the brand."""
        name = form.cleaned_data["name"]
        obj.pk = (services.rename_brand(brand_id=obj.pk, name=name) if change else services.create_brand(name=name)).pk

    def delete_model(self, request: HttpRequest, obj: Brand) -> None:
        """Delete a brand without products."""
        with suppress(BrandNotFound):  # somebody else was quicker, which is as good
            services.delete_brand(brand_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Brand]) -> None:
        """Delete the selected brands."""
        for brand in queryset:
            self.delete_model(request, brand)


@admin.register(Category)
class CategoryAdmin(RefusingAdmin):
    """The categories."""

    search_fields = ("name",)

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Create or rename the category."""
        name = form.cleaned_data["name"]
        category = (
            services.rename_category(category_id=obj.pk, name=name) if change else services.create_category(name=name)
        )
        obj.pk = category.pk

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        """Delete a category without products."""
        with suppress(CategoryNotFound):  # somebody else was quicker, which is as good
            services.delete_category(category_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        """Delete the selected categories."""
        for category in queryset:
            self.delete_model(request, category)
