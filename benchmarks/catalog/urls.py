"""Where the benchmark mounts the API."""

from django.urls import include, path

urlpatterns = [path("api/", include("holdfast_catalog_notify.urls"))]
