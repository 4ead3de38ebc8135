"""``wallet_open_system_accounts``: the house's own accounts, ahead of their first use."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from holdfast.errors import Refusal
from holdfast_wallet import services
from holdfast_wallet.states import SystemRole


class Command(BaseCommand):
    """Open each missing house account of the given currencies."""

    help = "Open the house's accounts (cash in, cash out, fees, ...) of some currencies before they are first needed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name currencies, and roles beside our own."""
        parser.add_argument("currencies", nargs="+", metavar="CURRENCY", help="Such as EUR.")
        parser.add_argument("--role", action="append", dest="roles", help="Only this role; may be repeated.")
        parser.add_argument("--slots", type=int, help="Over how many rows a hot account spreads its postings.")

    def handle(self, *, currencies: list[str], roles: list[str] | None, slots: int | None, **_options: Any) -> None:
        """Open what is missing; what is there stays as it is."""
        for currency in currencies:
            for role in roles or SystemRole.values:
                try:
                    account = services.open_system_account(role=role, currency=currency, slots=slots)
                except Refusal as refusal:
                    raise CommandError(f"{role} {currency}: {refusal.message}") from refusal
                self.stdout.write(f"{account.id}  {role:<10} {currency}")
