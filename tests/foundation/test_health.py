"""Health: each component answers for itself, and one that is down is said to be."""

import datetime as dt

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.db import OperationalError, connection, connections
from django.test import Client, override_settings
from django.utils import timezone

from holdfast.health import Health, check_all, checks, components, figures, register, registry
from holdfast.outbox import metrics as outbox_metrics
from holdfast.testing import race
from tests.foundation.routers import PrimaryIsElsewhere, ReplicaIsDown

pytestmark = pytest.mark.django_db


class ForgetfulCache(BaseCache):
    def __init__(self, location, params):
        super().__init__(params)

    def set(self, key, value, timeout=None, version=None):
        pass

    def get(self, key, default=None, version=None):
        return default

    def delete(self, key, version=None):
        return False


@pytest.fixture
def extra(monkeypatch):
    """Register a check for one test."""

    def add(name, check):
        monkeypatch.setitem(registry, name, check)

    return add


def broken_database():
    def refuse(execute, *args):
        raise ConnectionError("could not connect to db-1.internal as root")

    return connection.execute_wrapper(refuse)


def test_a_ping_asks_the_database():
    response = Client().get("/ping/")

    assert (response.status_code, response.json()) == (200, {"pong": True, "db": "ok"})
    assert "no-cache" in response.headers["Cache-Control"]


def test_a_ping_says_that_the_database_is_down():
    with broken_database():
        response = Client().get("/ping/")

    assert (response.status_code, response.json()) == (503, {"pong": True, "db": "down"})


def test_health_answers_for_each_component():
    response = Client().get("/health/")

    assert response.status_code == 200
    document = response.json()
    assert document["status"] == "ok"
    assert set(document["components"]) == {"database", "cache", "outbox"}
    assert {component["status"] for component in document["components"].values()} == {"ok"}
    assert document["components"]["database"]["vendor"] == connection.vendor
    assert set(document["components"]["outbox"]) == {"status", "lag_seconds", "pending", "dead", "relays"}


def test_one_component_that_is_down_is_told_apart(extra):
    extra("provider", lambda: Health(ok=False, detail={"since": "noon"}))
    response = Client().get("/health/")

    assert (response.status_code, response.json()["status"]) == (503, "down")
    components = response.json()["components"]
    assert components["provider"] == {"status": "down", "since": "noon"}
    assert components["database"]["status"] == "ok"


def test_a_check_that_breaks_is_down_keeps_its_secrets_and_harms_no_other(caplog):
    with broken_database():
        response = Client().get("/health/")

    assert response.status_code == 503
    assert response.json()["components"]["database"] == {"status": "down", "error": "ConnectionError"}
    assert response.json()["components"]["cache"]["status"] == "ok"
    assert b"internal" not in response.content
    assert "db-1.internal" in caplog.text


def test_only_reading_is_allowed():
    assert Client().post("/health/").status_code == 405
    assert Client().head("/ping/").status_code == 200


def test_a_cache_that_forgets_is_down(settings):
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.ForgetfulCache"}}

    assert not checks.cache().ok


def test_a_cache_keeps_nothing_of_its_check():
    caches["default"].clear()
    assert checks.cache().ok
    assert not caches["default"]._cache


def test_each_database_and_cache_of_the_host_is_asked(settings, monkeypatch):
    monkeypatch.setattr(components, "registry", {})
    settings.CACHES = {
        name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"} for name in ("default", "sessions")
    }
    checks.register_defaults()

    assert set(check_all()) == {"database", "cache", "cache:sessions", "outbox"}


def test_an_empty_default_is_no_database_to_ask(monkeypatch):
    monkeypatch.setattr(components, "registry", {})
    monkeypatch.setitem(connections.settings, "empty", {"ENGINE": "django.db.backends.dummy"})
    checks.register_defaults()
    del connections["empty"]

    assert set(components.registry) == {"database", "cache", "outbox"}


def test_a_ping_asks_the_database_that_is_written_to():
    with override_settings(DATABASE_ROUTERS=[ReplicaIsDown("holdfast")]):
        assert Client().get("/ping/").status_code == 200
    with override_settings(DATABASE_ROUTERS=[PrimaryIsElsewhere("holdfast")]):
        assert Client().get("/ping/").status_code == 503


def test_a_check_of_a_name_is_replaced(extra):
    extra("lamp", lambda: Health(ok=False))
    register("lamp", lambda: Health(ok=True))

    assert check_all()["lamp"].ok


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_database_that_hangs_is_not_waited_for(settings):
    settings.HOLDFAST = {"HEALTH_TIMEOUT_SECONDS": 0.05}

    def hang(execute, sql, *args):
        return execute("SELECT pg_sleep(30)" if sql == "SELECT 1" else sql, *args)

    with connection.execute_wrapper(hang), pytest.raises(OperationalError):
        checks.database()
    assert connection.connection is None  # what hung is not handed to the next request
    assert checks.database().ok


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_timeout_of_the_check_ends_with_it():
    def timeout():
        checks.database()
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return cursor.fetchone()[0]

    assert race(timeout, times=2) == ["0", "0"]


