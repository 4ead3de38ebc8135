"""The peer: django-outbox-pattern 3.2, ``Published`` rows and its ``publish`` command, with a null broker.

What it guarantees: the event is committed with the business row; delivered at least once; no order with several
relays; after a SIGKILL everything that the running pass had sent comes again, for the pass is one transaction. It
polls each second.

Given to it: the row is written as its own ``@publish`` decorator writes it, without the cost of serializing a model;
a connection class that hands the message straight to the handler stands for the broker, which costs nothing.
"""

import json
import time
from typing import Any

from benchmarks.outbox.system import System
from benchmarks.tally import Tally

DESTINATION = "shop.product_sold"


class NullBroker:
    """A STOMP connection that delivers on the spot."""

    tally: Tally

    def __init__(self, **_parameters: Any) -> None:
        self._connected = False

    def connect(self, *_arguments: Any, **_parameters: Any) -> None:
        self._connected = True

    def disconnect(self) -> None:
        self._connected = False

    def is_connected(self) -> bool:
        return self._connected

    def send(self, *, body: str, **_parameters: Any) -> None:
        self.tally.handled(json.loads(body)["number"])


class Client(System):
    apps = ("django_outbox_pattern",)

    def __init__(self, url: str, tally: str, redis: str) -> None:
        broker = {"DEFAULT_CONNECTION_CLASS": "benchmarks.outbox.outbox_pattern.NullBroker"}
        super().__init__(url, tally, redis, DJANGO_OUTBOX_PATTERN=broker)
        from django_outbox_pattern.factories import factory_producer
        from django_outbox_pattern.headers import get_message_headers
        from django_outbox_pattern.models import Published

        self.Published, self.headers = Published, get_message_headers
        NullBroker.tally = self.tally
        self.producer = factory_producer()

    def tell(self, number: int, product: int) -> None:
        self.Published(destination=DESTINATION, body={"product": str(product), "number": number}).save()

    def fill(self, count: int, keys: int) -> None:
        rows = (
            self.Published(destination=DESTINATION, body={"product": str(number % keys), "number": number})
            for number in range(count)
        )
        self.Published.objects.bulk_create((self._with_headers(row) for row in rows), batch_size=1000)

    def release(self) -> float:
        return time.monotonic()

    def drain(self) -> None:
        """Do one pass of its relay, which sends all there is."""
        self.producer.publish_message_from_database()

    def reset(self) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("TRUNCATE published")

    def relay(self) -> None:
        from django.core.management import call_command

        call_command("publish")

    def _with_headers(self, row: Any) -> Any:
        # bulk_create does not call save(), which is what fills them.
        row.headers = self.headers(row)
        return row
