"""``manage.py outbox_purge``: delete what was delivered long ago."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from holdfast.outbox.replay import UnknownSubscriber, forget_subscriber
from holdfast.outbox.retention import purge


class Command(BaseCommand):
    """The broom."""

    help = "Deletes delivered events, the log of attempts, resolved dead letters and inbox rows after their retention."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--subscriber",
            help="Instead, drop this subscriber, which the code no longer has, and all that waits for it.",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Delete."""
        name = options["subscriber"]
        if not name:
            counts = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in asdict(purge()).items())
            self.stdout.write(f"Deleted {counts}.")
            return
        try:
            self.stdout.write(f"Dropped {name!r} and {forget_subscriber(name)} deliveries.")
        except UnknownSubscriber:
            raise CommandError(f"There is no subscriber {name!r}: see outbox_status.") from None
