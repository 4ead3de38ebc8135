"""Transactions of the database that a router names."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import models, router, transaction


@contextmanager
def atomic_for(model: type[models.Model], *, durable: bool = False) -> Iterator[None]:
    """Open a transaction of the database that a model's rows are written to, or a savepoint of the caller's.

    For a block or, as a decorator, for a verb: the router is asked each time, and not when the module is imported.
    ``transaction.atomic`` alone is of ``default``, which a project with a primary and replicas may call otherwise.
    ``durable`` refuses to be part of the caller's transaction with ``RuntimeError``.
    """
    with transaction.atomic(using=router.db_for_write(model), durable=durable):
        yield
