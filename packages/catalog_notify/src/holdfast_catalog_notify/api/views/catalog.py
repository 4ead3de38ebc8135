"""The catalog: everybody reads it, admins write it."""

import datetime as dt
import hashlib
from typing import Any, cast
from uuid import UUID

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from holdfast.api.etags import etag_of, expected_version
from holdfast.api.pagination import keyset_page
from holdfast.api.schema import document
from holdfast.api.views import DomainAPIView
from holdfast.idempotency import IdempotencyMixin
from holdfast.money import InvalidAmount, UnknownCurrency
from holdfast_catalog_notify import selectors, services
from holdfast_catalog_notify.api import serializers as shapes
from holdfast_catalog_notify.api.files import CSVParser, CSVRenderer
from holdfast_catalog_notify.api.permissions import Permitted, ReadOrPermitted, is_admin, writing
from holdfast_catalog_notify.exceptions import (
    BrandNotFound,
    BrandUnknown,
    CategoryNotFound,
    CategoryUnknown,
    CurrencyNotAllowed,
    FileUnreadable,
    NameTaken,
    PercentOutOfRange,
    PriceNegative,
    ProductNotFound,
    RowsBroken,
    SkuTaken,
    StillInUse,
    TextInvalid,
    TooManyProducts,
    VersionOutdated,
)
from holdfast_catalog_notify.models import Product
from holdfast_catalog_notify.states import Door, ViewKind

PAGE_SIZE = 20
MAX_PAGE_SIZE = 200
WRITING = [
    SkuTaken,
    TextInvalid,
    PriceNegative,
    CurrencyNotAllowed,
    UnknownCurrency,
    InvalidAmount,
    BrandUnknown,
    CategoryUnknown,
]


class CatalogView(DomainAPIView):
    """What the views of the catalog have in common."""

    permission_classes = [ReadOrPermitted]
    needed = writing("product")

    def visible(self, request: Request, *, wanted: bool | None = None) -> bool | None:
        """Return which products somebody may see: admins all, or those they ask for; others the active ones."""
        return wanted if is_admin(request.user) else True

    def count(self, request: Request, kind: ViewKind, product_ids: list[UUID]) -> None:
        """Count what an anonymous visitor was shown."""
        if request.method == "GET" and not (request.user and request.user.is_authenticated):
            services.record_views(kind=kind, product_ids=product_ids, meta=request.META)


class ProductsView(IdempotencyMixin, CatalogView):
    """All products, and a new one."""

    @document(summary="List products", query=shapes.ProductListFilter, response=shapes.ProductOutput, page=True)
    def get(self, request: Request) -> HttpResponseBase:
        """Return a page of products; 304 if it is still the one with the ``ETag`` that is sent along."""
        wanted = self.parse(shapes.ProductListFilter, request.query_params)
        ordering = shapes.ProductListFilter.ORDERINGS[wanted.pop("ordering")]
        wanted["active"] = self.visible(request, wanted=wanted.get("active"))
        page = keyset_page(
            request,
            selectors.products(**wanted),
            ordering=ordering,
            serializer=shapes.ProductOutput,
            page_size=PAGE_SIZE,
            max_page_size=MAX_PAGE_SIZE,
        )
        self.count(request, ViewKind.LISTED, [UUID(one["id"]) for one in page.data["results"]])
        tag = etag_of(hashlib.sha256(repr(page.data).encode()).hexdigest()[:32])  # of all that is shown
        return conditional(request, page, tag)

    @document(
        summary="Create a product",
        request=shapes.ProductInput,
        response=shapes.ProductOutput,
        status=201,
        refusals=WRITING,
    )
    def post(self, request: Request) -> Response:
        """Create a product, in the name of who asks."""
        values = self.parse(shapes.ProductInput)
        return answer(
            services.create_product(actor_id=request.user.pk, door=Door.API, **values), status.HTTP_201_CREATED
        )


