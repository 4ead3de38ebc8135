"""The example project's own settings, and people to tell stories about."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache

from holdfast.testing import drain_outbox
from holdfast_wallet.testing import allow_flush
from tests.journeys.visitor import Visitor


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """Start each story without the counters of another."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def flushable(transactional_db: None) -> Iterator[None]:
    """Tests that commit end with a flush, which the ledger's law refuses unless it is told."""
    yield
    allow_flush()


@pytest.fixture
def newcomer() -> Callable[..., Visitor]:
    """Make people who have registered, whose first account is there."""

    def make(username: str, **values: str) -> Visitor:
        visitor = Visitor(username).register(**values)
        drain_outbox()
        return visitor

    return make
