"""Where the tests of the catalog mount it."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/catalog/", include("holdfast_catalog_notify.urls")),
]
