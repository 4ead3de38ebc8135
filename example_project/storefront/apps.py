"""The app of the pages."""

from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    name = "storefront"
    verbose_name = "Storefront"

    def ready(self) -> None:
        """Wire the reactions: importing the page subscribes them."""
        import reactions  # noqa: F401, PLC0415 - importing it is what registers the handlers
