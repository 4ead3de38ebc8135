"""Where the wallet's tests mount it."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/wallet/", include("holdfast_wallet.urls")),
]
