"""Whatever is killed, and whenever: every view that was answered is counted, and none of them twice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.devservices import private_postgres

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request, tmp_path_factory):
    """A database of their own, so that its processes see each other."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('counting') / 'db.sqlite3'}"
        return
    with private_postgres(durable=True) as postgres:
        yield postgres.url


def run(what, url):
    environment = {**os.environ, "DATABASE_URL": url}
    command = [sys.executable, "-m", "tests.catalog_notify.killing", what]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_roll_up_that_dies_at_any_step_has_counted_all_or_nothing(url):
    outcomes = run("steps", url)

    assert len(outcomes) > 5, "It should have died before each statement and around the commit."
    assert [outcome["killed"] for outcome in outcomes] == [True] * (len(outcomes) - 1) + [False]
    for outcome in outcomes:
        assert outcome["hourly"] == outcome["daily"] == outcome["visits"]
        assert outcome["daily"] + outcome["buffered"] == outcome["taken"]
    # It died right after a commit, too: that batch was counted.
    assert outcomes[-2]["buffered"] == 0


def test_eight_readers_through_the_api_and_two_roll_ups_at_once_are_exact(url):
    outcome = run("crowd", url)

    assert (outcome["failed"], outcome["buffered"]) == (0, 0)
    assert outcome["hourly"] == outcome["daily"] == outcome["answered"]


def test_what_was_answered_is_counted_whoever_is_shot(url):
    outcome = run("war", url)

    counted = outcome["daily"]
    assert outcome["answered"] > 0
    # Who was shot between his row and his answer has asked, and nobody knows it.
    assert outcome["answered"] <= counted <= outcome["answered"] + outcome["in_flight"]
    assert outcome["hourly"] == outcome["daily"]
