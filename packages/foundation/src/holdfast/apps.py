"""The foundation's app: one line in ``INSTALLED_APPS``."""

from django.apps import AppConfig


class HoldfastConfig(AppConfig):
    """Holdfast's foundation."""

    name = "holdfast"
    label = "holdfast"
    verbose_name = "Holdfast"
    default_auto_field = "django.db.models.BigAutoField"
