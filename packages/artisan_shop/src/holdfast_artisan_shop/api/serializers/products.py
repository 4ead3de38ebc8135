"""Categories, products, variants, pictures and flash sales."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from holdfast.api.fields import MoneyField
from holdfast.api.serializers import StrictSerializer
from holdfast.money import parse_amount, to_minor
from holdfast_artisan_shop.api.fields import MinorMoneyField, MomentField, NumberField, WholeNumberField
from holdfast_artisan_shop.api.serializers.examples import CATEGORY, SHOP, example
from holdfast_artisan_shop.api.serializers.shops import CircleFilter, ShopRef
from holdfast_artisan_shop.models.products import SKU_LENGTH, URL_LENGTH
from holdfast_artisan_shop.models.shops import DESCRIPTION_LENGTH, NAME_LENGTH

IMAGES_MAX = 20
VARIANTS_MAX = 100

# Categories


class CategoryRef(serializers.Serializer[Any]):
    """Which category."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class MarketCategoryOutput(CategoryRef):
    """A category, and the one that it is in."""

    parent = serializers.UUIDField(source="parent_id", allow_null=True)  # type: ignore[assignment]  # a declared field hides nothing


# A tree is deeper than any serializer: the component names itself.
CATEGORY_TREE = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["id", "name", "children"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "name": {"type": "string"},
            "children": {"type": "array", "items": {"type": "object"}, "description": "Categories of the same form."},
        },
    },
}


@example({"name": "Bowls", "parent": CATEGORY})
class CategoryInput(StrictSerializer):
    """A new category."""

    name = serializers.CharField(max_length=NAME_LENGTH)
    parent = serializers.UUIDField(  # type: ignore[assignment]  # as above
        source="parent_id", required=False, allow_null=True, help_text="The one that it is in; null: none."
    )


@example({"name": "Cups"})
class CategoryChange(CategoryInput):
    """What is to be different."""

    name = serializers.CharField(max_length=NAME_LENGTH, required=False)


# What customers see


class ImageOutput(serializers.Serializer[Any]):
    """A picture."""

    url = serializers.CharField()
    alt = serializers.CharField()


class RunningSaleOutput(serializers.Serializer[Any]):
    """The flash sale that runs now."""

    price = MinorMoneyField("sale_price_minor")
    ends_at = serializers.DateTimeField(source="sale_ends_at")
    left = serializers.IntegerField(source="sale_left", allow_null=True, help_text="Pieces; null: all there are.")


