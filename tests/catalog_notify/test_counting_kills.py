"""Whatever is killed, and whenever: every view that was answered is counted, and none of them twice."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]

# On either database where make test runs PostgreSQL.
pytestmark = [pytest.mark.slow, pytest.mark.any_database]


@contextmanager
def postgres() -> Iterator[str]:
    """A database of its own on the server that the tests run on."""
    import psycopg

    server, name = urlsplit(os.environ["DATABASE_URL"]), f"catalog_kills_{os.getpid()}"
    with psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield server._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder / 'db.sqlite3'}"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def came(request, tmp_path_factory):
    """What came of each kind of death, on a database that its processes share."""
    with sqlite(tmp_path_factory.mktemp("counting")) if request.param == "sqlite" else postgres() as url:
        done = subprocess.run(
            [sys.executable, "-m", "tests.catalog_notify.killing"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_roll_up_that_dies_at_any_step_has_counted_all_or_nothing(came):
    outcomes = came["steps"]

    assert len(outcomes) > 5, "It should have died before each statement and around the commit."
    assert [outcome["killed"] for outcome in outcomes] == [True] * (len(outcomes) - 1) + [False]
    for outcome in outcomes:
        assert outcome["hourly"] == outcome["daily"] == outcome["visits"]
        assert outcome["daily"] + outcome["buffered"] == outcome["taken"]
    # It died right after a commit, too: that batch was counted.
    assert outcomes[-2]["buffered"] == 0


def test_eight_readers_through_the_api_and_two_roll_ups_at_once_are_exact(came):
    outcome = came["crowd"]

    assert (outcome["failed"], outcome["buffered"]) == (0, 0)
    assert outcome["hourly"] == outcome["daily"] == outcome["answered"]


def test_what_was_answered_is_counted_whoever_is_shot(came):
    outcome = came["war"]

    counted = outcome["daily"]
    assert outcome["answered"] > 0
    # Who was shot between his row and his answer has asked, and nobody knows it.
    assert outcome["answered"] <= counted <= outcome["answered"] + outcome["in_flight"]
    assert outcome["hourly"] == outcome["daily"]
