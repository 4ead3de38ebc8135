"""``cards_worker``: take up whatever was left behind."""

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, close_old_connections

from holdfast_cards import services

logger = logging.getLogger("holdfast_cards")

RECONNECT_SECONDS = 5.0


class Command(BaseCommand):
    """The worker; start as many as you like."""

    help = "Repairs cards until it is told to stop (SIGTERM or Ctrl-C): lost answers, webhooks, stale states."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--once", action="store_true", help="Do what is due, and end.")
        parser.add_argument("--limit", type=int, default=100, help="How many of each kind are done in one round.")
        parser.add_argument("--poll", type=float, default=1.0, help="Seconds between two rounds with nothing to do.")

    def handle(self, *_args: Any, once: bool, limit: int, poll: float, **_options: Any) -> None:
        """Work."""
        stop = threading.Event()
        if not once:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
            self.stderr.write("The worker of cards has started.")
        while not stop.is_set():
            try:
                done = services.work(limit=limit)
            except Error:
                if once:
                    raise
                logger.exception("The worker of cards lost its database and tries again in %g s.", RECONNECT_SECONDS)
                close_old_connections()
                stop.wait(RECONNECT_SECONDS)
                continue
            if done:
                self.stdout.write(", ".join(f"{count} {name}" for name, count in vars(done).items() if count))
            if once:
                return
            if not done:
                close_old_connections()
                stop.wait(poll)
        self.stderr.write("The worker of cards has ended.")
