"""``wallet_expire_holds``: end the holds whose time is over."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from holdfast_wallet import services


class Command(BaseCommand):
    """End due holds in bounded steps until none is left."""

    help = "End the holds whose time is over. Run it every minute; nobody's money waits for it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Bound one step."""
        parser.add_argument("--limit", type=int, default=500, help="How many holds one transaction ends at most.")

    def handle(self, *, limit: int, **_options: Any) -> None:
        """End all that are due."""
        ended = 0
        while step := services.expire_holds(limit=limit):
            ended += step
        self.stdout.write(f"{ended} hold(s) expired.")
