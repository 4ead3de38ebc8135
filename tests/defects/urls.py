"""Where the tests of the defects mount it: at both places that its clients know."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("holdfast_defects.urls")),
    path("api/v1/", include("holdfast_defects.urls", namespace="holdfast_defects_v1")),
]
