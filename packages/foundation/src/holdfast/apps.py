"""The foundation's app: one line in ``INSTALLED_APPS``."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class HoldfastConfig(AppConfig):
    """Holdfast's foundation."""

    name = "holdfast"
    label = "holdfast"
    verbose_name = "Holdfast"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks, and import each app's ``handlers``: their ``subscribe`` lines are the registry."""
        from holdfast import checks  # noqa: F401, PLC0415 - importing registers; models are ready only now

        autodiscover_modules("handlers")
