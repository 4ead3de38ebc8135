"""The app of the pages."""

from django.apps import AppConfig
from django.conf import settings

from holdfast.health import register


class StorefrontConfig(AppConfig):
    name = "storefront"
    verbose_name = "Storefront"

    def ready(self) -> None:
        """Wire the reactions, and the health checks of what the project adds: its workers, counter server and mails."""
        import reactions  # noqa: F401, PLC0415 - importing it is what registers the handlers
        from config import health  # noqa: PLC0415 - as above

        if not settings.CELERY_TASK_ALWAYS_EAGER:
            register("celery", health.workers)
        if settings.COUNTER_URL:
            register("counters", health.counters)
        register("notifications", health.notifications)
