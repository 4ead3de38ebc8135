"""The app of the catalog: one line in ``INSTALLED_APPS``, behind ``holdfast``."""

from django.apps import AppConfig

from holdfast.health.figures import register


class HoldfastCatalogNotifyConfig(AppConfig):
    """Holdfast's catalog."""

    name = "holdfast_catalog_notify"
    label = "holdfast_catalog_notify"
    verbose_name = "Catalog"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the start-up checks, and the figures for whoever watches."""
        from holdfast_catalog_notify import checks  # noqa: F401, PLC0415 - importing them registers them
        from holdfast_catalog_notify.selectors.figures import figures  # noqa: PLC0415 - models are ready only now

        register(self.name, figures)
