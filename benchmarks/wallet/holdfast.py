"""Ours: ``holdfast_wallet.services``, as a host calls it.

What it guarantees: no overdraft and no passed limit, balances that only transfers change, gapless running balances,
transfers that nobody can alter, one transfer for each key whoever repeats it, and an event in the outbox for each
transfer, in its commit. Each call is given ids, nothing else: there is no instance to reuse.
"""

import random
from collections.abc import Callable
from uuid import UUID, uuid4

from benchmarks import django_host
from benchmarks.client import repeat
from benchmarks.wallet.race import at_once
from benchmarks.wallet.reading import DatabaseTime

FUNDS = 1_000_000
BATCH = 50
SLOTS = 8


class Client:
    def __init__(self, url: str) -> None:
        django_host.configure(url, "holdfast", "holdfast_wallet", ROOT_URLCONF="benchmarks.wallet.holdfast")
        # Nothing of Django can be imported before it is configured.
        from django.contrib.auth import get_user_model
        from django.db import connection
        from moneyed import Money

        from holdfast_wallet import exceptions, models, selectors, services

        self.connection, self.Money, self.User = connection, Money, get_user_model()
        self.models, self.services, self.selectors = models, services, selectors
        self.InsufficientFunds = exceptions.InsufficientFunds
        # Amounts are made once: what is measured begins with the call of the verb.
        self.amounts = [Money(cents, "EUR") / 100 for cents in range(1, 101)]
        self.owner = 0
        self.accounts: list[UUID] = []
        self.split: UUID | None = None

    def prepare(self, accounts: int) -> None:
        """Make the tables, funded accounts of one owner, and a house account in slots."""
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        owner = self.User.objects.create(username="owner").pk
        for number in range(accounts):
            account = self.services.open_account(owner_id=owner, currency="EUR", name=f"account {number}")
            self._fund(account.id, owner, FUNDS)
        self.services.open_system_account(role="bench_hot", currency="EUR", slots=SLOTS)

    def connect(self) -> None:
        """Learn the accounts, as every client process does once."""
        self.owner = self.User.objects.get(username="owner").pk
        named = self.models.Account.objects.filter(name__startswith="account ")
        self.accounts = list(named.order_by("id").values_list("id", flat=True))
        self.split = self.selectors.system_account(role="bench_hot", currency="EUR").id

    def random(self, start: float, seconds: float) -> dict[str, float]:
        """Transfer between two accounts drawn each time."""
        return repeat(lambda: self._post(*random.sample(self.accounts, 2)), start=start, seconds=seconds)

    def hot(self, start: float, seconds: float) -> dict[str, float]:
        """Transfer from an account drawn each time to always the same one."""
        *sources, target = self.accounts
        return repeat(lambda: self._post(random.choice(sources), target), start=start, seconds=seconds)

    def hot_split(self, start: float, seconds: float) -> dict[str, float]:
        """Transfer from an account drawn each time to always the same house account, which is kept in slots."""
        assert self.split is not None
        target = self.split
        return repeat(lambda: self._post(random.choice(self.accounts), target), start=start, seconds=seconds)

    def random_batch(self, start: float, seconds: float) -> dict[str, float]:
        """``random``, 50 transfers in a call and a commit."""
        return self._batches(lambda: random.sample(self.accounts, 2), start, seconds)

    def hot_batch(self, start: float, seconds: float) -> dict[str, float]:
        """``hot``, 50 transfers in a call and a commit."""
        *sources, target = self.accounts
        return self._batches(lambda: [random.choice(sources), target], start, seconds)

    def transfers(self, count: int) -> None:
        """Post ``count`` transfers one by one: for the bytes they take."""
        for _ in range(count):
            self._post(*random.sample(self.accounts, 2))

    def is_sound(self) -> bool:
        """Whether the ledger's own audit finds nothing."""
        return not any(hasattr(found, "check") and hasattr(found, "expected") for found in self.services.verify())

    # The race

    def open_with(self, units: int) -> str:
        """Open an account with money for ``units`` withdrawals of one euro."""
        owner = self.User.objects.get(username="owner").pk
        account = self.services.open_account(owner_id=owner, currency="EUR", name="contested")
        self._fund(account.id, owner, units)
        return str(account.id)

    def withdraw(self, account: str, start: float) -> bool:
        """Take one euro if there is one."""
        owner, mine, one, key = self.User.objects.get(username="owner").pk, UUID(account), self.Money(1, "EUR"), uuid4()

        def attempt() -> bool:
            try:
                self.services.withdraw(key=key, account_id=mine, amount=one, owner_id=owner)
            except self.InsufficientFunds:
                return False
            return True

        return at_once(attempt, start)

    def balance_of(self, account: str) -> int:
        """Return a balance in whole euros."""
        return int(self.models.Account.objects.get(pk=account).balance.amount)

    # The reads

    def fill(self, entries: int) -> str:
        """Open an account and give it ``entries`` entries."""
        account = self.services.open_account(owner_id=self.owner, currency="EUR", name=f"history of {entries}").id
        request, cent = self.services.TransferRequest, self.amounts[0]
        for done in range(0, entries, 500):
            self.services.post_transfers(
                requests=[
                    request(key=uuid4(), source_id=source, target_id=account, amount=cent, owner_id=self.owner)
                    for source in random.choices(self.accounts, k=min(500, entries - done))
                ]
            )
        with self.connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        return str(account)

    def reads(self, account: str, times: int) -> dict[str, dict[str, float]]:
        """Read balance, balance as of the middle of the history and a page of 50 entries with running balances."""
        mine, owner, selectors = UUID(account), self.owner, self.selectors
        newest, oldest = (
            self.models.Entry.objects.filter(account_id=mine).order_by(order)[0] for order in ("-version", "version")
        )
        middle = oldest.recorded_at + (newest.recorded_at - oldest.recorded_at) / 2
        watch = DatabaseTime(self.connection)
        return {
            "balance": watch.measure(lambda: selectors.get_account(account_id=mine, owner_id=owner).balance, times),
            "as of": watch.measure(lambda: selectors.balance_at(account_id=mine, owner_id=owner, at=middle), times),
            "page of 50": watch.measure(lambda: list(selectors.entries(account_id=mine, owner_id=owner)[:50]), times),
        }

    def _post(self, source: UUID, target: UUID) -> None:
        self.services.transfer(
            key=uuid4(), source_id=source, target_id=target, amount=random.choice(self.amounts), owner_id=self.owner
        )

    def _batches(self, draw: Callable[[], list[UUID]], start: float, seconds: float) -> dict[str, float]:
        request, amounts, owner = self.services.TransferRequest, self.amounts, self.owner

        def operation() -> None:
            self.services.post_transfers(
                requests=[
                    request(
                        key=uuid4(), source_id=source, target_id=target, amount=random.choice(amounts), owner_id=owner
                    )
                    for source, target in (draw() for _ in range(BATCH))
                ]
            )

        done = repeat(operation, start=start, seconds=seconds)
        return {**done, "done": done["done"] * BATCH}

    def _fund(self, account: UUID, owner: int, units: int) -> None:
        self.services.deposit(key=uuid4(), account_id=account, amount=self.Money(units, "EUR"), owner_id=owner)
