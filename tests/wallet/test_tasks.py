"""The Celery doors: the same services as the commands."""

import logging

import pytest
from django.core.management import get_commands

from holdfast_wallet.models import Transfer
from holdfast_wallet.testing import unlocked_ledger
from tests.wallet.doors import make_world

celery = pytest.importorskip("celery", reason="Celery is an extra.")
tasks = pytest.importorskip("holdfast_wallet.tasks")

pytestmark = pytest.mark.django_db

NAMES = ("expire_holds", "sync_payments", "seal", "verify")


@pytest.mark.parametrize("name", NAMES)
def test_each_task_is_registered_and_a_command_too(name):
    assert f"holdfast_wallet.tasks.{name}" in celery.current_app.tasks
    assert get_commands()[f"wallet_{name}"] == "holdfast_wallet"


def test_the_tasks_do_their_work(caplog):
    make_world()

    assert tasks.expire_holds() == 0
    assert tasks.sync_payments() == 0
    assert tasks.seal() == Transfer.objects.count()
    with caplog.at_level(logging.CRITICAL, "holdfast_wallet"):
        assert tasks.verify() == 0
    assert caplog.records == []


def test_a_ledger_that_is_wrong_is_shouted_about(caplog):
    world = make_world()
    with unlocked_ledger():
        Transfer.objects.filter(pk=world.paid.pk).update(amount_minor=7)

    with caplog.at_level(logging.CRITICAL, "holdfast_wallet"):
        assert tasks.verify() > 0
    assert any(str(world.paid.pk) in record.getMessage() for record in caplog.records)
