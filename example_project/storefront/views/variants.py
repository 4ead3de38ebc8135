"""What can be chosen of a product: another choice, and what is different about one."""

from typing import Any

from django.urls import reverse

from holdfast.money import from_minor
from holdfast_artisan_shop import services
from holdfast_artisan_shop.exceptions import VariantNotFound
from storefront.forms.variants import ChangeVariantForm, NewVariantForm
from storefront.views.workshop import OneWare, ShopFormPage


class NewVariantView(OneWare, ShopFormPage):
    """Another choice."""

    template_name = "storefront/workshop/form.html"
    form_class: type = NewVariantForm
    done = "It can be chosen."
    extra_context = {"title": "Another choice", "verb": "Offer it"}

    def get_form_kwargs(self) -> dict[str, Any]:
        """Ask for a word for each of the product's options."""
        labels = max((list(one.options) for one in self.product.variants.all()), key=len)
        return super().get_form_kwargs() | {"currency": self.shop.currency, "labels": labels}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Name the product."""
        return super().get_context_data(product=self.product, **kwargs)

    def run(self, form: Any) -> Any:
        """Add it."""
        return services.add_variant(product_id=self.product.pk, actor_id=self.owner_id, **form.values)

    def where_to(self, result: Any) -> str:
        """Show the product."""
        return reverse("storefront:shop-ware", args=[self.shop.pk, self.kwargs["product_id"]])


class ChangeVariantView(NewVariantView):
    """Another word, another price, or not to be chosen any more."""

    form_class = ChangeVariantForm
    done = "Changed. What was ordered before stays as it was."
    extra_context = {"title": "Change a choice", "verb": "Save"}

    def get_initial(self) -> dict[str, Any]:
        """Show what is there."""
        variant = self._variant()
        words = {f"choice_{number}": word for number, word in enumerate(variant.options.values())}
        extra = str(from_minor(variant.extra_minor, self.shop.currency).amount) if variant.extra_minor else ""
        return super().get_initial() | words | {"extra": extra, "sku": variant.sku, "active": variant.active}

    def run(self, form: Any) -> Any:
        """Change it."""
        return services.change_variant(variant_id=self._variant().pk, actor_id=self.owner_id, **form.values)

    def _variant(self) -> Any:
        for one in self.product.variants.all():
            if one.pk == self.kwargs["variant_id"]:
                return one
        raise VariantNotFound(variant_id=str(self.kwargs["variant_id"]))
