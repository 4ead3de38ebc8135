"""Where the tests of the marketplace mount it."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/market/", include("holdfast_artisan_shop.urls")),
]
