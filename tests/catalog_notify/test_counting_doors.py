"""The roll-up's doors: a command that counts once, for a while or for ever, and a task; and what start-up says."""

import signal
import threading

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import OperationalError, transaction

from holdfast.testing import race
from holdfast_catalog_notify import services
from holdfast_catalog_notify.backends.database import DatabaseBuffer
from holdfast_catalog_notify.models import BufferedViews, DailyViews
from holdfast_catalog_notify.services import counting
from holdfast_catalog_notify.states import ViewKind
from holdfast_catalog_notify.testing import make_product

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_signals():
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def look(*products, times=1, kind=ViewKind.RETRIEVED):
    for _time in range(times):
        services.record_views(kind=kind, product_ids=[product.pk for product in products], meta={})


def counted(figure="retrieved"):
    return sum(DailyViews.objects.values_list(figure, flat=True))


def test_the_command_counts_what_is_there_in_batches_and_ends(capsys):
    look(make_product(), times=5)

    call_command("catalog_count", "--once", "--limit", "2")

    assert "5 answer(s) counted." in capsys.readouterr().out
    assert counted() == 5


def test_the_command_ends_after_its_seconds(capsys):
    look(make_product(), times=2)

    call_command("catalog_count", "--seconds", "0.05", "--pause", "0.01")

    assert "2 answer(s) counted." in capsys.readouterr().out


def test_the_command_counts_for_ever_and_ends_when_it_is_told_to(capsys, monkeypatch):
    look(make_product(), times=2)
    rest = []

    def told_while_resting(seconds):
        rest.append(seconds)
        if len(rest) == 1:
            look(make_product())  # it comes while nobody counts
        else:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(counting.time, "sleep", told_while_resting)
    call_command("catalog_count", "--pause", "7")

    assert "3 answer(s) counted." in capsys.readouterr().out
    assert rest == [7.0, 7.0]


def test_a_database_that_is_away_for_a_while_ends_nothing(monkeypatch, caplog):
    look(make_product())
    answers = [OperationalError("gone"), None]
    roll_up = counting.roll_up_views

    def sometimes(**options):
        error = answers.pop(0) if answers else None
        if error:
            raise error
        return roll_up(**options)

    monkeypatch.setattr(counting, "roll_up_views", sometimes)
    monkeypatch.setattr(counting.connections, "close_all", lambda: None)  # the test's own connection is one of them

    assert services.count_views(seconds=0.05, pause_seconds=0.01) == 1
    assert "Nothing can be counted at the moment" in caplog.text
    answers[:] = [OperationalError("gone")]
    with pytest.raises(OperationalError):
        services.count_views()


def test_the_task_counts_for_as_long_as_it_may():
    pytest.importorskip("celery", reason="Celery is an extra.")
    from holdfast_catalog_notify import tasks

    look(make_product(), times=3)

    assert tasks.count(seconds=0.05) == 3


@pytest.mark.parametrize(
    "value",
    [
        {"BOT_PATTERN": "("},
        {"REPORT_TIME_ZONE": "Europe/Atlantis"},
        {"REPORT_TIME_ZONE": "../../etc/passwd"},
        {"VISIT_SECONDS": -1},
        {"TRUSTED_PROXIES": -1},
        {"HOURLY_VIEWS_DAYS": -1},
    ],
)
def test_what_would_fail_at_the_first_visitor_fails_at_start_up(settings, value):
    settings.HOLDFAST_CATALOG_NOTIFY = value
    assert "holdfast_catalog_notify.E006" in [message.id for message in run_checks()]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_roll_ups_that_race_count_each_view_once():
    products = [make_product() for _number in range(3)]
    for start in range(30):
        look(*products[start % 3 :], *products[: start % 3], kind=ViewKind.LISTED)
        look(products[0])

    outcomes = race(lambda: sum(iter(lambda: services.roll_up_views(limit=4), 0)), times=4)

    assert sum(outcomes) == 60
    assert (counted("listed"), counted(), BufferedViews.objects.count()) == (90, 30, 0)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_roll_up_passes_by_what_another_one_holds(monkeypatch):
    look(make_product(), times=4)
    holding, released = threading.Event(), threading.Event()
    count = counting._count

    def hold(views, using):
        count(views, using)
        if len(views) == 3:
            holding.set()
            released.wait(30)

    monkeypatch.setattr(counting, "_count", hold)

    def second():
        holding.wait(30)
        try:
            with transaction.atomic():
                claimed = DatabaseBuffer().claim(limit=10)
                transaction.set_rollback(True)
            return len(claimed.views)
        finally:
            released.set()

    first, other = race(lambda: services.roll_up_views(limit=3), second)

    assert (first, other) == (3, 1)
    services.count_views()
    assert counted() == 4
