"""One change by one of fifty admins, the worker killed at each step: 49 are told, each once over each channel."""

import email
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from holdfast.money import Money
from holdfast.testing import drain_outbox
from holdfast_catalog_notify import services
from holdfast_catalog_notify.models import Delivery
from holdfast_catalog_notify.testing import make_admin, make_product
from tests.catalog_notify.dying_worker import STEPS

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
ADMINS = 50


def settings_of(tmp_path, receiver, mailbox, at_most_once):
    """Write the settings of the workers, which are processes of their own on the tests' database."""
    database = {name: connection.settings_dict[name] for name in ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")}
    mail = {
        "backend": "django.core.mail.backends.smtp.EmailBackend",
        "backend_options": {"host": mailbox.host, "port": mailbox.port, "timeout": 10},
        "at_most_once": at_most_once,
    }
    channels = {
        "inbox": {"BACKEND": "holdfast_catalog_notify.backends.inbox.InboxChannel"},
        "email": {"BACKEND": "holdfast_catalog_notify.backends.email.EmailChannel", "OPTIONS": mail},
        "webhook": {
            "BACKEND": "holdfast_catalog_notify.backends.webhook.WebhookChannel",
            "OPTIONS": {"url": receiver.url},
        },
    }
    catalog = {"CHANNELS": channels, "DEFAULT_CHANNELS": list(channels), "LEASE_SECONDS": 0.5}
    outbox = {"WEBHOOK_ALLOW_HTTP": True, "WEBHOOK_ALLOWED_NETWORKS": ["127.0.0.0/8"]}
    (tmp_path / "dying_settings.py").write_text(
        "from tests.catalog_notify.settings import *\n"
        f"DATABASES = {{'default': {database!r}}}\n"
        f"HOLDFAST_CATALOG_NOTIFY = {catalog!r}\n"
        f"HOLDFAST_OUTBOX = {outbox!r}\n"
    )
    return catalog


@contextmanager
def workers(tmp_path):
    """Give a function that lets a worker run until it has nothing to do, or is killed, and returns how it ended."""
    path = os.pathsep.join([str(tmp_path), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.catalog_notify.dying_worker"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "dying_settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:

        def work(step="none", number=1):
            starter.stdin.write(f"{step} {number}\n")
            starter.stdin.flush()
            return int(starter.stdout.readline())

        yield work
        starter.stdin.close()


@pytest.mark.parametrize("at_most_once", [False, True])
def test_forty_nine_of_fifty_are_told_once_over_each_channel_whenever_the_worker_dies(
    tmp_path, settings, receiver, mailbox, at_most_once
):
    settings.HOLDFAST_CATALOG_NOTIFY = settings_of(tmp_path, receiver, mailbox, at_most_once)
    ada, *others = [
        make_admin(username=f"admin-{number}", email=f"admin-{number}@example.com") for number in range(ADMINS)
    ]
    with services.change_set(actor_id=ada.pk):
        lamp = make_product()
    drain_outbox()
    Delivery.objects.all().delete()  # of its creation; the change is what is told here
    services.change_product(product_id=lamp.pk, price=Money("12", "EUR"), actor_id=ada.pk)
    drain_outbox()

    kills = 0
    with workers(tmp_path) as work:
        for step in STEPS:
            for number in (1, 7):
                ended = work(step, number)
                assert ended in (-signal.SIGKILL, 0)
                kills += ended == -signal.SIGKILL
        until = time.monotonic() + 180
        while Delivery.objects.filter(state__in=("pending", "failed")).exists():
            assert time.monotonic() < until, "Something is never sent."
            assert work() == 0
            time.sleep(0.1)  # until the leases of the dead run out

    everybody = {one.pk for one in others}
    for channel in ("inbox", "email", "webhook"):
        rows = Delivery.objects.filter(channel=channel)
        assert Counter(rows.values_list("recipient_id", flat=True)) == dict.fromkeys(everybody, 1)
    # The inbox is the table. A webhook's receiver counts by the id; what came again was on its way at a kill.
    assert set(Delivery.objects.filter(channel="inbox").values_list("state", flat=True)) == {"sent"}
    webhooks = Counter(posted.headers["webhook-id"] for posted in receiver.posted)
    assert set(webhooks) == {str(pk) for pk in Delivery.objects.filter(channel="webhook").values_list("pk", flat=True)}
    assert set(Delivery.objects.filter(channel="webhook").values_list("state", flat=True)) == {"sent"}
    # SMTP has no such id that counts: once or twice, or once or not at all, and then it says so.
    mails = Counter(email.message_from_bytes(mail.content)["Message-ID"] for mail in mailbox.mails)
    states = Counter(Delivery.objects.filter(channel="email").values_list("state", flat=True))
    repeated = sum(mails.values()) - len(mails)
    if at_most_once:
        assert repeated == 0
        assert states["sent"] + states["dead"] == len(everybody)
        assert len(mails) >= states["sent"]
    else:
        assert states == {"sent": len(everybody)}
        assert len(mails) == len(everybody)
        assert repeated <= kills
    assert kills >= len(STEPS)
