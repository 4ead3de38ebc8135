"""``wallet_seal``: prolong the hash chain."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS

from holdfast_wallet import services


class Command(BaseCommand):
    """Seal the transfers that no running transaction can precede any more."""

    help = "Seal new transfers into the hash chain. Run it every few minutes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the database."""
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS)

    def handle(self, *, database: str, **_options: Any) -> None:
        """Seal once."""
        self.stdout.write(f"{services.seal(using=database)} transfer(s) sealed.")
