"""What runs the project elsewhere is in step with it: Compose, the image, the dashboard, the workflows."""

import io
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.contrib.testing.worker import start_worker
from django.core.management import call_command
from django.test import Client

from config.celery import app
from holdfast import tracing

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
RUNNING = {"postgres", "valkey", "migrate", "web", "relay", "worker", "beat", "counters", "cards"}
# What Prometheus makes of a histogram, and what it knows by itself.
SUFFIXES = re.compile(r"_(bucket|count|sum)$")

# By subscriber, for who looks for the one that is late: the dashboard shows their lag alone.
SHOWN_ELSEWHERE = {"holdfast_outbox_subscriber_pending", "holdfast_outbox_subscriber_dead"}

pytestmark = pytest.mark.any_database


def services() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text())["services"]


def test_compose_runs_everything_and_looks_after_it():
    found = services()
    assert set(found) >= RUNNING
    for name in ("postgres", "valkey", "worker", "counters", "cards"):
        assert found[name]["healthcheck"]["test"], name


def test_each_setting_of_compose_is_told_of_in_the_example():
    told = set(re.findall(r"^# ?(\w+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    asked = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    assert asked <= told


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="there is no docker-compose to ask")
def test_compose_can_be_read_by_compose():
    done = subprocess.run(
        ["docker-compose", "--file", str(COMPOSE), "config", "--quiet"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db
def test_the_dashboard_and_the_alerts_ask_for_figures_that_there_are():
    Client().get("/ping/")
    call_command("wallet_verify", stdout=io.StringIO())  # what an audit found is told once there was one
    figures = {SUFFIXES.sub("", name) for name in re.findall(r"^# TYPE (\w+)", metrics(), flags=re.MULTILINE)}
    panels = [
        panel
        for panel in json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())["panels"]
        if panel["type"] != "row"
    ]
    alerts = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text())["groups"][0]["rules"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]] + [alert["expr"] for alert in alerts]

    names = {name for one in asked for name in re.findall(r"\b(?:holdfast|django|process)_\w+", one)}
    assert names
    assert {SUFFIXES.sub("", name) for name in names} <= figures
    # And the other way round: what we tell, somebody is shown.
    assert {name for name in figures if name.startswith("holdfast_")} - SHOWN_ELSEWHERE <= names


@pytest.mark.django_db
def test_each_figure_of_ours_is_explained():
    call_command("wallet_verify", stdout=io.StringIO())
    told = set(re.findall(r"^# TYPE (holdfast_\w+)", metrics(), flags=re.MULTILINE))
    page = (ROOT / "docs/guides/operate.md").read_text()

    assert told
    assert [name for name in sorted(told) if f"`{name}`" not in page] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("token", "opened", "header", "status"),
    [
        ("", True, "", 200),
        ("", False, "", 403),
        ("", False, "Bearer ", 403),
        ("secret", True, "", 403),
        ("secret", False, "Bearer other", 403),
        ("secret", False, "Bearer secret", 200),
    ],
)
def test_the_figures_are_for_who_has_the_token(settings: Any, token: str, opened: bool, header: str, status: int):
    settings.METRICS_TOKEN, settings.METRICS_OPEN = token, opened

    assert Client().get("/metrics", headers={"Authorization": header}).status_code == status


def metrics() -> str:
    return Client().get("/metrics").content.decode()


def test_deploying_is_off_until_somebody_turns_it_on():
    jobs = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())["jobs"]
    for name in ("staging", "production"):
        assert jobs[name]["if"].startswith("vars.DEPLOY == 'true' && ")
        assert jobs[name]["environment"] == name


@app.task(name="tests.note_the_trace")
def note_the_trace() -> None:
    noted.append(tracing.current())


noted: list[dict[str, str]] = []


@pytest.fixture
def worker() -> Iterator[None]:
    app.conf.update(task_always_eager=False)
    try:
        with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
            yield
    finally:
        app.conf.update(task_always_eager=True)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_task_has_the_id_of_the_request_that_asked_for_it(worker: None):
    noted.clear()
    with tracing.bound(request_id="from-the-balancer", actor_id="7"):
        note_the_trace.delay()
    note_the_trace.delay()

    end = time.monotonic() + 30
    while len(noted) < 2 and time.monotonic() < end:
        time.sleep(0.05)

    asked, alone = noted
    assert (asked["request_id"], asked["actor_id"]) == ("from-the-balancer", "7")
    assert alone["request_id"] != "from-the-balancer"
    assert "actor_id" not in alone
