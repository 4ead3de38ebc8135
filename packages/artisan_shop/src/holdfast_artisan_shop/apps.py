"""The marketplace's app: one line in ``INSTALLED_APPS``, behind ``holdfast``."""

from django.apps import AppConfig

from holdfast.health.figures import register


class HoldfastArtisanShopConfig(AppConfig):
    """Holdfast's artisan shop."""

    name = "holdfast_artisan_shop"
    label = "holdfast_artisan_shop"
    verbose_name = "Artisan shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the start-up checks, and the figures for whoever watches."""
        from holdfast_artisan_shop import checks  # noqa: F401, PLC0415 - importing them registers them
        from holdfast_artisan_shop.selectors.figures import figures  # noqa: PLC0415 - models are ready only now

        register(self.name, figures)
