"""Ours: ``holdfast.outbox``.

What it guarantees: the event is committed with the business row or not at all; delivered at least once; in order for
each key and subscriber with any number of relays; after a SIGKILL only what was in flight comes again; retries with
backoff, dead letters.
"""

import itertools
import os
import time
from typing import Any

from benchmarks.outbox.system import System

CHUNK = 1000


class Client(System):
    apps = ("holdfast", "benchmarks.outbox.shop")

    def __init__(self, url: str, tally: str, redis: str) -> None:
        os.environ["BENCHMARKS_TALLY"] = tally
        super().__init__(url, tally, redis)
        from benchmarks.outbox.shop.events import ProductSold
        from holdfast.outbox import emit, emit_many

        self.emit, self.emit_many, self.ProductSold = emit, emit_many, ProductSold
        self._open: Any = None

    def tell(self, number: int, product: int) -> None:
        self.emit(self.ProductSold(product=str(product), number=number))

    def fill(self, count: int, keys: int) -> None:
        # The relays are running: the events stay invisible in an open transaction.
        self._open = self.transaction.atomic()
        self._open.__enter__()
        numbers = iter(range(count))
        while chunk := list(itertools.islice(numbers, CHUNK)):
            self.emit_many(self.ProductSold(product=str(number % keys), number=number) for number in chunk)

    def release(self) -> float:
        moment = time.monotonic()
        self._open.__exit__(None, None, None)
        return moment

    def reset(self) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("TRUNCATE holdfast_outboxevent, holdfast_outboxdelivery CASCADE")

    def relay(self) -> None:
        from django.core.management import call_command

        call_command("outbox_relay")
