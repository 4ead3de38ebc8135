"""The app of the catalog: one line in ``INSTALLED_APPS``, behind ``holdfast``."""

from django.apps import AppConfig


class HoldfastCatalogNotifyConfig(AppConfig):
    """Holdfast's catalog."""

    name = "holdfast_catalog_notify"
    label = "holdfast_catalog_notify"
    verbose_name = "Catalog"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the start-up checks."""
        from holdfast_catalog_notify import checks  # noqa: F401, PLC0415 - importing them registers them
