"""A sandbox for each test, and somebody who takes its webhooks."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from holdfast_cards.testing.sandbox import Sandbox, running_sandbox
from holdfast_cards.testing.sandbox.books import Reply
from holdfast_cards.testing.sandbox.listener import Listener
from tests.cards.adapters.providers import DIALECTS


@pytest.fixture(params=DIALECTS)
def sandbox(request) -> Iterator[Sandbox]:
    with running_sandbox(request.param) as sandbox:
        yield sandbox


@pytest.fixture
def stripe_sandbox() -> Iterator[Sandbox]:
    with running_sandbox("stripe") as sandbox:
        yield sandbox


@dataclass
class Receiver:
    """Takes webhooks, unless it is told to answer otherwise; as long as its gate is closed, it answers nobody."""

    url: str = ""
    status: int = 200
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.gate.set()

    def take(request, line):
        receiver.received.append((request.headers, request.body))
        receiver.gate.wait()
        line.send(Reply.of(receiver.status, {}))

    listener = Listener(take)
    listener.listen()
    receiver.url = f"{listener.url}/hooks?from=sandbox"
    yield receiver
    receiver.gate.set()
    listener.close()
