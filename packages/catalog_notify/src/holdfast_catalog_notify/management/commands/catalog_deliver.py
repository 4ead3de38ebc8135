"""``catalog_deliver``: send the notifications that are due."""

import signal
from argparse import ArgumentParser
from threading import Event
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from holdfast_catalog_notify.services import Worker


class Command(BaseCommand):
    """Send what is due, once or until told to stop."""

    help = "Send the notifications that are due, until SIGTERM. Run as many as you like; they share the work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say how long."""
        parser.add_argument("--once", action="store_true", help="End when nothing is due.")
        parser.add_argument(
            "--poll", type=float, default=1.0, help="How often to look when nothing is due, in seconds."
        )

    def handle(self, *, once: bool, poll: float, **_options: Any) -> None:
        """Send."""
        stop = Event()

        def told_to_stop(_number: int, _frame: FrameType | None) -> None:
            stop.set()  # what is being sent is finished first

        former = {number: signal.signal(number, told_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            worker = Worker()
            sent = worker.run(stopped=stop.is_set) if once else worker.follow(pause_seconds=poll, stopped=stop.is_set)
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
        self.stdout.write(f"{sent} message(s) sent.")
