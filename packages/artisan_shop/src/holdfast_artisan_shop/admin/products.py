"""What is sold, and the tree it hangs in."""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from holdfast.errors import Refusal
from holdfast.money import from_minor
from holdfast.windows import Panel, Step, SureForm, WindowAdmin, link_to
from holdfast_artisan_shop import services
from holdfast_artisan_shop.models import Category, Product, Stock


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """The tree of categories, which is the operator's to shape."""

    list_display = ("name", "parent")
    list_select_related = ("parent",)
    search_fields = ("name",)
    fields = ("name", "parent")
    autocomplete_fields = ("parent",)
    ordering = ("name",)
    actions = None  # not many at once: each may still be in use

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form, or take it; again with the reason where a verb refuses."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask, or delete; again with the reason where that is refused."""
        try:
            return super().delete_view(request, *args, **kwargs)
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Create, rename or move the category."""
        name, parent = form.cleaned_data["name"], form.cleaned_data["parent"]
        parent_id = parent and parent.pk
        if change:
            services.change_category(category_id=obj.pk, name=name, parent_id=parent_id)
        else:
            obj.pk = services.create_category(name=name, parent_id=parent_id).pk

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        """Delete a category in which nothing is."""
        services.delete_category(category_id=obj.pk)


def _retire(product: Product, _values: dict[str, Any]) -> str:
    services.retire_product(product_id=product.pk, actor_id=product.shop.owner_id)
    return f"{product} is not sold any more."


RETIRE = Step(
    name="retire",
    label=_("Take off"),
    question=_("Customers do not see it any more; what they have ordered stays ordered."),
    permission="holdfast_artisan_shop.change_product",
    form=SureForm,
    run=_retire,
    offered=lambda product: product.active,
)


@admin.register(Product)
class ProductAdmin(WindowAdmin):
    """The goods of all shops, with their variants."""

    steps: ClassVar = (RETIRE,)
    list_display = ("name", "shop", "category", "price", "active", "popularity", "created_at")
    list_filter = ("active", "made_to_order", "category")
    list_select_related = ("shop", "category")
    search_help_text = "An id of a product or a shop, or a product's whole name."
    fields: ClassVar = (
        ("name", "shop", "category"),
        ("price", "active", "made_to_order", "lead_days"),
        "description",
        ("lat", "lng", "own_location"),
        ("popularity", "rating_sum", "rating_count"),
        ("id", "created_at", "updated_at"),
    )
    readonly_fields = ("price",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        """Bring the shop along."""
        queryset: QuerySet[Product] = super().get_queryset(request)
        return queryset.select_related("shop", "category")

    def matching_id(self, wanted: UUID) -> Q:
        """Find a product, and those of a shop."""
        return Q(pk=wanted) | Q(shop=wanted)

    def matching_login(self, login: str) -> Q:
        """Find products of a name."""
        return Q(name=login)

    def panels(self, request: HttpRequest, obj: Product) -> Iterable[Panel]:
        """Show what of it can be bought."""
        rows = [
            (
                link_to(Stock, variant.pk, variant),
                ", ".join(f"{name}: {value}" for name, value in variant.options.items()) or "-",
                from_minor(obj.price_minor + variant.extra_minor, obj.currency),
                variant.stock.free if hasattr(variant, "stock") else "-",
                variant.active,
            )
            for variant in obj.variants.select_related("stock")
        ]
        yield Panel(_("Variants"), (_("Variant"), _("Options"), _("Price"), _("Free"), _("Active")), rows)
