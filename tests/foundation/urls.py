"""The addresses of the foundation's test host."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls), path("", include("tests.foundation.host.urls"))]

handler400 = "holdfast.api.problems.handler400"
handler403 = "holdfast.api.problems.handler403"
handler404 = "holdfast.api.problems.handler404"
handler500 = "holdfast.api.problems.handler500"
