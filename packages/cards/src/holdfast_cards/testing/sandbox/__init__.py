"""A card provider to break: a real HTTP server on loopback that speaks the dialects of the shipped adapters.

::

    with running_sandbox("stripe") as sandbox:
        sandbox.arm("cut_after")                # create the next card, and cut the line
        provider = StripeProvider(base_url=sandbox.base_url, api_key=sandbox.api_key, ...)
        ...
        assert sandbox.posts == 2
        assert len(sandbox.cards_of("ich_1")) == 1

``manage.py cards_sandbox`` runs the same with a page to watch it by.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from holdfast_cards.testing.sandbox.books import CANARY_CVV, CANARY_PAN, Happening, SandboxCard, SandboxEvent
from holdfast_cards.testing.sandbox.clock import SandboxClock
from holdfast_cards.testing.sandbox.faults import Fault, FaultKind, On
from holdfast_cards.testing.sandbox.provider import Sandbox
from holdfast_cards.testing.sandbox.server import SandboxServer

__all__ = [
    "CANARY_CVV",
    "CANARY_PAN",
    "Fault",
    "FaultKind",
    "Happening",
    "On",
    "Sandbox",
    "SandboxCard",
    "SandboxClock",
    "SandboxEvent",
    "SandboxServer",
    "running_sandbox",
]


@contextmanager
def running_sandbox(dialect: str, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[Sandbox]:
    """Run a sandbox for the length of a block, and lend its provider of that dialect: bank, stripe or lithic."""
    server = SandboxServer(host=host, port=port)
    server.listen()
    try:
        yield server.providers[dialect]
    finally:
        server.close()
