"""``manage.py outbox_relay``: deliver what was committed."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from holdfast.outbox.relay import Relay


class Command(BaseCommand):
    """The relay; start as many as there are machines."""

    help = "Delivers events to their subscribers until it is told to stop (SIGTERM or Ctrl-C)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--once", action="store_true", help="Deliver what is there, and end.")
        parser.add_argument(
            "--database", help="The database whose outbox is delivered, if not where events are written."
        )

    def handle(self, *_args: Any, once: bool, database: str | None, **_options: Any) -> None:
        """Run a relay."""
        relay = Relay(using=database)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: relay.stop())
        self.stderr.write(f"Relay {relay.name} has started.")
        delivered = relay.drain() if once else relay.run()
        self.stderr.write(f"Relay {relay.name} has ended after {delivered} deliveries.")
