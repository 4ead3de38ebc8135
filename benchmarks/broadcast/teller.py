"""The processes of ``ways``: a publisher that commits changes, and the process that tells of them.

``python -m benchmarks.broadcast.teller prepare | publish <number> | tell``; the environment says which way.
"""

import json
import os
import sys
import threading
import time
import urllib.request
from typing import Any
from uuid import uuid4

from benchmarks import django_host
from benchmarks.broadcast.ways import EACH, PACE_SECONDS

WAY, URL = os.environ["WAYS_WAY"], os.environ["WAYS_URL"]
COUNTER, BROKER = os.environ["WAYS_COUNTER"], os.environ["WAYS_BROKER"]
TIMEOUT_SECONDS = 2


def post(change: str) -> None:
    """Tell the counter server of a change; its id is the event's."""
    body = json.dumps({"user": 1, "action": "create"}).encode()
    request = urllib.request.Request(COUNTER, body, {"webhook-id": change, "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
        pass


class Way:
    """How a publisher tells; what it raises does not undo the change, which is committed."""

    def tell(self, change: str) -> None:
        """Tell of a change inside its transaction."""
        raise AssertionError

    def serve(self) -> None:
        """Be the process that tells, until it is ended."""
        raise AssertionError


class InThread(Way):
    """A signal handler that starts a thread: the request waits for nobody."""

    def tell(self, change: str) -> None:
        from django.db import transaction

        transaction.on_commit(threading.Thread(target=post, args=[change], daemon=True).start)


class ByCelery(Way):
    """A task for a worker, handed over once the change is committed."""

    def __init__(self) -> None:
        from celery import Celery

        self.app = Celery("ways", broker=BROKER, set_as_current=False)
        self.app.conf.update(
            task_ignore_result=True,
            task_acks_late=True,
            task_reject_on_worker_lost=True,
            broker_connection_retry_on_startup=True,
            # An hour by default: a killed worker's tasks would come again after the end of the run.
            broker_transport_options={"visibility_timeout": 5, "socket_timeout": 2, "socket_connect_timeout": 2},
            worker_prefetch_multiplier=1,
        )
        self.task = self.app.task(
            post, name="post", autoretry_for=(OSError,), retry_kwargs={"max_retries": 60}, default_retry_delay=1
        )

    def tell(self, change: str) -> None:
        from django.db import transaction

        transaction.on_commit(lambda: self.task.delay(change))

    def serve(self) -> None:
        self.app.worker_main(["--quiet", "worker", "--concurrency=2", "--loglevel=ERROR", "--without-gossip"])


class ByOutbox(Way):
    """An event in the transaction, for the relay."""

    def tell(self, change: str) -> None:
        from benchmarks.broadcast.changes.events import Changed
        from holdfast.outbox import emit

        emit(Changed(change=change))

    def serve(self) -> None:
        from django.core.management import call_command

        call_command("outbox_relay")


def publish(way: Way, number: int) -> None:
    """Commit changes at a pace; a publisher that was killed goes on where it was."""
    from django.db import connection, transaction

    while _count(connection, number) < EACH:
        time.sleep(PACE_SECONDS)
        change, began = str(uuid4()), time.monotonic()
        handed_over = True
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("INSERT INTO change (id, publisher) VALUES (%s, %s)", [change, number])
                way.tell(change)
        except Exception:  # noqa: BLE001 - the change is committed; what could not be handed over is noted
            handed_over = False
        taken = [handed_over, (time.monotonic() - began) * 1000, change]
        with connection.cursor() as cursor:
            cursor.execute("UPDATE change SET handed_over = %s, took_ms = %s WHERE id = %s", taken)
    time.sleep(TIMEOUT_SECONDS)  # for threads that are under way


def _count(connection: Any, number: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM change WHERE publisher = %s", [number])
        return int(cursor.fetchone()[0])


def prepare() -> None:
    """Make the tables."""
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE change (id uuid PRIMARY KEY, publisher int NOT NULL,"
            " handed_over bool NOT NULL DEFAULT true, took_ms float NOT NULL DEFAULT 0)"
        )


def main() -> None:
    """Do what the command line says."""
    outbox = {"RETRY_SECONDS": [0.5, 1, 1, *[2] * 100], "LEASE_SECONDS": 5}
    django_host.configure(URL, "holdfast", "benchmarks.broadcast.changes", HOLDFAST_OUTBOX=outbox)
    way: Way = {"thread": InThread, "celery": ByCelery, "outbox": ByOutbox}[WAY]()
    action = sys.argv[1]
    if action == "prepare":
        prepare()
    elif action == "publish":
        publish(way, int(sys.argv[2]))
    else:
        way.serve()


if __name__ == "__main__":
    main()
