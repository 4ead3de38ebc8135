"""What is wrong with a host is said at start-up."""

import django
import pytest
from django.core.checks import run_checks
from django.core.management import call_command

from holdfast.testing import drain_outbox
from holdfast_catalog_notify.models import Delivery
from holdfast_catalog_notify.testing import make_admin, make_product

pytestmark = pytest.mark.django_db  # Django 6.1 asks SQLite whether it has JSON

DUMMY = {"BACKEND": "holdfast_catalog_notify.backends.dummy.DummyChannel"}


def ids(*, deploy=False):
    return [
        message.id
        for message in run_checks(include_deployment_checks=deploy)
        if message.id.startswith("holdfast_catalog_notify")
    ]


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ([], "E001"),
        ({"CHANNEL": {}}, "E002"),
        ({"CHANNELS": {"email": "smtp"}}, "E003"),
        ({"CURRENCIES": "EUR"}, "E003"),
        ({"CHANNELS": {"inbox": {"BACKEND": "nowhere.Channel"}}, "DEFAULT_CHANNELS": ["inbox"]}, "E004"),
        ({"CHANNELS": {"inbox": {**DUMMY, "OPTIONS": {"url": ""}}}, "DEFAULT_CHANNELS": []}, "E004"),
        ({"DEFAULT_CHANNELS": ["pigeon"]}, "E005"),
        ({"FAILOVER": {"email": "pigeon"}}, "E005"),
        ({"FAILOVER": {"email": "inbox", "inbox": "email"}}, "E005"),
        ({"FAILOVER": {"email": "email"}}, "E005"),
    ],
)
def test_a_setting_that_cannot_work_is_an_error(settings, value, error):
    settings.HOLDFAST_CATALOG_NOTIFY = value
    assert ids() == [f"holdfast_catalog_notify.{error}"]


def test_a_deployment_without_links_or_a_time_limit_is_told(settings):
    assert ids() == []
    smtp = {"BACKEND": "django.core.mail.backends.smtp.EmailBackend"}
    settings.MAILERS = {"default": smtp}
    assert ids(deploy=True) == ["holdfast_catalog_notify.W001", "holdfast_catalog_notify.W002"]
    settings.MAILERS = {"default": {**smtp, "OPTIONS": {"timeout": 20}}}
    settings.HOLDFAST_CATALOG_NOTIFY = {"BASE_URL": "https://shop.example"}
    assert ids(deploy=True) == []


@pytest.mark.skipif(django.VERSION >= (6, 1), reason="MAILERS has taken its place")
def test_before_there_were_mailers_too(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert "holdfast_catalog_notify.W002" in ids(deploy=True)
    settings.EMAIL_TIMEOUT = 20
    assert "holdfast_catalog_notify.W002" not in ids(deploy=True)


def test_the_command_sends_what_is_due(capsys):
    make_admin()
    make_product()
    drain_outbox()
    call_command("catalog_deliver", "--once")
    assert "2 message(s) sent." in capsys.readouterr().out
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_the_task_sends_what_is_due():
    tasks = pytest.importorskip("holdfast_catalog_notify.tasks")
    make_admin()
    make_product()
    drain_outbox()
    assert tasks.deliver(seconds=20) == 2
