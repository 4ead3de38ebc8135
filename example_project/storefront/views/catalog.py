"""The catalog: everybody looks at it, its admins write it and see the others being told."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from holdfast import errors
from holdfast_catalog_notify import selectors, services
from holdfast_catalog_notify.exceptions import RowsBroken
from holdfast_catalog_notify.states import Door, ViewKind
from storefront.forms.catalog import BrowseForm, ChangeProductForm, ImportForm, PricesForm, ProductForm
from storefront.forms.defects import SureForm
from storefront.pages import AdminFormPage, OpenPage, leaf
from storefront.viewed import last_days

PAGE_PRODUCTS = 24
SHOWN_ROWS = 100
MAY = "holdfast_catalog_notify."


def is_admin(request: HttpRequest) -> bool:
    """Say whether who asks works here."""
    return request.user.is_active and request.user.is_staff


def count(request: HttpRequest, kind: ViewKind, product_ids: list[UUID]) -> None:
    """Count what a visitor was shown, as the API does; who is signed in is not one."""
    if request.method == "GET" and not request.user.is_authenticated:
        services.record_views(kind=kind, product_ids=product_ids, meta=request.META)


class CatalogView(OpenPage):
    """The products that match, a page at a time."""

    template_name = "storefront/catalog/list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather one page."""
        form = BrowseForm(self.request.GET)
        admin = is_admin(self.request)
        found = selectors.products(**form.filters(admin=admin))
        page = leaf(self.request, found, ordering=form.ordering, size=PAGE_PRODUCTS)
        count(self.request, ViewKind.LISTED, [product.pk for product in page.rows])
        return super().get_context_data(form=form, page=page, admin=admin, export=form.exported, **kwargs)


class ProductView(OpenPage):
    """One product. Visitors find what is active; admins everything, with what there is to know of it."""

    template_name = "storefront/catalog/product.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show it, and count that it was looked at."""
        admin = is_admin(self.request)
        product = selectors.get_product(kwargs["product_id"], active=None if admin else True)
        count(self.request, ViewKind.RETRIEVED, [product.pk])
        others = selectors.products(category_id=product.category_id, active=True).exclude(pk=product.pk)
        known: dict[str, Any] = {"product": product, "admin": admin, "others": others[:4]}
        if admin:
            known["changes"] = selectors.changes_of(product_id=product.pk)[:5]
        if admin and self.request.user.has_perm(f"{MAY}view_dailyviews"):
            known["viewed"] = last_days(product_id=product.pk)
        return super().get_context_data(**known, **kwargs)


class TellingPage(AdminFormPage):
    """A form whose verb changes products; afterwards one watches the others being told."""

    newest_before: UUID | None = None

    def form_valid(self, form: Any) -> HttpResponse:
        """Run the verb, and know afterwards whether it made a change set."""
        self.newest_before = self._newest()
        return super().form_valid(form)

    def where_to(self, result: Any) -> str:
        """Lead to the change set, or back where nothing is different."""
        newest = self._newest()
        if newest is not None and newest != self.newest_before:
            return reverse("storefront:change-set", args=[newest])
        messages.info(self.request, "Everything was so already: there is nothing to tell.")
        return self.back()

    def back(self) -> str:
        """Return where one came from."""
        return reverse("storefront:catalog")

    def _newest(self) -> UUID | None:
        return selectors.changes_of(actor_id=self.owner_id).values_list("change_set_id", flat=True).first()


class NewProductView(TellingPage):
    """A new product."""

    template_name = "storefront/catalog/new.html"
    permission_required = f"{MAY}add_product"
    form_class = ProductForm

    def run(self, form: Any) -> Any:
        """Create it."""
        return services.create_product(actor_id=self.owner_id, door=Door.ADMIN, **form.values)


class OneProduct(TellingPage):
    """Something that is done with one product."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Name the product for the way back."""
        return super().get_context_data(product=selectors.get_product(self.kwargs["product_id"]), **kwargs)

    def back(self) -> str:
        """Return to the product."""
        return reverse("storefront:product", args=[self.kwargs["product_id"]])


class ChangeProductView(OneProduct):
    """Change a product; who edits what somebody else has changed meanwhile, is told."""

    template_name = "storefront/catalog/change.html"
    permission_required = f"{MAY}change_product"
    form_class = ChangeProductForm

    def get_initial(self) -> dict[str, Any]:
        """Show what is there."""
        return ProductForm.showing(selectors.get_product(self.kwargs["product_id"]))

    def run(self, form: Any) -> Any:
        """Change it."""
        return services.change_product(
            product_id=self.kwargs["product_id"],
            expected_version=form.cleaned_data["version"],
            actor_id=self.owner_id,
            door=Door.ADMIN,
            **form.values,
        )


class DeleteProductView(OneProduct):
    """Take a product out of the catalog, after a question."""

    template_name = "storefront/catalog/delete.html"
    permission_required = f"{MAY}delete_product"
    form_class = SureForm

    def get_initial(self) -> dict[str, Any]:
        """Remember which version was seen."""
        return {"version": selectors.get_product(self.kwargs["product_id"]).version}

    def run(self, form: Any) -> None:
        """Delete it."""
        services.delete_product(
            product_id=self.kwargs["product_id"],
            expected_version=form.cleaned_data["version"],
            actor_id=self.owner_id,
            door=Door.ADMIN,
        )


class PricesView(TellingPage):
    """Many prices at once."""

    template_name = "storefront/catalog/prices.html"
    permission_required = f"{MAY}change_product"
    form_class = PricesForm

    def run(self, form: Any) -> int:
        """Raise or lower them, as one change."""
        chosen = form.cleaned_data
        changed = services.change_prices(
            percent=chosen["percent"],
            brand_id=chosen["brand"].pk if chosen["brand"] else None,
            category_id=chosen["category"].pk if chosen["category"] else None,
            actor_id=self.owner_id,
            door=Door.ADMIN,
        )
        if changed:
            messages.success(self.request, f"{changed} prices are different now, as one change.")
        return changed


class ImportView(TellingPage):
    """Products from a file; what is wrong with it is said by line."""

    template_name = "storefront/catalog/import.html"
    permission_required = (f"{MAY}add_product", f"{MAY}change_product")
    form_class = ImportForm

    def form_valid(self, form: Any) -> HttpResponse:
        """Import, or say which lines are broken."""
        content = form.cleaned_data["file"].read()
        options = {name: form.cleaned_data[name] for name in ("broken", "dry_run")}
        self.newest_before = self._newest()
        try:
            report = services.import_products(content=content, actor_id=self.owner_id, **options)
        except RowsBroken as refusal:
            context: Any = refusal.context
            return self._say(form, refusal.status, refusal=refusal, rows=context["rows"], broken=context["broken"])
        except errors.Refusal as refusal:
            return self._say(form, refusal.status, refusal=refusal)
        if options["dry_run"] or report.broken:
            return self._say(form, 200, report=report, rows=report.broken, broken=len(report.broken))
        messages.success(
            self.request, f"{report.created} created, {report.changed} changed, {report.unchanged} as they were."
        )
        return HttpResponseRedirect(self.where_to(report))

    def _say(self, form: Any, status: int, *, rows: Any = (), broken: int = 0, **found: Any) -> HttpResponse:
        more = max(broken - SHOWN_ROWS, 0)
        context = self.get_context_data(form=form, rows=list(rows)[:SHOWN_ROWS], broken=broken, more=more, **found)
        newest = self._newest()
        return self.render_to_response(
            {**context, "change_set_id": newest if newest != self.newest_before else None}, status=status
        )
