"""What the catalog tells whoever watches."""

import datetime as dt

import pytest
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast.money import Money
from holdfast.testing import drain_outbox
from holdfast_catalog_notify import services
from holdfast_catalog_notify.backends import database
from holdfast_catalog_notify.models import BufferedViews, Delivery
from holdfast_catalog_notify.selectors.figures import figures
from holdfast_catalog_notify.states import ViewKind

pytestmark = pytest.mark.django_db


def told():
    return {figure.name: figure.value for figure in figures()}


def test_notifications_are_counted_by_state_and_late_when_nobody_sends_them(ada, bob, lamp):
    services.change_product(product_id=lamp.pk, actor_id=ada.pk, price=Money("12.00", "EUR"))
    drain_outbox()
    waiting = Delivery.objects.filter(state="pending").count()
    Delivery.objects.filter(state="pending").update(due_at=timezone.now() - dt.timedelta(hours=1))

    now = told()
    assert waiting
    assert now["deliveries"]["pending"] == waiting
    assert now["deliveries"]["dead"] == 0
    assert now["deliveries_late_seconds"] >= 3600


def test_what_visitors_saw_waits_to_be_counted(monkeypatch):
    rows = [
        BufferedViews(kind=ViewKind.LISTED, product_ids=uuid7().hex, hour=timezone.now(), is_bot=False)
        for _ in range(3)
    ]
    BufferedViews.objects.bulk_create(rows)
    assert told()["views_waiting"] == 3

    monkeypatch.setattr(database, "PENDING_MAX", 2)
    assert told()["views_waiting"] == 2


def test_a_buffer_that_is_away_tells_nothing(monkeypatch):
    def away(_self):
        raise ConnectionError

    monkeypatch.setattr(database.DatabaseBuffer, "pending", away)

    assert "views_waiting" not in told()
    assert "deliveries" in told()
