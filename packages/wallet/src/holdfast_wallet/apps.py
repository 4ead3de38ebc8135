"""The wallet's app: one line in ``INSTALLED_APPS``, behind ``holdfast``."""

from django.apps import AppConfig

from holdfast.health.figures import register


class HoldfastWalletConfig(AppConfig):
    """Holdfast's wallet."""

    name = "holdfast_wallet"
    label = "holdfast_wallet"
    verbose_name = "Wallet"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the start-up checks, and the figures for whoever watches."""
        from holdfast_wallet import checks  # noqa: F401, PLC0415 - importing them registers them
        from holdfast_wallet.selectors import figures  # noqa: PLC0415 - models are ready only now

        register(self.name, figures)