def test_the_outbox_is_down_when_its_events_are_late(monkeypatch):
    late = outbox_metrics.Snapshot(
        lag_seconds=3600, oldest_pending=None, unrouted=1, pending=1, failing=0, dead=0, relays=0
    )
    monkeypatch.setattr(checks, "snapshot", lambda: late)

    assert checks.outbox() == Health(ok=False, detail={"lag_seconds": 3600, "pending": 1, "dead": 0, "relays": 0})


@pytest.fixture
def prometheus():
    return pytest.importorskip("prometheus_client", reason="an extra of the package")


def test_prometheus_gets_the_figures_at_each_scrape(prometheus, monkeypatch):
    from holdfast.health import metrics

    generate_latest, hosts = prometheus.generate_latest, prometheus.CollectorRegistry()
    metrics.register(hosts)
    metrics.register(hosts)  # once, however often a host asks
    assert b"holdfast_outbox_pending 0.0" in generate_latest(hosts)

    status = outbox_metrics.SubscriberStatus(
        name="notes.print", kind="handler", state="active", pending=3, failing=1, dead=2, lag_seconds=4.5
    )
    now = outbox_metrics.Snapshot(
        lag_seconds=4.5, oldest_pending=None, unrouted=1, pending=4, failing=1, dead=2, relays=1, subscribers=[status]
    )
    monkeypatch.setattr(metrics, "snapshot", lambda: now)
    page = generate_latest(hosts).decode()

    assert "holdfast_outbox_lag_seconds 4.5" in page
    assert "holdfast_outbox_dead 2.0" in page
    assert 'holdfast_outbox_subscriber_pending{subscriber="notes.print"} 3.0' in page


def test_a_scrape_without_a_database_leaves_the_others_figures(prometheus, caplog):
    from holdfast.health import metrics

    hosts = prometheus.CollectorRegistry()
    metrics.register(hosts)
    prometheus.Counter("notes", "Notes.", registry=hosts).inc()
    with broken_database():
        page = prometheus.generate_latest(hosts).decode()

    assert "notes_total 1.0" in page
    assert "holdfast_outbox" not in page
    assert "could not be asked" in caplog.text


@pytest.fixture
def apps_figures(monkeypatch):
    """What apps tell of themselves, for this test alone."""
    monkeypatch.setattr(figures, "registry", {})
    return figures.register


def test_prometheus_gets_what_each_app_tells_under_its_name(prometheus, apps_figures):
    from holdfast.health import metrics

    hosts = prometheus.CollectorRegistry()
    metrics.register(hosts)
    waiting = figures.Figure(name="waiting", description="What waits.", value=3)
    by_state = figures.Figure(name="jobs", description="Jobs.", value={"new": 1, "done": 2}, label="state")
    apps_figures("myapp", lambda: [waiting, by_state])
    page = prometheus.generate_latest(hosts).decode()

    assert "myapp_waiting 3.0" in page
    assert 'myapp_jobs{state="new"} 1.0' in page
    assert 'myapp_jobs{state="done"} 2.0' in page


def test_an_app_that_cannot_be_asked_leaves_the_others_figures(prometheus, apps_figures, caplog):
    from holdfast.health import metrics

    def broken():
        raise OSError

    hosts = prometheus.CollectorRegistry()
    metrics.register(hosts)
    apps_figures("broken", broken)
    apps_figures("sound", lambda: [figures.Figure(name="waiting", description="What waits.", value=3)])
    page = prometheus.generate_latest(hosts).decode()

    assert "sound_waiting 3.0" in page
    assert "broken could not be asked" in caplog.text


@pytest.mark.django_db
def test_counting_ends_where_it_is_simply_many(monkeypatch):
    from django.contrib.auth.models import Group

    Group.objects.bulk_create(Group(name=name) for name in ("old", "new", "newer"))
    monkeypatch.setattr(figures, "COUNTED_AT_MOST", 2)

    assert figures.counted(Group.objects.all()) == 2
    assert figures.counted_by("name", ["old", "new", "newer"], Group.objects.all()) == {"old": 0, "new": 1, "newer": 1}


def test_what_never_was_or_is_still_to_come_is_no_seconds_ago():
    now = timezone.now()

    assert figures.seconds_since(None) == 0
    assert figures.seconds_since(now + dt.timedelta(hours=1)) == 0
    assert figures.seconds_since(now - dt.timedelta(hours=1)) >= 3600
