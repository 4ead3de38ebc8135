"""The worker's doors: a command that runs until it is told to stop, and a Celery task."""

import os
import signal
import threading

import pytest
from django.core.management import call_command
from django.db import OperationalError

from holdfast_cards import services
from holdfast_cards.management.commands import cards_worker
from holdfast_cards.models import Card
from holdfast_cards.states import CardState
from holdfast_cards.testing import make_holder
from tests.cards.doubles import KEY

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waiting(use):
    use(**KEY, MODE="deferred")
    services.request_card(holder_id=make_holder().pk, color="pink")


def test_once(waiting, capsys):
    call_command("cards_worker", "--once")

    assert Card.objects.get().state == CardState.ORDERED
    assert capsys.readouterr().out == "1 operations\n"
    call_command("cards_worker", "--once")
    assert capsys.readouterr().out == ""


def test_until_it_is_told_to_stop(waiting, capsys):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    timer = threading.Timer(1.0, os.kill, [os.getpid(), signal.SIGTERM])
    timer.start()
    try:
        call_command("cards_worker", "--poll", "0.05")
    finally:
        timer.cancel()
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])

    assert Card.objects.get().state == CardState.ORDERED
    assert capsys.readouterr().err.splitlines() == [
        "The worker of cards has started.",
        "The worker of cards has ended.",
    ]


@pytest.fixture
def away(monkeypatch):
    """The database is away when the worker first looks."""
    work, answers = services.work, iter([OperationalError("the server is starting up")])

    def once_away(**options):
        for error in answers:
            raise error
        return work(**options)

    monkeypatch.setattr(services, "work", once_away)


def test_a_database_that_is_away_for_a_while_does_not_end_it(waiting, away, monkeypatch, caplog):
    class Stop(threading.Event):
        """Told to stop as soon as the card is ordered; nobody waits for it."""

        def wait(self, timeout=None):
            return True

        def is_set(self):
            return Card.objects.get().state == CardState.ORDERED

    monkeypatch.setattr(cards_worker.threading, "Event", Stop)
    monkeypatch.setattr(cards_worker.signal, "signal", lambda *_: None)
    call_command("cards_worker")

    assert "lost its database" in caplog.text


def test_who_runs_it_once_is_told_that_the_database_is_away(waiting, away):
    with pytest.raises(OperationalError):
        call_command("cards_worker", "--once")


def test_the_task_does_the_same(waiting):
    pytest.importorskip("holdfast_cards.tasks", reason="Celery is an extra.", exc_type=ImportError).work()

    assert Card.objects.get().state == CardState.ORDERED
