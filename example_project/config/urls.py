"""The addresses of the project."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from config.metrics import metrics
from holdfast.health.views import health, ping
from people.api.views import TokenView

handler400 = "holdfast.api.problems.handler400"
handler403 = "holdfast.api.problems.handler403"
handler404 = "holdfast.api.problems.handler404"
handler500 = "holdfast.api.problems.handler500"

admin.site.index_title = "Overview"

api_v1 = [
    path("", include("people.api.urls")),
    path("wallet/", include("holdfast_wallet.urls")),
    path("", include("holdfast_cards.urls")),
    path("", include("holdfast_defects.urls")),
    path("catalog/", include("holdfast_catalog_notify.urls")),
    path("", include("holdfast_artisan_shop.urls")),
]

urlpatterns = [
    path("", include("storefront.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api_v1)),
    # Where the first clients of the defects know them; the document describes the same under the version's prefix.
    path("api/", include("holdfast_defects.urls", namespace="holdfast_defects_first")),
    path("api/token/", TokenView.as_view(), name="token"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("schema/swagger-ui/", SpectacularSwaggerView.as_view(), name="swagger-ui"),
    path(
        "schema/redoc/",
        SpectacularRedocView.as_view(template_name="storefront/redoc.html"),
        name="redoc",
    ),
    path("ping/", ping, name="ping"),
    path("health/", health, name="health"),
    path("metrics", metrics, name="metrics"),
]
