"""Buyers who die: ``python -m tests.artisan_shop.dying_buyer PRODUCT``.

Each line of its input is a customer and a moment. A fork of this process, which has imported everything, puts a piece
into his basket, holds it and orders it, and is killed before that statement or commit. Each line of its output is the
status with which he ended.
"""

import itertools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django

django.setup()

from django.db import connection  # noqa: E402 - Django comes first

from holdfast_artisan_shop import services  # noqa: E402 - as above


def buy(user: str, product: str, step: int) -> None:
    """Buy, and die at the given moment of it."""
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
        services.add_to_basket(customer_id=int(user), product_id=UUID(product), quantity=1)
        services.hold_basket(customer_id=int(user))
        services.checkout(customer_id=int(user))


def main(product: str) -> None:
    """Fork for each line: who has not connected yet has no connection that two would share."""
    for line in sys.stdin:
        user, step = line.split()
        child = os.fork()
        if child == 0:
            buy(user, product, int(step))
            os._exit(0)
        _child, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
