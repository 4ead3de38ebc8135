"""The peer: django-hordak 2.0, ``Account.transfer_to``.

What it guarantees: the legs of a transaction add up to zero (a deferred trigger). It keeps no balance and no limit,
so an application that must not overdraw looks at the balance first, as ``withdraw`` does here.

Given to it: account instances are loaded once and reused, so that a transfer reads nothing.
"""

import datetime as dt
import random
from typing import Any

from benchmarks import django_host
from benchmarks.client import repeat
from benchmarks.wallet.race import at_once
from benchmarks.wallet.reading import DatabaseTime

FUNDS = 1_000_000


class Client:
    def __init__(self, url: str) -> None:
        django_host.configure(
            url, "mptt", "djmoney", "hordak", DEFAULT_CURRENCY="EUR", CURRENCIES=["EUR"], HORDAK_CURRENCIES=["EUR"]
        )
        # Nothing of Django can be imported before it is configured.
        from django.db import connection, transaction
        from djmoney.money import Money
        from hordak.models import Account, AccountType, Leg, Transaction

        self.connection, self.atomic, self.Money = connection, transaction.atomic, Money
        self.Account, self.AccountType, self.Leg, self.Transaction = Account, AccountType, Leg, Transaction
        self.accounts: list[Any] = []

    def prepare(self, accounts: int) -> None:
        """Make the tables and funded accounts."""
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        bank = self.Account.objects.create(name="bank", type=self.AccountType.equity, currencies=["EUR"])
        # A trigger rewrites the codes of all accounts at each new one, and the tree is renumbered; these have neither.
        self._triggers("DISABLE")
        with self.atomic(), self.Account.objects.disable_mptt_updates():
            opened = [self._open(f"account {number}") for number in range(accounts)]
        self._triggers("ENABLE")
        self.Account.objects.rebuild()
        with self.atomic():
            for account in opened:
                bank.transfer_to(account, self._euros(FUNDS))

    def connect(self) -> None:
        """Load the accounts, as every client process does once."""
        self.accounts = list(self.Account.objects.filter(name__startswith="account ").order_by("id"))

    def random(self, start: float, seconds: float) -> dict[str, float]:
        """Transfer between two accounts drawn each time."""

        def operation() -> None:
            source, target = random.sample(self.accounts, 2)
            source.transfer_to(target, self._some())

        return repeat(operation, start=start, seconds=seconds)

    def hot(self, start: float, seconds: float) -> dict[str, float]:
        """Transfer from an account drawn each time to always the same one."""
        *sources, target = self.accounts
        return repeat(lambda: random.choice(sources).transfer_to(target, self._some()), start=start, seconds=seconds)

    def is_sound(self) -> bool:
        """Whether the money still adds up."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT sum(coalesce(debit, 0) - coalesce(credit, 0)) FROM hordak_leg")
            return bool(cursor.fetchone() == (0,))

    def transfers(self, count: int) -> None:
        """Post ``count`` transfers one by one: for the bytes they take."""
        for _ in range(count):
            source, target = random.sample(self.accounts, 2)
            source.transfer_to(target, self._some())

    # The race

    def open_with(self, units: int) -> int:
        """Open an account with money for ``units`` withdrawals of one euro."""
        account = self._open("contested")
        self.Account.objects.get(name="bank").transfer_to(account, self._euros(units))
        return int(account.pk)

    def withdraw(self, account: int, start: float) -> bool:
        """Take one euro if there is one: the balance first, then the transfer, in one transaction."""
        mine, bank = self.Account.objects.get(pk=account), self.Account.objects.get(name="bank")
        one = self._euros(1)

        def attempt() -> bool:
            with self.atomic():
                if mine.get_balance() < one:
                    return False
                mine.transfer_to(bank, one)
                return True

        return at_once(attempt, start)

    def balance_of(self, account: int) -> int:
        """Return a balance in whole euros."""
        return int(self.Account.objects.get(pk=account).get_balance()["EUR"].amount)

    # The reads

    def fill(self, entries: int) -> int:
        """Open an account and give it ``entries`` entries, by SQL for speed: the rows are those of ``transfer_to``."""
        account, bank = self._open(f"history of {entries}"), self.Account.objects.get(name="bank")
        with self.connection.cursor() as cursor:
            cursor.execute(_FILL, {"entries": entries, "account": account.pk, "bank": bank.pk})
            cursor.execute("ANALYZE")
        return int(account.pk)

    def reads(self, account: int, times: int) -> dict[str, dict[str, float]]:
        """Read balance, balance as of a day and a page of 50 entries with running balances."""
        mine = self.Account.objects.get(pk=account)
        earlier = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=15)
        watch = DatabaseTime(self.connection)
        return {
            "balance": watch.measure(mine.get_balance, times),
            "as of": watch.measure(lambda: mine.get_balance(as_of=earlier), times),
            "page of 50": watch.measure(
                lambda: list(mine.legs.with_account_balance_after().order_by("-transaction__date", "-id")[:50]), times
            ),
        }

    def _triggers(self, state: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE hordak_account {state} TRIGGER USER")

    def _open(self, name: str) -> Any:
        return self.Account.objects.create(name=name, type=self.AccountType.asset, currencies=["EUR"])

    def _euros(self, amount: int) -> Any:
        return self.Money(amount, "EUR")

    def _some(self) -> Any:
        return self.Money(random.randint(1, 100), "EUR") / 100


_FILL = """
WITH posted AS (
    INSERT INTO hordak_transaction (uuid, timestamp, date, description)
    SELECT gen_random_uuid(), moment, moment::date, ''
    FROM (SELECT now() - interval '30 days' * (1 - n / %(entries)s::float) AS moment
          FROM generate_series(1, %(entries)s) AS n) AS moments
    RETURNING id
)
INSERT INTO hordak_leg (uuid, transaction_id, account_id, debit, credit, currency, description)
SELECT gen_random_uuid(), posted.id, side.account, side.debit, side.credit, 'EUR', ''
FROM posted, LATERAL (VALUES (%(account)s, 1.00, NULL), (%(bank)s, NULL, 1.00)) AS side (account, debit, credit)
"""
