"""What every outbox system is asked to do, in its own client process.

The business transaction is the same in all of them: one ``UPDATE`` of one of 1,000 products, by a plain cursor, so
that what is compared is the telling and not the ORM. The event carries a number and the product's id, its key.
"""

import random
import time
from abc import ABC, abstractmethod
from typing import Any

from benchmarks import django_host
from benchmarks.client import repeat
from benchmarks.tally import Tally

PRODUCTS = 1000
_SELL = "UPDATE product SET stock = stock - 1 WHERE id = %s"


class System(ABC):
    """A client of one system: it publishes, it fills a backlog, it relays."""

    apps: tuple[str, ...] = ()

    def __init__(self, url: str, tally: str, redis: str, **settings: Any) -> None:
        django_host.configure(url, *self.apps, **settings)
        # Nothing of Django can be imported before it is configured.
        from django.db import connection, transaction

        self.connection, self.transaction = connection, transaction
        self.tally = Tally(tally)
        self.redis = redis

    # What differs

    @abstractmethod
    def tell(self, number: int, product: int) -> None:
        """Publish one event in the open transaction."""

    @abstractmethod
    def fill(self, count: int, keys: int) -> None:
        """Make ``count`` events that nobody handles before ``release``; the product of event n is ``n % keys``."""

    @abstractmethod
    def release(self) -> float:
        """Let what was filled be handled from this moment on; return the moment."""

    @abstractmethod
    def reset(self) -> None:
        """Remove all events."""

    @abstractmethod
    def relay(self) -> None:
        """Handle events until the process is told to stop."""

    def hears(self) -> bool:
        """Whether a relay that was started can be told things."""
        return True

    # What is the same

    def prepare(self) -> None:
        """Make the tables."""
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        with self.connection.cursor() as cursor:
            cursor.execute("CREATE TABLE product (id int PRIMARY KEY, stock int NOT NULL) WITH (fillfactor = 50)")
            cursor.execute("INSERT INTO product SELECT generate_series(0, %s), 0", [PRODUCTS - 1])

    def connect(self) -> None:
        """Open the connection, as every client process does once."""
        self.connection.ensure_connection()

    def analyze(self) -> None:
        """Do what autovacuum does to new tables within a minute: until then the planner guesses."""
        with self.connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def business(self, start: float, seconds: float) -> dict[str, float]:
        """Commit business transactions that tell nobody: the floor under every system."""
        return repeat(lambda: self._sell(None), start=start, seconds=seconds)

    def publish(self, start: float, seconds: float) -> dict[str, float]:
        """Commit business transactions that tell."""
        return repeat(lambda: self._sell(0), start=start, seconds=seconds)

    def paced(self, start: float, count: int, first: int, a_second: int) -> None:
        """Commit ``count`` transactions that tell, evenly, and note when each was committed."""
        for number in range(first, first + count):
            time.sleep(max(0.0, start + (number - first) / a_second - time.monotonic()))
            self._sell(number, note=True)

    def _sell(self, number: int | None, *, note: bool = False) -> None:
        product = random.randrange(PRODUCTS)
        with self.transaction.atomic():
            with self.connection.cursor() as cursor:
                cursor.execute(_SELL, [product])
            if note:
                # The first thing that runs after the commit, in every system.
                self.transaction.on_commit(lambda: self.tally.committed(number or 0))
            if number is not None:
                self.tell(number, product)
