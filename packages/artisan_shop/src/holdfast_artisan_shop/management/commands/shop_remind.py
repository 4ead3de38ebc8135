"""``shop_remind``: slots for the coming weeks, and a word about tomorrow."""

from typing import Any

from django.core.management.base import BaseCommand

from holdfast_artisan_shop import services


class Command(BaseCommand):
    """For cron, each hour: whoever was told of a delivery is not told of it again."""

    help = "Makes the slots of the coming weeks, and tells of tomorrow's deliveries."

    def handle(self, **_options: Any) -> None:
        """Make and tell."""
        slots, told = services.generate_slots(), services.remind_of_deliveries()
        self.stdout.write(f"{slots} slot(s) made, {told} delivery(ies) told of.")
