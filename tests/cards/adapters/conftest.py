"""A sandbox for each test: it takes a few milliseconds."""

from collections.abc import Iterator

import pytest

from holdfast_cards.testing.sandbox import Sandbox, running_sandbox
from tests.cards.adapters.providers import DIALECTS


@pytest.fixture(params=DIALECTS)
def sandbox(request) -> Iterator[Sandbox]:
    with running_sandbox(request.param) as sandbox:
        yield sandbox


@pytest.fixture
def stripe_sandbox() -> Iterator[Sandbox]:
    with running_sandbox("stripe") as sandbox:
        yield sandbox


@pytest.fixture
def lithic_sandbox() -> Iterator[Sandbox]:
    with running_sandbox("lithic") as sandbox:
        yield sandbox


@pytest.fixture
def bank_sandbox() -> Iterator[Sandbox]:
    with running_sandbox("bank") as sandbox:
        yield sandbox
