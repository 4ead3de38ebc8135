"""The buffer in Redis: what is killed counts once all the same."""

import os
import uuid

import pytest

from holdfast.conf import load_backend
from holdfast_catalog_notify import services
from holdfast_catalog_notify.conf import settings as ours
from holdfast_catalog_notify.models import BufferedViews, CountedBatch, DailyViews
from holdfast_catalog_notify.selectors import reports
from holdfast_catalog_notify.states import Interval, ViewKind
from holdfast_catalog_notify.testing import make_product

pytest.importorskip("redis")
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("REDIS_URL" not in os.environ, reason="REDIS_URL names no server"),
]


@pytest.fixture
def buffer(settings):
    options = {"url": os.environ["REDIS_URL"], "key": f"test:{uuid.uuid4().hex}"}
    settings.HOLDFAST_CATALOG_NOTIFY = {
        "VIEW_BUFFER": {"BACKEND": "holdfast_catalog_notify.backends.redis.RedisBuffer", "OPTIONS": options}
    }
    buffer = load_backend(ours.VIEW_BUFFER)
    yield buffer
    while (batch := buffer.claim(limit=1_000)) is not None:
        buffer.settle(batch)
    for left in buffer._redis.keys(f"*{options['key']}*"):
        buffer._redis.delete(left)


def look(product, times=1, kind=ViewKind.RETRIEVED):
    for _time in range(times):
        services.record_views(kind=kind, product_ids=[product.pk], meta={})


def counted():
    return sum(DailyViews.objects.values_list("retrieved", flat=True))


def test_views_wait_in_redis_and_nowhere_else(buffer, django_assert_num_queries):
    product = make_product()
    with django_assert_num_queries(0):
        look(product, times=3)
    assert (buffer.pending(), BufferedViews.objects.count()) == (3, 0)

    assert services.count_views() == 3

    assert (buffer.pending(), counted()) == (0, 3)


def test_a_batch_is_no_larger_than_it_may_be(buffer):
    look(make_product(), times=5)

    assert [services.roll_up_views(limit=2) for _time in range(4)] == [2, 2, 1, 0]
    assert counted() == 5


def test_the_batch_of_a_roll_up_that_died_before_its_commit_is_counted_by_the_next_one(buffer, monkeypatch):
    look(make_product(), times=3)
    buffer.claim(limit=10)
    assert services.count_views() == 0  # its claim is still somebody's
    assert buffer.pending() == 3

    monkeypatch.setattr("holdfast_catalog_notify.backends.redis.CLAIM_SECONDS", -1)

    assert services.roll_up_views() == 3
    assert (buffer.pending(), counted()) == (0, 3)


def test_a_batch_that_was_counted_and_not_settled_is_not_counted_again(buffer, monkeypatch):
    look(make_product(), times=3)
    with monkeypatch.context() as dying:
        dying.setattr(buffer, "settle", lambda _batch: (_ for _ in ()).throw(ConnectionError))
        with pytest.raises(ConnectionError):
            services.roll_up_views()
    assert counted() == 3

    monkeypatch.setattr("holdfast_catalog_notify.backends.redis.CLAIM_SECONDS", -1)
    services.roll_up_views()

    assert (buffer.pending(), counted(), CountedBatch.objects.count()) == (0, 3, 1)


def test_a_server_that_does_not_answer_turns_no_reader_away(settings, caplog):
    settings.HOLDFAST_CATALOG_NOTIFY = {
        "VIEW_BUFFER": {
            "BACKEND": "holdfast_catalog_notify.backends.redis.RedisBuffer",
            "OPTIONS": {"url": "redis://127.0.0.1:1/0", "timeout_seconds": 0.2},
        }
    }
    look(make_product())

    assert "could not be counted" in caplog.text
    today = reports.report_today()
    assert reports.views_over_time(interval=Interval.DAY, start=today, end=today).pending is None
