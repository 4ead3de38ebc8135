"""Where the host mounts the cards."""

from django.urls import include, path

urlpatterns = [path("api/", include("holdfast_cards.urls"))]
