"""A teller of the bank test: a process that does random verbs until it is killed, and notes what was acknowledged.

``python -m tests.wallet.teller open|work|check FILE``, with DATABASE_URL in the environment.
"""

import json
import os
import random
import sys
import time
from pathlib import Path
from uuid import UUID, uuid4

import django

ACCOUNTS = 24
FUNDS = "1000.00"


def open_bank(path: Path) -> None:
    """Make the tables and the accounts, and write the accounts' ids down."""
    from django.core.management import call_command

    from holdfast_wallet import services
    from holdfast_wallet.testing import make_account, make_owner

    call_command("migrate", verbosity=0)
    owner = make_owner()
    euros = [make_account(owner=owner, funds=FUNDS) for _ in range(ACCOUNTS)]
    dollars = [make_account(owner=owner, currency="USD") for _ in range(4)]
    for role in ("cash_out", "fx"):
        for currency in ("EUR", "USD"):
            services.open_system_account(role=role, currency=currency)
    hot = services.open_system_account(role="shop", currency="EUR", slots=4)
    bank = {
        "owner": owner.pk,
        "euros": [a.id.hex for a in euros],
        "dollars": [a.id.hex for a in dollars],
        "hot": hot.id.hex,
    }
    path.write_text(json.dumps(bank))


class Teller:
    """One process at the counter."""

    def __init__(self, path: Path) -> None:
        bank = json.loads(path.read_text())
        self.owner = bank["owner"]
        self.euros = [UUID(one) for one in bank["euros"]]
        self.dollars = [UUID(one) for one in bank["dollars"]]
        self.hot = UUID(bank["hot"])
        self.dice = random.Random()
        # One write for each line, at its end: a line that is there was acknowledged, whatever happens to us next.
        self.notes = os.open(path.with_suffix(".acknowledged"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def work(self) -> None:
        """Do verbs for ever. What broke in the middle is asked again with the same key."""
        from django.db import DatabaseError, InterfaceError, connection

        from holdfast_wallet.exceptions import WalletError

        while True:
            verb = self.dice.choice(
                (self.pay, self.pay, self.batch, self.reserve, self.give_back, self.change, self.sell)
            )
            keys = [uuid4() for _ in range(5)]
            for _ in range(200):
                try:
                    done = verb(keys)
                    os.write(self.notes, "".join(f"{key.hex}\n" for key in done).encode())
                    break
                except WalletError:
                    break
                except (DatabaseError, InterfaceError):
                    connection.close()
                    time.sleep(0.02)

    def amount(self, currency: str = "EUR"):
        from holdfast.money import from_minor

        return from_minor(self.plan.randrange(1, 5_000), currency)

    def two(self) -> list[UUID]:
        return self.plan.sample(self.euros, 2)

    def request(self, key: UUID):
        from holdfast_wallet import services

        source, target = self.two()
        return services.TransferRequest(
            key=key, source_id=source, target_id=target, amount=self.amount(), owner_id=self.owner
        )

    def plans(self, keys: list[UUID]) -> None:
        """The same request for the same key, also the second time: the dice are the key's."""
        self.plan = random.Random(keys[0].int)

    def pay(self, keys: list[UUID]) -> list[UUID]:
        from holdfast_wallet import services

        self.plans(keys)
        source, target = self.two()
        services.transfer(
            key=keys[0],
            source_id=source,
            target_id=self.hot if self.plan.random() < 0.3 else target,
            amount=self.amount(),
            owner_id=self.owner,
        )
        return keys[:1]

    def batch(self, keys: list[UUID]) -> list[UUID]:
        from holdfast_wallet import services
        from holdfast_wallet.models import Transfer

        self.plans(keys)
        results = services.post_transfers(requests=[self.request(key) for key in keys])
        return [result.id for result in results if isinstance(result, Transfer)]

    def reserve(self, keys: list[UUID]) -> list[UUID]:
        from holdfast_wallet import services

        self.plans(keys)
        source, target = self.two()
        hold = services.place_hold(key=keys[0], account_id=source, amount=self.amount(), owner_id=self.owner)
        paid = services.capture_hold(
            key=keys[1],
            hold_id=hold.id,
            target_id=target,
            owner_id=self.owner,
            amount=self.plan.choice([None, hold.amount]),
            final=self.plan.random() < 0.5,
        )
        return [paid.id]

    def give_back(self, keys: list[UUID]) -> list[UUID]:
        from holdfast_wallet import services

        self.plans(keys)
        request = self.request(keys[0])
        paid = services.post(journal_id=keys[2], transfers=[request])[0]
        back = services.reverse(key=keys[1], transfer_id=paid.id, owner_id=self.owner)
        return [paid.id, back.id]

    def change(self, keys: list[UUID]) -> list[UUID]:
        from decimal import Decimal

        from holdfast_wallet import services

        self.plans(keys)
        done = services.exchange(
            key=keys[0],
            source_id=self.plan.choice(self.euros),
            target_id=self.plan.choice(self.dollars),
            amount=self.amount(),
            owner_id=self.owner,
            rate=Decimal("1.0837"),
        )
        return [done.debit.id, done.credit.id]

    def sell(self, keys: list[UUID]) -> list[UUID]:
        from holdfast_wallet import services

        self.plans(keys)
        verb = self.plan.choice((services.deposit, services.withdraw))
        account = self.plan.choice(self.euros)
        return [verb(key=keys[0], account_id=account, amount=self.amount(), owner_id=self.owner).id]


def check(path: Path) -> None:
    """Print what the audit finds, and what of the acknowledged is not there exactly once."""
    from holdfast.outbox.models import OutboxEvent
    from holdfast_wallet import services
    from holdfast_wallet.models import Transfer

    services.expire_holds()
    sealed = services.seal()
    findings = [repr(step) for step in services.verify() if isinstance(step, services.Finding)]
    noted = path.with_suffix(".acknowledged").read_text().split()
    stored = set(Transfer.objects.values_list("id", flat=True))
    told = OutboxEvent.objects.filter(type="holdfast_wallet.transfer_posted.v1").count()
    sys.stdout.write(
        json.dumps(
            {
                "acknowledged": len(noted),
                "missing": len({UUID(one) for one in noted} - stored),
                "transfers": len(stored),
                "told": told,
                "sealed": sealed,
                "findings": findings,
            }
        )
    )


def main() -> None:
    """Do what the command line says."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.wallet.settings")
    django.setup()
    what, path = sys.argv[1], Path(sys.argv[2])
    {"open": open_bank, "work": lambda path: Teller(path).work(), "check": check}[what](path)


if __name__ == "__main__":
    main()
