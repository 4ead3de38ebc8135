"""Processes that count and are killed, on a database of their own: ``python -m tests.catalog_notify.killing``.

Prints what came of it, as JSON.
"""

import itertools
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

READERS, ROLLERS, REQUESTS, SHOTS = 8, 2, 25, 12


def main() -> None:
    """Make the tables, and play each kind of death."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.catalog_notify.settings"
    from django.conf import settings

    settings.HOLDFAST_CATALOG_NOTIFY = {"VISIT_SECONDS": 86_400}
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    warm_up()
    json.dump({"steps": kill_each_step(), "crowd": count_a_crowd(), "war": kill_at_random()}, sys.stdout)


def warm_up() -> None:
    """Import what a request needs, once for all who are started, or they are shot before they have done anything."""
    from django.test import Client

    Client().head("/api/catalog/products/")


def kill_each_step() -> list[dict[str, Any]]:
    """Kill a roll-up before each of its statements and around its commit, until one comes through."""
    product, taken = make_product(), 0
    outcomes = []
    for step in itertools.count():
        for _time in range(3):
            look(product)
        taken += 3
        status = wait_for(start(lambda step=step: roll_up_and_die(step)))
        outcomes.append({"killed": os.WIFSIGNALED(status), "taken": taken, **figures(product)})
        if not os.WIFSIGNALED(status):
            return outcomes
    raise AssertionError


def roll_up_and_die(step: int) -> None:
    """Roll up; die at the given moment of it."""
    from django.db import connection

    from holdfast_catalog_notify import services

    moments = itertools.count()

    def moment() -> None:
        if next(moments) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def before_each(execute: Callable[..., Any], *arguments: Any) -> Any:
        moment()
        return execute(*arguments)

    commit = connection.commit

    def around_the_commit() -> None:
        moment()
        commit()
        moment()

    connection.commit = around_the_commit  # type: ignore[method-assign]  # to die in it
    with connection.execute_wrapper(before_each):
        services.roll_up_views()


def count_a_crowd() -> dict[str, Any]:
    """Let readers ask the API and roll-ups count, at once and undisturbed."""
    product = make_product()
    readers = [start(lambda: ask(product, REQUESTS)) for _reader in range(READERS)]
    rollers = [start(roll_up_for_ever) for _roller in range(ROLLERS)]
    failed = sum(wait_for(reader) for reader in readers)
    for roller in rollers:
        shoot(roller)
    return {"failed": failed, "answered": READERS * REQUESTS, **drained(product)}


def kill_at_random() -> dict[str, Any]:
    """Shoot readers and roll-ups in the middle of what they do; note what was answered."""
    product = make_product()
    with tempfile.NamedTemporaryFile() as notes:
        descriptor = os.open(notes.name, os.O_WRONLY | os.O_APPEND)
        kinds = [lambda: ask(product, sys.maxsize, descriptor)] * 4 + [roll_up_for_ever] * 2
        running = [(kind, start(kind)) for kind in kinds]
        while not Path(notes.name).stat().st_size:
            time.sleep(0.01)
        for _shot in range(SHOTS):
            time.sleep(random.uniform(0.05, 0.3))
            kind, victim = running.pop(random.randrange(len(running)))
            shoot(victim)
            running.append((kind, start(kind)))
        for _kind, survivor in running:
            shoot(survivor)
        answered = Path(notes.name).stat().st_size
    return {"answered": answered, "in_flight": SHOTS + len(kinds), **drained(product)}


def ask(product: Any, times: int, notes: int | None = None) -> None:
    """Retrieve a product through the API; note each answer when it is there."""
    from django.test import Client

    client = Client()
    for _time in range(times):
        if client.get(f"/api/catalog/products/{product.pk}/").status_code != 200:
            os._exit(1)
        if notes is not None:
            os.write(notes, b".")


def roll_up_for_ever() -> None:
    """Count, in small batches, so that they meet."""
    from holdfast_catalog_notify import services

    services.count_views(seconds=600, pause_seconds=0.01, limit=7)


def start(work: Callable[[], object]) -> int:
    """Do something in a process of its own, with connections of its own."""
    from django.db import connections

    connections.close_all()
    child = os.fork()
    if child:
        return child
    try:
        work()
    finally:
        os._exit(0 if sys.exc_info()[0] is None else 1)


def wait_for(child: int) -> int:
    """Return how the process ended."""
    return os.waitpid(child, 0)[1]


def shoot(child: int) -> None:
    """Kill a process, wherever it is."""
    os.kill(child, signal.SIGKILL)
    if not os.WIFSIGNALED(wait_for(child)):
        raise RuntimeError("It had died of something else.")


def make_product() -> Any:
    """Make what is looked at."""
    from holdfast_catalog_notify.testing import make_product

    return make_product(sku=os.urandom(4).hex())


def look(product: Any) -> None:
    """Retrieve it, as a new visitor."""
    from holdfast_catalog_notify import services
    from holdfast_catalog_notify.states import ViewKind

    meta = {"REMOTE_ADDR": os.urandom(4).hex()}
    services.record_views(kind=ViewKind.RETRIEVED, product_ids=[product.pk], meta=meta)


def drained(product: Any) -> dict[str, int]:
    """Count what is left, and return the product's figures."""
    from holdfast_catalog_notify import services

    services.count_views()
    return figures(product)


def figures(product: Any) -> dict[str, int]:
    """Return what is counted of a product by the hour and by the day, and what waits."""
    from django.db.models import Sum

    from holdfast_catalog_notify.models import BufferedViews, DailyViews, HourlyViews

    def total(model: Any, figure: str) -> int:
        return model.objects.filter(product_id=product.pk).aggregate(sum=Sum(figure))["sum"] or 0

    return {
        "hourly": total(HourlyViews, "retrieved"),
        "daily": total(DailyViews, "retrieved"),
        "visits": total(DailyViews, "visits"),
        "buffered": BufferedViews.objects.filter(product_ids=product.pk.hex).count(),
    }


if __name__ == "__main__":
    main()
