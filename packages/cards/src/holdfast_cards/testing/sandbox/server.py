"""The sandbox as an HTTP server: one folder of paths for each provider, the page and its buttons at the root."""

from pathlib import Path

from holdfast_cards.testing.sandbox import control
from holdfast_cards.testing.sandbox.clock import SandboxClock
from holdfast_cards.testing.sandbox.dialects import DIALECTS
from holdfast_cards.testing.sandbox.dialects.base import Request
from holdfast_cards.testing.sandbox.listener import HOST, Line, Listener
from holdfast_cards.testing.sandbox.provider import Sandbox


class SandboxServer(Listener):
    """Speaks all dialects on one port: ``/bank``, ``/stripe``, ``/lithic``."""

    def __init__(self, *, host: str = HOST, port: int = 0, keep: Path | None = None) -> None:
        super().__init__(self._dispatch, host=host, port=port)
        self.keep = keep
        """The folder in which the providers' books are kept; without one, nothing is remembered."""
        self.clock = SandboxClock()
        self.providers = {name: Sandbox(name, server=self) for name in DIALECTS}

    def advance(self, seconds: float) -> None:
        """Move the clock of all providers on."""
        self.clock.advance(seconds)
        for provider in self.providers.values():
            provider.webhooks.look_at_the_clock()

    def close(self) -> None:
        """End it all."""
        super().close()
        for provider in self.providers.values():
            provider.close()

    def _dispatch(self, request: Request, line: Line) -> None:
        """Hand a request to the provider whose path it is, or to the page's own API."""
        name, _, rest = request.path.lstrip("/").partition("/")
        provider = self.providers.get(name)
        if provider is None:
            line.send(control.answer(self, request))
        else:
            provider.answer(Request(request.method, f"/{rest}", request.query, request.headers, request.body), line)