class ProductOfferOutput(serializers.Serializer[Any]):
    """A product as a list shows it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    shop = ShopRef()
    category = CategoryRef()
    price = MinorMoneyField("price_minor", help_text="Of its cheapest variant, without any flash sale.")
    price_now = MinorMoneyField("price_now_minor", help_text="What is paid now.")
    flash_sale = serializers.SerializerMethodField()
    made_to_order = serializers.BooleanField()
    lead_days = serializers.IntegerField()
    free = serializers.IntegerField(help_text="Pieces that anybody can buy; of what is made to order, it says nothing.")
    image = serializers.SerializerMethodField()
    rating = serializers.FloatField(allow_null=True, help_text="The mean, from 1 to 5.")
    rating_count = serializers.IntegerField()
    lat = serializers.FloatField()
    lng = serializers.FloatField()
    active = serializers.BooleanField()

    @extend_schema_field(RunningSaleOutput(allow_null=True))
    def get_flash_sale(self, product: Any) -> Any:
        """Return the sale that runs now."""
        return None if product.sale_price_minor is None else RunningSaleOutput(product).data

    @extend_schema_field(ImageOutput(allow_null=True))
    def get_image(self, product: Any) -> Any:
        """Return the first picture."""
        return None if product.image_url is None else {"url": product.image_url, "alt": product.image_alt}


class NearOfferOutput(ProductOfferOutput):
    """A product, and how far away it is."""

    distance_km = serializers.FloatField()


class VariantOutput(serializers.Serializer[Any]):
    """What is bought: a product with its options chosen."""

    id = serializers.UUIDField()
    sku = serializers.CharField()
    options = serializers.DictField(child=serializers.CharField())
    extra = MinorMoneyField("extra_minor", "product.currency", help_text="What it costs more than the product.")
    free = serializers.IntegerField(source="stock.free", help_text="Pieces that anybody can buy.")
    active = serializers.BooleanField()


class FlashSaleOutput(serializers.Serializer[Any]):
    """A flash sale, running or not."""

    id = serializers.UUIDField()
    price = MinorMoneyField("price_minor", "product.currency")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = serializers.IntegerField(allow_null=True, help_text="Pieces; null: all there are.")
    sold = serializers.IntegerField()


class ArtisanProductOutput(ProductOfferOutput):
    """A product with its variants and its pictures."""

    description = serializers.CharField()
    own_location = serializers.BooleanField(help_text="It is somewhere else than its shop.")
    variants = serializers.SerializerMethodField()
    images = ImageOutput(many=True, source="images.all")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @extend_schema_field(VariantOutput(many=True))
    def get_variants(self, product: Any) -> Any:
        """Return the variants that can be bought; those who act for the shop see all."""
        variants = [one for one in product.variants.all() if one.active or self.context.get("mine")]
        return VariantOutput(variants, many=True).data


# What artisans say


class PlaceInput(StrictSerializer):
    """A point on the globe."""

    lat = NumberField()
    lng = NumberField()


@example({"options": {"color": "blue"}, "extra": {"amount": "1.50", "currency": "EUR"}})
class VariantInput(StrictSerializer):
    """What can be said of a variant."""

    sku = serializers.CharField(max_length=SKU_LENGTH, required=False, allow_blank=True)
    options = serializers.DictField(
        child=serializers.CharField(max_length=NAME_LENGTH), required=False, help_text='Such as {"color": "blue"}.'
    )
    extra = MoneyField(required=False, help_text="What it costs more than the product.")
    active = serializers.BooleanField(required=False)


@example({"options": {"color": "blue"}, "stock": 5})
class NewVariantInput(VariantInput):
    """A new variant, with its first pieces."""

    stock = WholeNumberField(required=False)


class ProductDetailsInput(StrictSerializer):
    """What can be said of a product."""

    description = serializers.CharField(
        max_length=DESCRIPTION_LENGTH, required=False, allow_blank=True, trim_whitespace=False
    )
    made_to_order = serializers.BooleanField(required=False)
    lead_days = WholeNumberField(required=False, help_text="How many days making it takes.")
    location = PlaceInput(required=False, allow_null=True, help_text="null: where the shop is.")
    active = serializers.BooleanField(required=False)

    def validate_location(self, place: dict[str, float] | None) -> tuple[float, float] | None:
        """Return the point."""
        return None if place is None else (place["lat"], place["lng"])


@example(
    {
        "shop": SHOP,
        "category": CATEGORY,
        "name": "Bowl",
        "price": {"amount": "24.00", "currency": "EUR"},
        "stock": 10,
    }
)
class ArtisanProductInput(ProductDetailsInput):
    """A new product: with ``variants``, or with one that has no options, and ``stock`` pieces."""

    shop = serializers.UUIDField(source="shop_id", help_text="The id of a shop of mine.")
    category = serializers.UUIDField(source="category_id")
    name = serializers.CharField(max_length=NAME_LENGTH)
    price = MoneyField(help_text="In the currency of the shop.")
    stock = WholeNumberField(required=False)
    sku = serializers.CharField(max_length=SKU_LENGTH, required=False, allow_blank=True)
    variants = serializers.ListField(child=VariantInput(), required=False, max_length=VARIANTS_MAX)


@example({"price": {"amount": "26.00", "currency": "EUR"}})
class ArtisanProductChange(ProductDetailsInput):
    """What is to be different."""

    category = serializers.UUIDField(source="category_id", required=False)
    name = serializers.CharField(max_length=NAME_LENGTH, required=False)
    price = MoneyField(required=False)


class ImageInput(StrictSerializer):
    """A picture, wherever the host keeps it."""

    url = serializers.URLField(max_length=URL_LENGTH)
    alt = serializers.CharField(max_length=NAME_LENGTH, allow_blank=True, default="")


@example({"images": [{"url": "https://pictures.example/bowl.jpg", "alt": "A bowl"}]})
class ImagesInput(StrictSerializer):
    """All pictures of a product, in their order."""

    images = serializers.ListField(child=ImageInput(), max_length=IMAGES_MAX)


@example(
    {
        "price": {"amount": "18.00", "currency": "EUR"},
        "starts_at": "2027-01-08T18:00:00Z",
        "ends_at": "2027-01-08T22:00:00Z",
        "quantity": 20,
    }
)
class FlashSaleInput(StrictSerializer):
    """A lower price for a while."""

    price = MoneyField()
    starts_at = MomentField()
    ends_at = MomentField()
    quantity = WholeNumberField(required=False, allow_null=True, help_text="Pieces; null: all there are.")


# How the market is looked through


class OfferFilter(StrictSerializer):
    """Which products to list."""

    category = serializers.UUIDField(source="category_id", required=False, help_text="With all below it.")
    shop = serializers.UUIDField(source="shop_id", required=False)
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False)
    min_price = serializers.DecimalField(
        max_digits=19, decimal_places=4, required=False, help_text="In the currency, which must be given too."
    )
    max_price = serializers.DecimalField(max_digits=19, decimal_places=4, required=False, help_text="As min_price.")
    in_stock = serializers.BooleanField(required=False, help_text="Only what can be bought now.")
    on_sale = serializers.BooleanField(required=False, help_text="Only what has a flash sale now.")
    search = serializers.CharField(source="text", required=False, max_length=200)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the amounts in minor units; they compare within a currency only."""
        for name in ("min_price", "max_price"):
            if (price := attrs.pop(name, None)) is None:
                continue
            if "currency" not in attrs:
                raise serializers.ValidationError(
                    {"currency": [serializers.ErrorDetail("Prices compare within a currency.", code="required")]}
                )
            attrs[f"{name}_minor"] = to_minor(parse_amount(price, attrs["currency"]))
        return attrs


class BrowseFilter(OfferFilter):
    """Which products to list, and in which order."""

    ordering = serializers.ChoiceField(
        source="order", choices=["newest", "price", "-price", "popular", "relevance"], required=False
    )


class NearOfferFilter(CircleFilter, OfferFilter):
    """Which products to list around a point."""


class LimitFilter(StrictSerializer):
    """How many."""

    limit = serializers.IntegerField(required=False, help_text="5 if left out.")
