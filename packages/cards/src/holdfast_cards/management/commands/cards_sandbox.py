"""``manage.py cards_sandbox``: a card provider to break, with a page to watch it by."""

import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from holdfast.outbox.webhooks.signing import BadSecret, key_of
from holdfast_cards.testing.sandbox import SandboxServer

PORT = 8300


class Command(BaseCommand):
    """The sandbox; for development and tests, never for real cards."""

    help = "Runs stand-ins for the bank, Stripe and Lithic, with faults on demand, until it is told to stop."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--host", default="127.0.0.1", help="Where it listens; whoever gets there can press all.")
        parser.add_argument("--port", type=int, default=PORT, help=f"The port, {PORT} unless told otherwise; 0: any.")
        parser.add_argument(
            "--webhook-url",
            default="",
            help="Where webhooks go; {name} stands for bank, stripe or lithic. It can be changed on the page.",
        )
        parser.add_argument("--keep", type=Path, help="A folder in which it remembers its cards from run to run.")
        parser.add_argument("--webhook-secret", default="", help="What they are signed with: whsec_ and base64.")

    def handle(
        self,
        *_args: Any,
        host: str,
        port: int,
        keep: Path | None,
        webhook_url: str,
        webhook_secret: str,
        **_options: Any,
    ) -> None:
        """Run the sandbox."""
        if webhook_secret:
            try:
                key_of(webhook_secret)
            except BadSecret as error:
                raise CommandError(str(error)) from error
        try:
            server = SandboxServer(host=host, port=port, keep=keep)
        except OSError as error:
            raise CommandError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
        for name, provider in server.providers.items():
            provider.choose(webhook_url=webhook_url.replace("{name}", name))
            if webhook_secret:
                provider.choose(webhook_secret=webhook_secret)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        server.listen()
        self.stdout.write(f"The sandbox's page is {server.url}/")
        for name, provider in server.providers.items():
            self.stdout.write(f"  {name:<7} {provider.base_url}  (key {provider.api_key})")
        self.stdout.flush()
        stop.wait()
        server.close()
