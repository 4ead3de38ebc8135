"""``manage.py tour``: walks the demo's one story through its API."""

import os
import time
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from storefront.tour import Api, Astray, Report, Tour
from storefront.tour.calls import TIMEOUT_SECONDS

DEMO = "http://127.0.0.1:8000"


class Command(BaseCommand):
    """Tells the story to whoever looks on."""

    help = (
        "Walk one story through all rooms of a running demo, by its HTTP API, and print what happens. "
        "Ends with status 1 at the first answer that is not as expected. It may be walked any number of times."
    )
    # It talks to a server; whatever database this process has is none of its business.
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the demo is."""
        parser.add_argument("--url", default=os.environ.get("SITE_URL") or DEMO, help="The demo. Default: %(default)s")
        parser.add_argument(
            "--counters",
            default=settings.COUNTER_PAGE,
            help="The counter server's address; without it, what it counts is not looked at.",
        )

    def handle(self, *_args: Any, url: str, counters: str, **options: Any) -> None:
        """Walk it."""
        terminal = self.stdout.isatty() and not options["no_color"]
        out: Any = self.stdout._out  # noqa: SLF001 - its own write() adds line ends
        report = Report(out, color=terminal or options["force_color"], live=terminal)
        began = time.monotonic()
        # Proxies of the environment are not for a server of our own.
        with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            try:
                Tour(Api(client, report), counters=counters).walk()
            except Astray as astray:
                raise CommandError(f"\nThe tour ends here. {astray}", returncode=1) from None
        seconds = time.monotonic() - began
        self.stdout.write(f"\nAll of it happened: {report.chapters} chapters, {report.calls} calls, {seconds:.0f} s.")
