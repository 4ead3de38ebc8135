"""The front door."""

from typing import Any

from django.core.cache import cache
from django.views.generic import TemplateView

from holdfast_artisan_shop import selectors as shop
from holdfast_catalog_notify import selectors as catalog
from holdfast_defects import selectors as defects
from storefront.trying import who_to_be

COUNTED_AT_MOST = 10_000
KEPT_SECONDS = 30


class HomeView(TemplateView):
    """What Holdfast is, for who sees it for the first time: its five apps, what each promises, and where it is."""

    template_name = "storefront/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Bring figures that are true now, and who one may be."""
        figures = cache.get_or_set("storefront.home", _figures, KEPT_SECONDS)
        who = {} if self.request.user.is_authenticated else who_to_be()
        return super().get_context_data(figures=figures, who=who, **kwargs)


def _figures() -> dict[str, int]:
    counted = {
        "shops": shop.shops(),
        "wares": shop.shown_products(),
        "products": catalog.products(),
        "defects": defects.defects(),
    }
    return {name: rows.order_by()[:COUNTED_AT_MOST].count() for name, rows in counted.items()}