class ProductView(CatalogView):
    """One product."""

    @document(summary="Read a product", response=shapes.ProductOutput, refusals=[ProductNotFound])
    def get(self, request: Request, product_id: UUID) -> HttpResponseBase:
        """Return the product; 304 if it is still the version that is sent along. Either is a view of it."""
        product = selectors.get_product(product_id, active=self.visible(request))
        self.count(request, ViewKind.RETRIEVED, [product.pk])
        seen = max(product.updated_at, product.names_updated_at)
        return conditional(request, answer(product), tag_of(product), last_modified=seen)

    @document(
        summary="Change a product",
        request=shapes.ProductChange,
        response=shapes.ProductOutput,
        if_match=True,
        refusals=[ProductNotFound, VersionOutdated, *WRITING],
    )
    def patch(self, request: Request, product_id: UUID) -> Response:
        """Change the fields that are given, of the version that was read."""
        return self._change(request, product_id, self.parse(shapes.ProductChange))

    @document(
        summary="Replace a product",
        request=shapes.ProductInput,
        response=shapes.ProductOutput,
        if_match=True,
        refusals=[ProductNotFound, VersionOutdated, *WRITING],
    )
    def put(self, request: Request, product_id: UUID) -> Response:
        """Change the product; what must be said of one must be said again."""
        blank = {"category_id": None, "description": "", "image_url": "", "active": True}
        return self._change(request, product_id, {**blank, **self.parse(shapes.ProductInput)})

    @document(summary="Delete a product", status=204, if_match=True, refusals=[ProductNotFound, VersionOutdated])
    def delete(self, request: Request, product_id: UUID) -> Response:
        """Take the product out of the catalog; its history stays."""
        services.delete_product(
            product_id=product_id,
            expected_version=expected_version(request),
            actor_id=request.user.pk,
            door=Door.API,
        )
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _change(self, request: Request, product_id: UUID, values: dict[str, Any]) -> Response:
        return answer(
            services.change_product(
                product_id=product_id,
                expected_version=expected_version(request),
                actor_id=request.user.pk,
                door=Door.API,
                **values,
            )
        )


class PricesView(IdempotencyMixin, CatalogView):
    """Many prices at once."""

    permission_classes = [Permitted]
    needed = {"POST": "holdfast_catalog_notify.change_product"}

    @document(
        summary="Change prices",
        request=shapes.PricesInput,
        response=shapes.CountOutput,
        refusals=[PercentOutOfRange, TooManyProducts, InvalidAmount],
    )
    def post(self, request: Request) -> Response:
        """Raise or lower the prices of all products that match, in one change set; return how many are different."""
        count = services.change_prices(actor_id=request.user.pk, door=Door.API, **self.parse(shapes.PricesInput))
        return Response(shapes.CountOutput({"count": count}).data)


class ImportView(IdempotencyMixin, CatalogView):
    """Products from a CSV file."""

    permission_classes = [Permitted]
    needed = {"POST": "holdfast_catalog_notify.add_product"}
    parser_classes = [CSVParser]

    @document(
        summary="Import products",
        request={"text/csv": {"type": "string"}},  # type: ignore[arg-type]  # drf-spectacular takes media types too
        parameters=[shapes.ImportOptions],
        response=shapes.ImportOutput,
        refusals=[FileUnreadable, TooManyProducts, RowsBroken, SkuTaken],
    )
    def post(self, request: Request) -> Response:
        """Create and change products by their SKU, in one change set: all rows or, if one is broken, none."""
        if not request.user.has_perm("holdfast_catalog_notify.change_product"):
            self.permission_denied(request)
        options = self.parse(shapes.ImportOptions, request.query_params)
        content = cast("bytes", request.data or b"")  # what has no length is not parsed
        report = services.import_products(content=content, actor_id=request.user.pk, **options)
        return Response(shapes.ImportOutput(report).data)


