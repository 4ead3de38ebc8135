"""The example project's own settings, and people to tell stories about."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from benchmarks.broadcast.processes import CounterProcess
from holdfast.testing import drain_outbox
from holdfast_artisan_shop.testing import make_category, make_product, make_shop
from holdfast_wallet.testing import allow_flush
from people.selectors import find_person
from tests.journeys.counting import counter_server
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
def counter(tmp_path: Path, settings: Any) -> Iterator[CounterProcess]:
    """A real counter server, which the project tells."""
    with counter_server(tmp_path / "counted") as server:
        settings.COUNTER_URL = f"{server.url}/events"
        settings.COUNTER_PAGE = f"{server.url}/"
        settings.HOLDFAST_DEFECTS = {
            "COUNTER": {
                "BACKEND": "holdfast_defects.backends.http.HttpCounter",
                "OPTIONS": {"url": settings.COUNTER_URL},
            }
        }
        yield server


@pytest.fixture
def newcomer() -> Callable[..., Visitor]:
    """Make people who have registered, whose first account is there."""

    def make(username: str, **values: str) -> Visitor:
        visitor = Visitor(username).register(**values)
        drain_outbox()
        return visitor

    return make


@pytest.fixture
def greta(newcomer: Callable[..., Visitor]) -> Visitor:
    """An artisan at her pages."""
    return newcomer("greta", role="artisan", first_name="Greta")


@pytest.fixture
def bowls(greta: Visitor) -> Any:
    """A pottery at the harbor, with five bowls on the shelf."""
    shop = make_shop(
        owner=find_person("greta"),
        name="Holm Stoneware",
        delivery_radius_km=10,
        time_zone="Europe/Paris",
        lat=49.4213,
        lng=0.2318,
    )
    category = make_category(name="Bowls")
    return make_product(shop=shop, category=category, name="Tea bowl", price="40.00", stock=5, description="Warm.")
