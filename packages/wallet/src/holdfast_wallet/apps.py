"""The wallet's app: one line in ``INSTALLED_APPS``, behind ``holdfast``."""

from django.apps import AppConfig


class HoldfastWalletConfig(AppConfig):
    """Holdfast's wallet."""

    name = "holdfast_wallet"
    label = "holdfast_wallet"
    verbose_name = "Wallet"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the start-up checks."""
        from holdfast_wallet import checks  # noqa: F401, PLC0415 - importing them registers them