class ExportView(CatalogView):
    """Products as a CSV file."""

    permission_classes = [Permitted]
    needed = {"GET": "holdfast_catalog_notify.view_product"}
    renderer_classes = [CSVRenderer, *DomainAPIView.renderer_classes]

    @document(
        summary="Export products", query=shapes.ProductFilter, response={"type": "string"}, status=(200, "text/csv")
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Send every product that matches, in the form in which the import takes it."""
        lines = selectors.products_as_csv(selectors.products(**self.parse(shapes.ProductFilter, request.query_params)))
        headers = {"Content-Disposition": 'attachment; filename="products.csv"', "Cache-Control": "private, no-store"}
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


class BrandsView(CatalogView):
    """All brands, and a new one."""

    needed = writing("brand")

    @document(summary="List brands", response=shapes.BrandOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of brands, by name."""
        return by_name(request, selectors.brands(), shapes.BrandOutput)

    @document(
        summary="Create a brand",
        request=shapes.GroupInput,
        response=shapes.BrandOutput,
        status=201,
        refusals=[NameTaken, TextInvalid],
    )
    def post(self, request: Request) -> Response:
        """Create a brand."""
        brand = services.create_brand(**self.parse(shapes.GroupInput))
        return Response(shapes.BrandOutput(brand).data, status=status.HTTP_201_CREATED)


class BrandView(CatalogView):
    """One brand."""

    needed = writing("brand")

    @document(summary="Read a brand", response=shapes.BrandOutput, refusals=[BrandNotFound])
    def get(self, request: Request, brand_id: UUID) -> Response:
        """Return the brand."""
        return Response(shapes.BrandOutput(selectors.get_brand(brand_id)).data)

    @document(
        summary="Rename a brand",
        request=shapes.GroupInput,
        response=shapes.BrandOutput,
        refusals=[BrandNotFound, NameTaken, TextInvalid],
    )
    def patch(self, request: Request, brand_id: UUID) -> Response:
        """Give the brand another name."""
        brand = services.rename_brand(brand_id=brand_id, **self.parse(shapes.GroupInput))
        return Response(shapes.BrandOutput(brand).data)

    @document(summary="Delete a brand", status=204, refusals=[BrandNotFound, StillInUse])
    def delete(self, request: Request, brand_id: UUID) -> Response:
        """Delete the brand, if no product has it."""
        services.delete_brand(brand_id=brand_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CategoriesView(CatalogView):
    """All categories, and a new one."""

    needed = writing("category")

    @document(summary="List categories", response=shapes.CategoryOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of categories, by name."""
        return by_name(request, selectors.categories(), shapes.CategoryOutput)

    @document(
        summary="Create a category",
        request=shapes.GroupInput,
        response=shapes.CategoryOutput,
        status=201,
        refusals=[NameTaken, TextInvalid],
    )
    def post(self, request: Request) -> Response:
        """Create a category."""
        category = services.create_category(**self.parse(shapes.GroupInput))
        return Response(shapes.CategoryOutput(category).data, status=status.HTTP_201_CREATED)


class CategoryView(CatalogView):
    """One category."""

    needed = writing("category")

    @document(summary="Read a category", response=shapes.CategoryOutput, refusals=[CategoryNotFound])
    def get(self, request: Request, category_id: UUID) -> Response:
        """Return the category."""
        return Response(shapes.CategoryOutput(selectors.get_category(category_id)).data)

    @document(
        summary="Rename a category",
        request=shapes.GroupInput,
        response=shapes.CategoryOutput,
        refusals=[CategoryNotFound, NameTaken, TextInvalid],
    )
    def patch(self, request: Request, category_id: UUID) -> Response:
        """Give the category another name."""
        category = services.rename_category(category_id=category_id, **self.parse(shapes.GroupInput))
        return Response(shapes.CategoryOutput(category).data)

    @document(summary="Delete a category", status=204, refusals=[CategoryNotFound, StillInUse])
    def delete(self, request: Request, category_id: UUID) -> Response:
        """Delete the category, if no product has it."""
        services.delete_category(category_id=category_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ChangesView(CatalogView):
    """The history: who changed what, when, from what to what."""

    permission_classes = [Permitted]
    needed = {"GET": "holdfast_catalog_notify.view_change"}

    @document(summary="List changes", query=shapes.ChangesFilter, response=shapes.ChangeOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of changes, the newest first; a deleted product's too."""
        wanted = self.parse(shapes.ChangesFilter, request.query_params)
        return keyset_page(request, selectors.changes_of(**wanted), ordering=("-id",), serializer=shapes.ChangeOutput)


def answer(product: Product, status_code: int = status.HTTP_200_OK) -> Response:
    """Return a product with its entity tag."""
    return Response(shapes.ProductOutput(product).data, status=status_code, headers={"ETag": tag_of(product)})


def tag_of(product: Product) -> str:
    """Return the entity tag of what a product looks like: its version and, for caches, that of the names it shows."""
    return etag_of(f"{product.version}.{int(product.names_updated_at.timestamp() * 1_000_000):x}")


def conditional(
    request: Request, response: Response, tag: str, *, last_modified: dt.datetime | None = None
) -> HttpResponseBase:
    """Return the response under its entity tag, or 304 if the client has it already."""
    response.headers["ETag"] = tag
    seconds = None if last_modified is None else int(last_modified.timestamp())
    if seconds is not None:
        response.headers["Last-Modified"] = http_date(seconds)
    # What admins see is not what visitors see, and no cache is to mix them up.
    response.headers["Cache-Control"] = "private, no-cache"
    answered = get_conditional_response(request._request, etag=tag, last_modified=seconds, response=response)  # noqa: SLF001 - Django's own function wants Django's request
    return cast("HttpResponseBase", answered)


def by_name(request: Request, queryset: Any, serializer: type[BaseSerializer[Any]]) -> Response:
    """Return a page in the order of the names."""
    return keyset_page(request, queryset, ordering=("name", "id"), serializer=serializer, max_page_size=MAX_PAGE_SIZE)
