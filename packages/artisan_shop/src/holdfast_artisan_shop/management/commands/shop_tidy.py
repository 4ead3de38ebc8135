"""``shop_tidy``: let go what nobody paid for in time."""

from typing import Any

from django.core.management.base import BaseCommand

from holdfast_artisan_shop import services


class Command(BaseCommand):
    """For cron, each minute: what it does not do yet is done by whoever needs the stock."""

    help = "Lets expired holds and unpaid orders go, and asks again for payments without an answer."

    def handle(self, **_options: Any) -> None:
        """Tidy."""
        done = services.tidy()
        self.stdout.write(
            f"{done.holds} hold(s) expired, {done.orders} order(s) cancelled, {done.payments} payment(s) asked for."
        )
