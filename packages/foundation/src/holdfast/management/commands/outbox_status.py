"""``manage.py outbox_status``: how the outbox is doing."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from holdfast.outbox.metrics import Snapshot, snapshot


class Command(BaseCommand):
    """The outbox at a glance."""

    help = "Shows how late the outbox is, what waits, what failed and what is dead. Fails if it is too late."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the status."""
        now = snapshot()
        self.stdout.write(json.dumps(now.as_dict(), indent=2) if options["json"] else _table(now))
        if not now.ok:
            raise CommandError(f"The oldest event has waited for {now.lag_seconds:.0f} s. Is a relay running?")


def _table(now: Snapshot) -> str:
    totals = {
        "lag": f"{now.lag_seconds:.1f} s",
        "unrouted": now.unrouted,
        "pending": now.pending,
        "failing": now.failing,
        "dead": now.dead,
        "relays": now.relays,
    }
    lines = [
        ", ".join(f"{name} {value}" for name, value in totals.items()),
        "",
        f"{'subscriber':<60} {'state':<9} {'pending':>8} {'failing':>8} {'dead':>6} {'lag s':>8}",
    ]
    lines += [
        f"{it.name[:60]:<60} {it.state:<9} {it.pending:>8} {it.failing:>8} {it.dead:>6} {it.lag_seconds:>8.1f}"
        for it in now.subscribers
    ]
    return "\n".join(lines)
