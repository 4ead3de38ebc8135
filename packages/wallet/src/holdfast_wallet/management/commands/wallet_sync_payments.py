"""``wallet_sync_payments``: ask the payment rail what became of pending payments."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from holdfast_wallet import services


class Command(BaseCommand):
    """Ask about the pending payments that are due, the longest waiting first."""

    help = "Ask the payment rail about pending payments. Run it every minute."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Bound the run."""
        parser.add_argument("--limit", type=int, default=100, help="How many payments are asked about at most.")

    def handle(self, *, limit: int, **_options: Any) -> None:
        """Ask once."""
        self.stdout.write(f"{services.sync_payments(limit=limit)} payment(s) ended.")
