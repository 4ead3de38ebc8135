"""The app of cards: one line in ``INSTALLED_APPS``, behind ``holdfast``."""

from django.apps import AppConfig

from holdfast.health.figures import register


class HoldfastCardsConfig(AppConfig):
    """Holdfast's cards."""

    name = "holdfast_cards"
    label = "holdfast_cards"
    verbose_name = "Cards"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the start-up checks, and the figures for whoever watches."""
        from holdfast_cards import checks  # noqa: F401, PLC0415 - importing them registers them
        from holdfast_cards.selectors import figures  # noqa: PLC0415 - models are ready only now

        register(self.name, figures)
