"""A buyer who dies: ``python -m tests.artisan_shop.dying_buyer USER PRODUCT MOMENT``.

He puts a piece into his basket, holds it and orders it, and is killed before the given statement or commit.
"""

import itertools
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django


def main(user: str, product: str, step: str) -> None:
    """Buy, and die at the given moment of it."""
    django.setup()
    from django.db import connection

    from holdfast_artisan_shop import services

    moments = itertools.count()

    def moment() -> None:
        if next(moments) == int(step):
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
    sys.stdout.write(json.dumps("done"))


if __name__ == "__main__":
    main(*sys.argv[1:])
