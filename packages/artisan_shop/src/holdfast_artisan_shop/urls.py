"""The addresses of the marketplace's API."""

from django.urls import URLPattern

app_name = "holdfast_artisan_shop"

urlpatterns: list[URLPattern] = []
