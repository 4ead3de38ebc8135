"""The foundation's app: one line in ``INSTALLED_APPS``."""

from importlib.util import find_spec

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
        from holdfast.health.checks import register_defaults  # noqa: PLC0415 - as above

        register_defaults()
        if find_spec("prometheus_client"):
            from holdfast.health import metrics  # noqa: PLC0415 - only where the host has it

            metrics.register()

        autodiscover_modules("handlers")
