"""Categories and products: everybody looks, artisans offer."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.etags import expected_version
from holdfast.api.schema import document
from holdfast.idempotency import IdempotencyMixin
from holdfast.money import InvalidAmount, UnknownCurrency
from holdfast_artisan_shop import exceptions as no
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.api.paging import near_page, page
from holdfast_artisan_shop.api.permissions import ReadOrKeepCategories
from holdfast_artisan_shop.api.serializers import products as shapes
from holdfast_artisan_shop.api.views.base import MarketView, UserView, conditional, created, no_content, versioned
from holdfast_artisan_shop.models import Product
from holdfast_artisan_shop.selectors import keeping
from holdfast_artisan_shop.services.rows import using
from holdfast_artisan_shop.services.versions import version_of

FILTERING = (no.CategoryNotFound, no.PriceInvalid, no.TextInvalid, InvalidAmount, UnknownCurrency)
OFFERING = (
    no.TextInvalid,
    no.PriceInvalid,
    no.CategoryUnknown,
    no.LeadTimeInvalid,
    no.LocationInvalid,
    InvalidAmount,
    UnknownCurrency,
)
VARYING = (no.OptionsInvalid, no.SkuTaken, no.QuantityInvalid)


class CategoriesView(IdempotencyMixin, MarketView):
    """All categories, and a new one."""

    permission_classes = [ReadOrKeepCategories]

    @document(
        summary="Read the tree of categories", response=shapes.CATEGORY_TREE, operation_id="categories_tree_retrieve"
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return the whole tree, each level by name; 304 if it is still the one with the ``ETag`` sent along."""
        return conditional(request, selectors.category_tree())

    @document(
        summary="Create a category",
        request=shapes.CategoryInput,
        response=shapes.MarketCategoryOutput,
        status=201,
        refusals=[no.NameTaken, no.TextInvalid, no.CategoryUnknown],
    )
    def post(self, request: Request) -> Response:
        """Create a category, in another one or at the root."""
        category = services.create_category(**self.parse(shapes.CategoryInput))
        return created(shapes.MarketCategoryOutput(category).data)


class CategoryView(MarketView):
    """One category."""

    permission_classes = [ReadOrKeepCategories]

    @document(summary="Read a category", response=shapes.MarketCategoryOutput, refusals=[no.CategoryNotFound])
    def get(self, request: Request, category_id: UUID) -> HttpResponseBase:
        """Return the category; 304 if it is still the one with the ``ETag`` sent along."""
        category = selectors.get_category(category_id=category_id)
        return conditional(request, shapes.MarketCategoryOutput(category).data)

    @document(
        summary="Change a category",
        request=shapes.CategoryChange,
        response=shapes.MarketCategoryOutput,
        refusals=[no.CategoryNotFound, no.NameTaken, no.TextInvalid, no.CategoryUnknown, no.CategoryCircular],
    )
    def patch(self, request: Request, category_id: UUID) -> Response:
        """Rename the category, or move it with all that is below it."""
        category = services.change_category(category_id=category_id, **self.parse(shapes.CategoryChange))
        return Response(shapes.MarketCategoryOutput(category).data)

    @document(summary="Delete a category", status=204, refusals=[no.CategoryNotFound, no.CategoryInUse])
    def delete(self, request: Request, category_id: UUID) -> Response:
        """Delete the category, if nothing is in it."""
        services.delete_category(category_id=category_id)
        return no_content()


