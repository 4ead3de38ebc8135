"""Publishing to a broker through kombu: in memory, and to a real server where there is one."""

import os
import uuid

import pytest
from django.test import override_settings

from holdfast import tracing
from holdfast.outbox.models import OutboxDelivery, OutboxEvent
from holdfast.testing import drain_outbox
from tests.foundation.outbox.facts import Mentioned, Noted

kombu = pytest.importorskip("kombu")

pytestmark = pytest.mark.django_db

URLS = [
    pytest.param("memory://", id="memory"),
    pytest.param(
        os.environ.get("REDIS_URL"),
        id="server",
        marks=pytest.mark.skipif("REDIS_URL" not in os.environ, reason="REDIS_URL names no server"),
    ),
]


@pytest.fixture(params=URLS)
def broker(request):
    exchange = f"holdfast-{uuid.uuid4().hex}"
    queues = {f"{exchange}-notes": "outbox_tests.noted.#", f"{exchange}-all": "#"}
    options = {"url": request.param, "exchange": exchange, "queues": queues}
    spec = {"BACKEND": "holdfast.outbox.broker.KombuBroker", "OPTIONS": options}
    with override_settings(HOLDFAST_OUTBOX={"BROKER": spec, "BROKER_PATTERNS": ["outbox_tests.*"]}):
        yield options
    with kombu.Connection(options["url"]) as connection:
        for name in queues:
            connection.channel().queue_delete(name)


def received(options, suffix, count):
    with (
        kombu.Connection(options["url"]) as connection,
        connection.SimpleQueue(f"{options['exchange']}-{suffix}") as queue,
    ):
        messages = [queue.get(timeout=10) for _ in range(count)]
        for message in messages:
            message.ack()
        with pytest.raises(queue.Empty):
            queue.get(block=False)
    return messages


def test_events_arrive_in_the_queues_whose_patterns_they_fit(broker, tell):
    with tracing.bound(request_id="request-1"):
        tell(Noted(topic="a", number=1), Mentioned(topic="a"))

    assert drain_outbox() == 2

    (note,) = received(broker, "notes", 1)
    row = OutboxEvent.objects.get(type=Noted.type)
    assert note.payload == {
        "id": str(row.uid),
        "type": "outbox_tests.noted.v1",
        "key": "a",
        "sequence": row.pk,
        "timestamp": row.occurred_at.isoformat(),
        "data": {"topic": "a", "number": 1},
    }
    assert note.headers["request_id"] == "request-1"
    assert note.properties["message_id"] == str(row.uid)
    assert [message.payload["type"] for message in received(broker, "all", 2)] == [Noted.type, Mentioned.type]


def test_a_broker_that_is_away_is_tried_again(tell, make_due):
    spec = {"BACKEND": "holdfast.outbox.broker.KombuBroker", "OPTIONS": {"url": "redis://127.0.0.1:1/0"}}
    with override_settings(HOLDFAST_OUTBOX={"BROKER": spec}):
        tell(Noted(topic="a"))
        drain_outbox(raise_errors=False)
    assert OutboxDelivery.objects.get().attempts == 1
