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

api_v1 = [
    path("", include("people.api.urls")),
    path("wallet/", include("holdfast_wallet.urls")),
]

urlpatterns = [
    path("", include("storefront.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api_v1)),
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