class ProductsView(IdempotencyMixin, MarketView):
    """The market, and a new product."""

    @document(
        summary="Browse products",
        query=shapes.BrowseFilter,
        response=shapes.ProductOfferOutput,
        page=True,
        refusals=FILTERING,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return a page of the products that match; 304 if it is still the one with the ``ETag`` sent along."""
        wanted = self.parse(shapes.BrowseFilter, request.query_params)
        wanted.setdefault("order", "relevance" if "text" in wanted else "newest")
        rows, ordering = selectors.browse(**wanted), selectors.order_of(**wanted)

        def make() -> dict[str, Any]:
            return dict(page(request, rows, shapes.ProductOfferOutput, ordering=ordering).data)

        # The links of a page are absolute: what is remembered is what this very address answers.
        about = request.build_absolute_uri()
        return conditional(request, selectors.remembered(make, about=about, shop_id=wanted.get("shop_id")))

    @document(
        summary="Offer a product",
        request=shapes.ArtisanProductInput,
        response=shapes.ArtisanProductOutput,
        status=201,
        refusals=[no.ShopNotFound, *OFFERING, *VARYING],
    )
    def post(self, request: Request) -> Response:
        """Offer a product in a shop of mine."""
        product = services.create_product(actor_id=self.user_id, **self.parse(shapes.ArtisanProductInput))
        return answer(product, self.user_id, created=True)


class NearProductsView(MarketView):
    """Products around a point."""

    @document(
        summary="Search products near a point",
        query=shapes.NearOfferFilter,
        response=shapes.NearOfferOutput,
        page=True,
        refusals=[no.LocationInvalid, no.RadiusInvalid, *FILTERING],
    )
    def get(self, request: Request) -> Response:
        """Return a page of the products within the radius, the nearest first."""
        wanted = self.parse(shapes.NearOfferFilter, request.query_params)
        return near_page(request, partial(selectors.products_near, **wanted), shapes.NearOfferOutput)


class ShopProductsView(UserView):
    """All that a shop offers or once offered."""

    @document(
        summary="List all products of a shop of mine",
        response=shapes.ProductOfferOutput,
        page=True,
        refusals=[no.ShopNotFound],
    )
    def get(self, request: Request, shop_id: UUID) -> Response:
        """Return a page of the products of a shop of mine, those that customers do not see too, the newest first."""
        shop = selectors.managed_shop(shop_id=shop_id, actor_id=self.user_id)
        products = selectors.products_of_shop(shop_id=shop.pk, actor_id=self.user_id)
        return page(request, products, shapes.ProductOfferOutput)


class ProductView(MarketView):
    """One product."""

    @document(summary="Read a product", response=shapes.ArtisanProductOutput, refusals=[no.ProductNotFound])
    def get(self, request: Request, product_id: UUID) -> HttpResponseBase:
        """Return the product; 304 if it is still what the ``ETag`` sent along was of."""
        product = selectors.get_offer(product_id=product_id, actor_id=self.visitor_id)
        actor_id = self.visitor_id
        mine = actor_id is not None and selectors.shops_of(actor_id=actor_id).filter(pk=product.shop_id).exists()
        shown = shapes.ArtisanProductOutput(product, context={"mine": mine}).data
        return conditional(request, shown, version=version_of(product))

    @document(
        summary="Change a product",
        request=shapes.ArtisanProductChange,
        response=shapes.ArtisanProductOutput,
        if_match=True,
        refusals=[no.ProductNotFound, no.VersionOutdated, *OFFERING],
    )
    def patch(self, request: Request, product_id: UUID) -> Response:
        """Change the fields that are given, of the version that was read."""
        product = services.change_product(
            product_id=product_id,
            actor_id=self.user_id,
            expected_version=expected_version(request),
            **self.parse(shapes.ArtisanProductChange),
        )
        return answer(product, self.user_id)

    @document(summary="Retire a product", status=204, if_match=True, refusals=[no.ProductNotFound, no.VersionOutdated])
    def delete(self, request: Request, product_id: UUID) -> Response:
        """Take a product of mine off the market; what was ordered keeps it."""
        services.retire_product(
            product_id=product_id, actor_id=self.user_id, expected_version=expected_version(request)
        )
        return no_content()


class RecommendationsView(MarketView):
    """What else a customer may like."""

    @document(
        summary="Recommend products",
        query=shapes.LimitFilter,
        response=shapes.ProductOfferOutput(many=True),
        refusals=[no.ProductNotFound, no.LimitInvalid],
    )
    def get(self, request: Request, product_id: UUID) -> Response:
        """Return what goes with a product, the best first; never the product itself, and nothing that is sold out."""
        limit = self.parse(shapes.LimitFilter, request.query_params)
        found = selectors.recommendations(product_id=product_id, **limit)
        return Response(shapes.ProductOfferOutput(found, many=True).data)


class ImagesView(UserView):
    """The pictures of a product."""

    @document(
        summary="Set the pictures of a product",
        request=shapes.ImagesInput,
        response=shapes.ArtisanProductOutput,
        refusals=[no.ProductNotFound, no.TextInvalid, no.TooManyLines],
    )
    def put(self, request: Request, product_id: UUID) -> Response:
        """Give a product of mine these pictures, in this order, instead of those that it has."""
        images = [(one["url"], one["alt"]) for one in self.parse(shapes.ImagesInput)["images"]]
        return answer(services.set_images(product_id=product_id, actor_id=self.user_id, images=images), self.user_id)


class VariantsView(IdempotencyMixin, UserView):
    """The variants of a product."""

    @document(
        summary="Add a variant",
        request=shapes.NewVariantInput,
        response=shapes.VariantOutput,
        status=201,
        refusals=[no.ProductNotFound, no.PriceInvalid, no.TextInvalid, InvalidAmount, *VARYING],
    )
    def post(self, request: Request, product_id: UUID) -> Response:
        """Add a variant to a product of mine."""
        values = self.parse(shapes.NewVariantInput)
        variant = services.add_variant(product_id=product_id, actor_id=self.user_id, **values)
        return versioned(shapes.VariantOutput(variant).data, version_of(variant.product), created=True)


class VariantView(UserView):
    """One variant; its version is its product's."""

    @document(
        summary="Change a variant",
        request=shapes.VariantInput,
        response=shapes.VariantOutput,
        if_match="optional",
        refusals=[
            no.VariantNotFound,
            no.VersionOutdated,
            no.OptionsInvalid,
            no.SkuTaken,
            no.PriceInvalid,
            no.TextInvalid,
            InvalidAmount,
        ],
    )
    def patch(self, request: Request, variant_id: UUID) -> Response:
        """Change the fields that are given."""
        variant = services.change_variant(
            variant_id=variant_id,
            actor_id=self.user_id,
            expected_version=expected_version(request, required=False),
            **self.parse(shapes.VariantInput),
        )
        return versioned(shapes.VariantOutput(variant).data, version_of(variant.product))


class FlashSalesView(IdempotencyMixin, UserView):
    """The flash sales of a product."""

    @document(
        summary="List the flash sales of a product of mine",
        response=shapes.FlashSaleOutput,
        page=True,
        refusals=[no.ProductNotFound],
    )
    def get(self, request: Request, product_id: UUID) -> Response:
        """Return a page of all flash sales, over or to come, the newest first."""
        sales = keeping.flash_sales_of(product_id=product_id, actor_id=self.user_id)
        return page(request, sales, shapes.FlashSaleOutput)

    @document(
        summary="Schedule a flash sale",
        request=shapes.FlashSaleInput,
        response=shapes.FlashSaleOutput,
        status=201,
        refusals=[
            no.ProductNotFound,
            no.PriceInvalid,
            no.DiscountInvalid,
            no.PeriodInvalid,
            no.QuantityInvalid,
            no.FlashSaleOverlaps,
            InvalidAmount,
        ],
    )
    def post(self, request: Request, product_id: UUID) -> Response:
        """Sell a product of mine for less for a while."""
        values = self.parse(shapes.FlashSaleInput)
        sale = services.schedule_flash_sale(product_id=product_id, actor_id=self.user_id, **values)
        return created(shapes.FlashSaleOutput(sale).data)


class FlashSaleView(UserView):
    """One flash sale."""

    @document(summary="End a flash sale", status=204, refusals=[no.FlashSaleNotFound])
    def delete(self, request: Request, flash_sale_id: UUID) -> Response:
        """End a flash sale of mine now, or call it off before it began."""
        services.end_flash_sale(flash_sale_id=flash_sale_id, actor_id=self.user_id)
        return no_content()


def answer(product: Product, actor_id: Any, *, created: bool = False) -> Response:
    """Return a product as its artisan sees it, with its entity tag."""
    shown = selectors.get_offer(product_id=product.pk, actor_id=actor_id, using=using())
    data = shapes.ArtisanProductOutput(shown, context={"mine": True}).data
    return versioned(data, version_of(shown), created=created)
