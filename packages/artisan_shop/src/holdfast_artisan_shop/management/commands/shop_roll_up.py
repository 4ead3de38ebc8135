"""``shop_roll_up``: count the sales again, and what follows from them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from holdfast_artisan_shop import services


class Command(BaseCommand):
    """For cron, each night."""

    help = "Counts the last days of all shops again, what is bought together, is popular and is searched for."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--days", type=int, default=3, help="How many days back.")

    def handle(self, *, days: int, **_options: Any) -> None:
        """Count."""
        done = services.roll_up(days=days)
        self.stdout.write(
            f"{done.wrong_days} day(s) were wrong, {done.together} pair(s), {done.popular} product(s), "
            f"{done.words} word(s)."
        )
