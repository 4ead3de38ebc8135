"""The front door."""

from django.views.generic import TemplateView


class HomeView(TemplateView):
    """What Holdfast is, for who sees it for the first time."""

    template_name = "storefront/home.html"
