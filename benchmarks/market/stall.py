"""What the sides have in common: customers who draw goods and order them, and notes of what went wrong."""

import random
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks.client import repeat

PRODUCTS, SHOPS, CUSTOMERS = 1_000, 20, 200
PIECES = 100_000_000
HOT, LINES = 4, 2
CLIENTS = 8
# What is ordered: a product as its side knows it, and how many of it.
Goods = Sequence[tuple[Any, int]]


class Stall(ABC):
    """A client process; the products of a shop are beside each other in ``products``."""

    def __init__(self) -> None:
        self.customers: list[Any] = []
        self.products: list[Any] = []
        self.failures: Counter[str] = Counter()

    @abstractmethod
    def prepare(self) -> None:
        """Make the tables, the customers and the products."""

    @abstractmethod
    def learn(self) -> None:
        """Load the customers and the products."""

    @abstractmethod
    def place(self, way: str, customer: Any, goods: Goods) -> bool:
        """Order goods; say whether they were sold. Raises what the library raises."""

    def connect(self, number: int) -> None:
        """Get ready, as every client process does once: with customers that no other process has."""
        self.learn()
        self.customers = self.customers[number::CLIENTS]

    def order(self, *, start: float, seconds: float, way: str, hot: bool = False) -> dict[str, float]:
        """Order two products over and over: any two of a shop, or two of four that everybody wants."""
        return repeat(lambda: self._sell(way, self._draw(LINES, hot=hot)), start=start, seconds=seconds)

    def statements(self, way: str, lines: int) -> int:
        """Return how many statements such an order takes, the BEGIN and COMMIT of its transactions included."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        customer, goods = self.customers[0], self._draw(lines, hot=False)
        self.place(way, customer, goods)
        with CaptureQueriesContext(connection) as captured:
            self.place(way, customer, goods)
        return len(captured)

    def failed(self) -> dict[str, int]:
        """Return how often an order failed, by reason."""
        return dict(self.failures)

    def rush(self, start: float, product: int, buyers: int, way: str) -> list[str]:
        """Let so many customers, each in a thread, order a piece of one product at the same moment; say how it went."""
        outcomes: list[str] = []

        def buy(customer: Any) -> None:
            from django.db import connection

            try:
                connection.ensure_connection()
                time.sleep(max(0.0, start - time.monotonic()))
                sold = self.place(way, customer, [(self.products[product], 1)])
                outcomes.append("sold" if sold else "refused")
            except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
                outcomes.append(reason(error))
            finally:
                connection.close()

        threads = [threading.Thread(target=buy, args=[customer]) for customer in self.customers[:buyers]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes

    def _sell(self, way: str, goods: Goods) -> None:
        """Order until it succeeds: only what was sold is counted, and failures cost their time."""
        from django.db import DatabaseError

        while True:
            try:
                if self.place(way, random.choice(self.customers), goods):
                    return
                self.failures["refused"] += 1
            except DatabaseError as error:
                self.failures[reason(error)] += 1

    def _draw(self, lines: int, *, hot: bool) -> Goods:
        if hot:
            drawn = random.sample(self.products[:HOT], lines)
        else:
            each = PRODUCTS // SHOPS
            first = random.randrange(SHOPS) * each
            drawn = random.sample(self.products[first : first + each], lines)
        return [(product, random.randint(1, 2)) for product in drawn]


def reason(error: Exception) -> str:
    """Name an error: deadlocks and locked databases are told from the others."""
    text = str(error)
    return next((known for known in ("deadlock", "locked") if known in text), type(error).__name__)
