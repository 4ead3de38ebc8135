"""The peer: Celery over Redis (Valkey), ``delay`` on commit, prefork workers.

What it guarantees: nothing between the commit and Redis, so a process that dies there loses the event; at most once
for what a killed worker had begun, and an hour (the visibility timeout) until what it had fetched comes again; no
order.

Given to it: no database in the worker, no results, no result backend, no gossip, and Redis without a log on the disk.
"""

import os
import subprocess
import sys
import time
from functools import partial
from typing import Any

from celery import Celery

from benchmarks.outbox.system import System
from benchmarks.tally import Tally


class Client(System):
    def __init__(self, url: str, tally: str, redis: str, queue: str, concurrency: int = 1) -> None:
        super().__init__(url, tally, redis)
        self.app, self.task = application(redis, self.tally)
        self.queue, self.concurrency, self.tally_path = queue, concurrency, tally
        self.worker = f"{queue}@localhost"
        self.filled = 0

    def tell(self, number: int, product: int) -> None:
        # What Celery's own delay_on_commit does.
        self.transaction.on_commit(partial(self._send, number, product))

    def fill(self, count: int, keys: int) -> None:
        with self.app.producer_pool.acquire(block=True) as producer:
            for number in range(count):
                self._send(number, number % keys, queue=self._backlog(), producer=producer)

    def release(self) -> float:
        moment = time.monotonic()
        self.app.control.add_consumer(self._backlog(), destination=[self.worker], reply=False)
        return moment

    def hears(self) -> bool:
        return bool(self.app.control.ping(destination=[self.worker], timeout=0.5))

    def reset(self) -> None:
        with self.app.connection_for_write() as connection:
            client = connection.default_channel.client
            client.delete(self.queue, self._backlog())
        self.app.control.cancel_consumer(self._backlog(), destination=[self.worker])
        self.filled += 1

    def relay(self) -> None:
        environment = {**os.environ, "BENCHMARKS_TALLY": self.tally_path, "BENCHMARKS_REDIS": self.redis}
        command = [sys.executable, "-m", "celery", "--quiet", "--app=benchmarks.outbox.celery_worker", "worker"]
        command += [f"--queues={self.queue}", f"--concurrency={self.concurrency}", "--pool=prefork"]
        command += [f"--hostname={self.worker}", "--loglevel=ERROR"]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        # It warns that it runs as root; what it works on here is a throw-away.
        environment["PYTHONWARNINGS"] = "ignore"
        subprocess.run(command, env=environment, check=False)

    def _send(self, number: int, product: int, **options: Any) -> None:
        self.task.apply_async((number, str(product)), **{"queue": self.queue, **options})

    def _backlog(self) -> str:
        # A queue of its own for each turn: the worker begins with it when it is told to, and not before.
        return f"{self.queue}-{self.filled}"


def application(redis: str, tally: Tally) -> tuple[Celery, Any]:
    """Return the application and its one task."""
    app = Celery("benchmarks", broker=redis, set_as_current=False)
    app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=64, broker_connection_retry_on_startup=True)

    @app.task(name="product_sold")  # type: ignore[untyped-decorator]  # Celery's decorators are
    def product_sold(number: int, product: str) -> None:  # noqa: ARG001 - the event carries its key
        tally.handled(number)

    return app, product_sold
