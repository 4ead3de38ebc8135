"""What every test of cards stands on: a provider that watches, and a clock to turn."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from holdfast.conf import load_backend
from holdfast_cards.testing import make_holder
from tests.cards.doubles import Clock, WatchfulProvider

# The provider's side has nothing to do with our tables.
NO_TABLES = ("tests/cards/adapters/", "tests/cards/sandbox/")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of the provider's side on one database, but for those that need PostgreSQL."""
    for item in items:
        if item.nodeid.startswith(NO_TABLES) and item.get_closest_marker("postgres") is None:
            item.add_marker("any_database")


@pytest.fixture
def use(settings: Any) -> Callable[..., WatchfulProvider]:
    """Put a provider of the given capabilities into the settings, and return it; in capitals, other settings."""

    def choose(**options: Any) -> WatchfulProvider:
        others = {name: options.pop(name) for name in list(options) if name.isupper()}
        spec = {"BACKEND": "tests.cards.doubles.WatchfulProvider", "OPTIONS": options}
        settings.HOLDFAST_CARDS = {"PROVIDER": spec, **others}
        provider = load_backend(spec)
        assert isinstance(provider, WatchfulProvider)
        return provider

    return choose


@pytest.fixture
def provider(use: Callable[..., WatchfulProvider]) -> WatchfulProvider:
    """The ordinary provider: keys, our reference, a way to look at a card."""
    return use(idempotency_key=True, find_by_reference=True, get=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Our clock, standing still until it is turned."""
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


@pytest.fixture
def holder() -> Any:
    """Somebody who wants a card."""
    return make_holder()


@pytest.fixture
def client(holder: Any) -> APIClient:
    """The holder's program."""
    client = APIClient()
    client.force_authenticate(holder)
    return client
