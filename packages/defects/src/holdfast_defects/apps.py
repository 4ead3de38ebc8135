"""The app of the defects: one line in ``INSTALLED_APPS``, behind ``holdfast``."""

from django.apps import AppConfig

from holdfast.health.figures import register


class HoldfastDefectsConfig(AppConfig):
    """Holdfast's defects."""

    name = "holdfast_defects"
    label = "holdfast_defects"
    verbose_name = "Defects"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the start-up checks, and the figures for whoever watches."""
        from holdfast_defects import checks  # noqa: F401, PLC0415 - importing them registers them
        from holdfast_defects.selectors import figures  # noqa: PLC0415 - models are ready only now

        register(self.name, figures)
