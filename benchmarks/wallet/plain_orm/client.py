"""The reference: a posting by the ORM alone. Both accounts are locked in the order of their ids, checked, updated.

What it guarantees: no overdraft, entries that add up, a key that is used once. Anybody may still change a balance by
hand.
"""

import random

from benchmarks import django_host
from benchmarks.client import repeat

FUNDS = 100_000_000


class Client:
    def __init__(self, url: str) -> None:
        django_host.configure(url, "benchmarks.wallet.plain_orm")
        # Nothing of Django can be imported before it is configured.
        from django.db import models, transaction

        from benchmarks.wallet.plain_orm.models import Account, Entry, Transfer

        self.F, self.Sum, self.atomic = models.F, models.Sum, transaction.atomic
        self.Account, self.Transfer, self.Entry = Account, Transfer, Entry
        self.accounts: list[int] = []

    def prepare(self, accounts: int) -> None:
        """Make the tables and funded accounts."""
        from django.core.management import call_command

        call_command("migrate", run_syncdb=True, verbosity=0)
        self.Account.objects.bulk_create(self.Account(balance=FUNDS) for _ in range(accounts))

    def connect(self) -> None:
        """Learn the accounts, as every client process does once."""
        self.accounts = list(self.Account.objects.order_by("id").values_list("id", flat=True))

    def random(self, start: float, seconds: float) -> dict[str, float]:
        """Transfer between two accounts drawn each time."""
        return repeat(lambda: self.post(*random.sample(self.accounts, 2)), start=start, seconds=seconds)

    def hot(self, start: float, seconds: float) -> dict[str, float]:
        """Transfer from an account drawn each time to always the same one."""
        *sources, target = self.accounts
        return repeat(lambda: self.post(random.choice(sources), target), start=start, seconds=seconds)

    def post(self, source: int, target: int) -> None:
        amount = random.randint(1, 100)
        with self.atomic():
            locked = self.Account.objects.select_for_update().order_by("id").in_bulk([source, target])
            if locked[source].balance < amount:
                raise ValueError("Insufficient funds.")
            transfer = self.Transfer.objects.create()
            sides = ((source, -amount), (target, amount))
            for account, moved in sides:
                self.Account.objects.filter(pk=account).update(balance=self.F("balance") + moved)
            self.Entry.objects.bulk_create(
                self.Entry(
                    transfer=transfer, account_id=account, amount=moved, balance_after=locked[account].balance + moved
                )
                for account, moved in sides
            )

    def transfers(self, count: int) -> None:
        """Post ``count`` transfers one by one: for the bytes they take."""
        for _ in range(count):
            self.post(*random.sample(self.accounts, 2))

    def is_sound(self) -> bool:
        """Whether the money still adds up."""
        total = self.Account.objects.aggregate(total=self.Sum("balance"))["total"]
        moved = self.Entry.objects.aggregate(moved=self.Sum("amount"))["moved"] or 0
        return bool(total == FUNDS * len(self.Account.objects.all()) and moved == 0)
