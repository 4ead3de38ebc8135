"""``catalog_count``: add what visitors looked at to the figures."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from holdfast_catalog_notify import services


class Command(BaseCommand):
    """The roll-up; start as many as are needed, on as many machines as there are."""

    help = "Counts the buffered views until it is told to stop (SIGTERM or Ctrl-C)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--once", action="store_true", help="Count what is there, and end.")
        parser.add_argument("--seconds", type=float, default=float("inf"), help="End after so many seconds.")
        parser.add_argument("--pause", type=float, default=1.0, help="The seconds to rest when nothing is there.")
        parser.add_argument("--limit", type=int, default=10_000, help="How many answers one transaction counts.")

    def handle(self, *, once: bool, seconds: float, pause: float, limit: int, **_options: Any) -> None:
        """Count."""
        stopping = False

        def stop(*_signal: object) -> None:
            nonlocal stopping
            stopping = True

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        counted = services.count_views(
            seconds=None if once else seconds, pause_seconds=pause, stopped=lambda: stopping, limit=limit
        )
        self.stdout.write(f"{counted} answer(s) counted.")
