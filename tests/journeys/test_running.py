"""How the project runs: its settings, its documents, what it says of its health, what it survives."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from benchmarks.broadcast.processes import CounterProcess
from holdfast.testing import drain_outbox
from holdfast_artisan_shop import services as market
from holdfast_defects import selectors as defects
from holdfast_wallet.testing import make_account, make_transfer
from people import services as people
from people.models import User
from storefront import catalog_story, defect_story, demo, market_goods, notices

PROJECT = Path(__file__).parents[2] / "example_project"
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "DJANGO_SECRET_KEY": "kZ8-not-a-real-one-but-long-enough-2f6b1e7a9c4d0835-and-with-many-different-signs",
    "DJANGO_ALLOWED_HOSTS": "example.org",
    "COUNTER_URL": "https://counters.example.org/events",
    "CARD_PROVIDER": "stripe",
    "CARD_PROVIDER_KEY": "sk_live_of_nobody",
    "EMAIL_URL": "smtp+tls://nobody:secret@mail.example.org:587",
}


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.any_database
def test_the_production_settings_pass_djangos_own_inspection():
    done = python(
        "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, DATABASE_URL="sqlite://:memory:"
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.any_database
def test_production_does_not_start_without_its_secret():
    done = python("manage.py", "check", **PRODUCTION | {"DJANGO_SECRET_KEY": ""}, DATABASE_URL="sqlite://:memory:")

    assert done.returncode != 0
    assert "SECRET_KEY" in done.stderr


@pytest.mark.any_database
def test_the_openapi_document_is_valid(tmp_path: Path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))

    assert (tmp_path / "schema.yaml").read_text().startswith("openapi: 3.1.0")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/schema/", "/schema/swagger-ui/", "/schema/redoc/", "/metrics", "/ping/", "/health/"]
)
def test_the_doors_for_machines_are_open_and_ask_nobody_else(address: str):
    answer = Client().get(address)

    assert answer.status_code == 200
    assert "https://fonts" not in answer.content.decode()
    assert "cdn." not in answer.content.decode()


@pytest.mark.any_database
def test_ping_and_health_say_503_when_the_database_is_away():
    code = """
import django, json
django.setup()
from django.test import Client
print(json.dumps([[answer.status_code, answer.json()] for answer in map(Client().get, ["/ping/", "/health/"])]))
"""
    done = python(
        "-W",
        "ignore",
        "-c",
        code,
        DJANGO_SETTINGS_MODULE="config.settings.test",
        DATABASE_URL="postgres://a:b@127.0.0.1:1/none",
    )

    assert done.returncode == 0, done.stderr
    assert '[503, {"pong": true, "db": "down"}]' in done.stdout
    assert '"database": {"status": "down"' in done.stdout


@pytest.mark.django_db
def test_every_page_carries_its_policy_and_its_id():
    answer = Client().get("/", headers={"X-Request-ID": "from-the-balancer"})

    assert answer.headers["X-Request-ID"] == "from-the-balancer"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
def test_the_superuser_is_known_by_the_id_of_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_EXTERNAL_ID", "ops-1")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct-horse-battery")

    call_command("createsuperuser", "--noinput", "--username", "root", "--email", "root@example.org")

    assert User.objects.get(username="root").external_id == "ops-1"


@pytest.mark.django_db
def test_the_back_office_shows_whose_money_it_is_and_what_waits_to_be_told():
    person = people.register_person(username="ada", email="ada@example.org", password="correct-horse-battery")
    make_account(owner=person, funds="125.00")
    staff = Client()
    staff.force_login(User.objects.create_superuser("root", "root@example.org", "correct-horse-battery"))

    page = staff.get("/admin/").content.decode()

    assert "Held for customers" in page
    assert '125<span class="fraction">.00</span><span class="unit">EUR</span>' in page
    assert re.search(r"<dt>Waiting</dt>\s*<dd>[1-9]", page)


@pytest.mark.usefixtures("flushable")
def test_the_demo_is_told_once_the_ledger_holds_and_the_counter_hears_of_each_defect(
    capsys: pytest.CaptureFixture[str], counter: CounterProcess
):
    call_command("populate")
    people_told, first = User.objects.count(), capsys.readouterr().out
    call_command("populate")

    assert (
        User.objects.count()
        == people_told
        == len(demo.CUSTOMERS) + len(demo.ARTISANS) + len(market_goods.NEIGHBORS) + len(catalog_story.ADMINS) + 1
    )
    assert capsys.readouterr().out == first
    assert demo.PASSWORD in first
    assert demo.is_told()
    assert Client().login(username="ada", password=demo.PASSWORD)
    call_command("wallet_verify")
    # What the story counted by itself is what the market counts.
    assert market.rebuild_sales(days=None) == 0

    drain_outbox()
    reports, taken_back = len(defect_story.REPORTS), len(defect_story.TAKEN_BACK)
    assert defects.defects().count() == reports
    assert counter.counters()["total"] == {"create": reports + taken_back, "delete": taken_back}
    assert {defect.state for defect in defects.defects()} == {
        "reported",
        "triaged",
        "in_repair",
        "resolved",
        "closed",
        "rejected",
    }


@pytest.mark.slow
def test_who_loads_the_demo_into_a_database_that_is_away_is_told_so_in_a_line():
    done = python("manage.py", "populate", "--skip-checks", DATABASE_URL="postgres://a:b@127.0.0.1:1/none")

    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The database does not answer: connection failed")


@pytest.mark.postgres
@pytest.mark.usefixtures("flushable")
def test_what_happened_is_told_although_the_messenger_is_killed():
    ada, ben = (
        people.register_person(username=name, email=f"{name}@example.org", password="correct-horse-battery")
        for name in ("ada", "ben")
    )
    source, target = make_account(owner=ada, funds="1000.00"), make_account(owner=ben)
    for _ in range(300):
        make_transfer(source=source, target=target, amount="1.00")

    killed = _relay()
    _wait_until(lambda: notices.unread(user_id=ben.pk) > 5)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    told = notices.unread(user_id=ben.pk)
    second = _relay()
    try:
        _wait_until(lambda: notices.unread(user_id=ben.pk) == 300)
    finally:
        second.send_signal(signal.SIGTERM)
        second.wait()

    assert told <= 300
    assert notices.unread(user_id=ben.pk) == 300
    assert second.returncode == 0


def _relay() -> subprocess.Popen[bytes]:
    values = connection.settings_dict
    url = f"postgres://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    return subprocess.Popen([sys.executable, "manage.py", "outbox_relay"], cwd=PROJECT, env=environment)


def _wait_until(reached, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.05)
