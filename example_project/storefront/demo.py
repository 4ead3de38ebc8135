"""The story that the demo tells: a town by the sea, its artisans, its customers, half a year of their money.

The same story each time (a seeded random and keys made of names), told through the public verbs: what the demo shows
is what an application would have got. Only the people are written at once: they share a password, and its hash, which
takes a tenth of a second of work by intention, is the same for all.
"""

import datetime as dt
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from holdfast.money import Money
from holdfast_wallet import services
from people import selectors as people_selectors
from people.exceptions import PersonNotFound
from people.models import User
from people.states import Role

PASSWORD = "holdfast-demo"  # noqa: S105 - printed on the first page of the demo
ADMIN = "admin"
DAYS = 180
# What a customer keeps back from everyday life, for what the rest of the story has everybody pay: whichever day it is
# told on, a salary ago or the rent yesterday, there is enough.
RESERVE = Decimal(900)
_NAMES = UUID("0192f3a0-5f5e-7c1d-9b1e-6b6f7a646d6f")


@dataclass(frozen=True)
class Customer:
    """Somebody who buys."""

    username: str
    first_name: str
    last_name: str
    salary: int
    accounts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Artisan:
    """Somebody who makes things; ``wares`` are what customers' notes say, and what it costs."""

    username: str
    first_name: str
    last_name: str
    wares: tuple[tuple[str, int, int], ...]


CUSTOMERS = [
    Customer("ada", "Ada", "Moreau", 2450, (("USD", "Travel"), ("JPY", "Tokyo in spring"))),
    Customer("ben", "Ben", "Okafor", 2180, (("GBP", "London"),)),
    Customer("clara", "Clara", "Lindqvist", 3120, (("CHF", "Mountain hut"),)),
    Customer("emi", "Emi", "Tanaka", 2760, (("JPY", "Family"),)),
    Customer("farid", "Farid", "Haddad", 1980),
    Customer("nora", "Nora", "Petersen", 2890, (("USD", "Old savings"),)),
]
ARTISANS = [
    Artisan("greta", "Greta", "Holm", (("Stoneware jug", 36, 58), ("Six tea bowls", 72, 96), ("Small vase", 18, 29))),
    Artisan("hugo", "Hugo", "Ferrand", (("Bread and a brioche", 8, 14), ("Birthday cake", 32, 48), ("Rye loaf", 5, 7))),
    Artisan("ines", "Inês", "Duarte", (("Wool throw", 88, 134), ("Tea towels", 22, 34))),
    Artisan("jonas", "Jonas", "Weber", (("Notebook, bound by hand", 24, 38), ("Repair of an atlas", 60, 110))),
    Artisan("kira", "Kira", "Novak", (("Two tumblers", 28, 44), ("Lamp shade, blown", 95, 160))),
    Artisan("luca", "Luca", "Bianchi", (("New strings, setting up", 40, 65), ("Ukulele class", 18, 24))),
]
FRIENDLY = [
    "Dinner on Friday",
    "Your half of the ferry",
    "Concert tickets",
    "Thank you!",
    "Groceries",
    "The bet you won",
]


def key(*words: object) -> UUID:
    """Return the key of one thing in the story: the same in each telling."""
    return uuid5(_NAMES, " ".join(map(str, words)))


def register(people: Iterable[tuple[Any, Role]], password_hash: str) -> dict[str, User]:
    """Give people accounts that share a password, and return them by their names."""
    users = [
        User(
            username=person.username,
            email=f"{person.username}@example.org",
            password=password_hash,
            role=role,
            first_name=person.first_name,
            last_name=person.last_name,
        )
        for person, role in people
    ]
    return {user.username: user for user in User.objects.bulk_create(users)}


def is_told() -> bool:
    """Tell whether the story is in this database."""
    try:
        people_selectors.find_person(CUSTOMERS[0].username)
    except PersonNotFound:
        return False
    return True


class Story:
    """One telling; ``progress`` hears how far it has come."""

    def __init__(self, progress: Callable[[str, int, int], None]) -> None:
        self.progress = progress
        self.random = random.Random(20_261_120)  # noqa: S311 - a story, not a secret
        self.now = timezone.now()
        self.people: dict[str, User] = {}
        self.accounts: dict[tuple[str, str], Any] = {}
        self.purse: dict[str, Decimal] = {}

    def tell(self) -> None:
        """Tell all of it. The past is one transaction: after an interruption there is either all of it or nothing."""
        with transaction.atomic():
            self._gather_people()
            self._open_accounts()
            self._tell_the_past()
            self._tell_special_cases()
        self._tell_the_present()

    def _gather_people(self) -> None:
        everybody: list[tuple[Customer | Artisan, Role]] = [(person, Role.CUSTOMER) for person in CUSTOMERS]
        everybody += [(person, Role.ARTISAN) for person in ARTISANS]
        password_hash = make_password(PASSWORD)
        self.people = register(everybody, password_hash)
        if not User.objects.filter(username=ADMIN).exists():
            User.objects.create_superuser(ADMIN, f"{ADMIN}@example.org", first_name="Ane", last_name="Keeper")
            User.objects.filter(username=ADMIN).update(password=password_hash)
        self.progress("People", len(everybody), len(everybody))

    def _open_accounts(self) -> None:
        wanted = [(person.username, "EUR", "Everyday") for person in CUSTOMERS]
        wanted += [(person.username, "EUR", "Workshop") for person in ARTISANS]
        wanted += [(person.username, currency, name) for person in CUSTOMERS for currency, name in person.accounts]
        for done, (username, currency, name) in enumerate(wanted, 1):
            overdraft = Money(300, currency) if username == "farid" else Money(0, currency)
            self.accounts[username, currency] = services.open_account(
                owner_id=self.people[username].pk, currency=currency, name=name, overdraft_limit=overdraft
            )
            self.progress("Accounts", done, len(wanted))
        for role in ("cash_in", "cash_out", "fees", "fx"):
            for currency in ("EUR", "USD", "GBP", "CHF", "JPY"):
                services.open_system_account(role=role, currency=currency)

    def _tell_the_past(self) -> None:
        for day in range(DAYS, 0, -1):
            for moment, act in sorted(self._acts(day), key=lambda found: found[0]):
                act(moment)
            self.progress("Days of history", DAYS - day + 1, DAYS)

    def _acts(self, day: int) -> Iterator[tuple[dt.datetime, Callable[[dt.datetime], None]]]:
        date = self.now - dt.timedelta(days=day)
        for customer in CUSTOMERS:
            if day == DAYS or date.day == 1:
                yield self._at(date, 6), partial(self._earn, customer)
            if date.day == 3:
                yield self._at(date, 7), partial(self._spend, customer, "Rent", 46, 46)
            if date.day == 20:
                yield self._at(date, 7), partial(self._spend, customer, "Savings", 10, 16)
            if date.weekday() == 5:
                yield self._at(date, 11), partial(self._spend, customer, "Groceries", 3, 6)
            if self.random.random() < 0.34:
                yield self._at(date, 9), partial(self._buy, customer)
            if self.random.random() < 0.05:
                yield self._at(date, 18), partial(self._share, customer)
        if date.weekday() == 4:
            for artisan in ARTISANS:
                yield self._at(date, 17), partial(self._take_home, artisan)

    def _at(self, date: dt.datetime, hour: int) -> dt.datetime:
        minutes = self.random.randrange(120)
        return date.replace(hour=hour, minute=0, second=0, microsecond=0) + dt.timedelta(minutes=minutes)

    def _earn(self, customer: Customer, at: dt.datetime) -> None:
        amount = Decimal(customer.salary)
        self._deposit(customer.username, amount, "Salary", at)

    def _deposit(self, username: str, amount: Decimal, note: str, at: dt.datetime) -> None:
        services.deposit(
            key=key("deposit", username, at.date(), note),
            account_id=self.accounts[username, "EUR"].id,
            amount=Money(amount, "EUR"),
            owner_id=self.people[username].pk,
            effective_at=at,
            metadata={"note": note},
        )
        self.purse[username] = self.purse.get(username, Decimal(0)) + amount

    def _spend(self, customer: Customer, note: str, low: int, high: int, at: dt.datetime) -> None:
        share = Decimal(self.random.randint(low * 100, high * 100)) / 10_000
        amount = (customer.salary * share).quantize(Decimal("0.1"))
        if self.purse.get(customer.username, Decimal(0)) >= amount + RESERVE:
            self._withdraw(customer.username, amount, note, at)

    def _buy(self, customer: Customer, at: dt.datetime) -> None:
        artisan = self.random.choice(ARTISANS)
        ware, low, high = self.random.choice(artisan.wares)
        amount = Decimal(self.random.randrange(low * 100, high * 100, 50)) / 100
        self._pay(customer.username, artisan.username, amount, ware, at)

    def _share(self, customer: Customer, at: dt.datetime) -> None:
        friend = self.random.choice([other for other in CUSTOMERS if other is not customer])
        amount = Decimal(self.random.randrange(600, 6500, 50)) / 100
        self._pay(customer.username, friend.username, amount, self.random.choice(FRIENDLY), at)

    def _pay(self, payer: str, payee: str, amount: Decimal, note: str, at: dt.datetime) -> None:
        if self.purse.get(payer, Decimal(0)) < amount + RESERVE:
            return
        services.transfer(
            key=key("pay", payer, payee, at, note),
            source_id=self.accounts[payer, "EUR"].id,
            target_id=self.accounts[payee, "EUR"].id,
            amount=Money(amount, "EUR"),
            owner_id=self.people[payer].pk,
            effective_at=at,
            metadata={"note": note},
        )
        self.purse[payer] -= amount
        self.purse[payee] = self.purse.get(payee, Decimal(0)) + amount

    def _take_home(self, artisan: Artisan, at: dt.datetime) -> None:
        amount = (self.purse.get(artisan.username, Decimal(0)) * Decimal("0.55")).quantize(Decimal(1))
        if amount < 20:
            return
        self._withdraw(artisan.username, amount, "Weekly takings", at)

    def _withdraw(self, username: str, amount: Decimal, note: str, at: dt.datetime) -> None:
        services.withdraw(
            key=key("withdraw", username, at, note),
            account_id=self.accounts[username, "EUR"].id,
            amount=Money(amount, "EUR"),
            owner_id=self.people[username].pk,
            effective_at=at,
            metadata={"note": note},
        )
        self.purse[username] -= amount

    def _tell_special_cases(self) -> None:
        """Tell what does not happen each day: other currencies, a return, a frozen and a closed account."""
        for username, currency, amount in [
            ("ada", "JPY", 150),
            ("ben", "GBP", 210),
            ("clara", "CHF", 400),
            ("emi", "JPY", 500),
        ]:
            services.exchange(
                key=key("exchange", username, currency),
                source_id=self.accounts[username, "EUR"].id,
                target_id=self.accounts[username, currency].id,
                amount=Money(amount, "EUR"),
                owner_id=self.people[username].pk,
            )
        services.deposit(
            key=key("deposit", "ada", "USD"),
            account_id=self.accounts["ada", "USD"].id,
            amount=Money("320.00", "USD"),
            owner_id=self.people["ada"].pk,
            metadata={"note": "From Aunt June"},
        )
        nora, ines = self.people["nora"].pk, self.people["ines"].pk
        services.deposit(
            key=key("deposit", "nora", "USD"),
            account_id=self.accounts["nora", "USD"].id,
            amount=Money("1250.00", "USD"),
            owner_id=nora,
            metadata={"note": "From the old bank"},
        )
        services.freeze_account(
            account_id=self.accounts["nora", "USD"].id, owner_id=nora, reason="Papers of the old bank are missing"
        )
        paid = services.transfer(
            key=key("returned", "ben", "ines"),
            source_id=self.accounts["ben", "EUR"].id,
            target_id=self.accounts["ines", "EUR"].id,
            amount=Money("118.00", "EUR"),
            owner_id=self.people["ben"].pk,
            metadata={"note": "Wool throw, green"},
        )
        services.reverse(
            key=key("reversal", "ben", "ines"),
            transfer_id=paid.id,
            owner_id=ines,
            amount=Money("59.00", "EUR"),
            reason="One corner was torn",
            metadata={"note": "One corner was torn: half of it back"},
        )
        spare = services.open_account(owner_id=self.people["clara"].pk, currency="EUR", name="Boat, sold")
        services.close_account(account_id=spare.id, owner_id=self.people["clara"].pk)

    def _tell_the_present(self) -> None:
        """Tell of holds in every state, and of payments through the rail, which want no transaction around them."""

        def in_days(days: int) -> dt.datetime:
            return self.now + dt.timedelta(days=days)

        self._hold("ada", "84.00", "Order at Greta’s: tea bowls", in_days(6), owner_may_end=False)
        self._hold("ada", "260.00", "Ferry in August", in_days(60))
        self._hold("emi", "45.00", "Lamp shade, deposit", in_days(3))
        partly = self._hold("clara", "150.00", "Wool throw, two parts", in_days(20))
        whole = self._hold("ben", "38.00", "Notebook for Mum", in_days(5))
        freed = self._hold("farid", "24.00", "Ukulele class", in_days(2))
        captures: list[tuple[str, Any, str, Money | None, bool]] = [
            ("partly", partly, "ines", Money("75.00", "EUR"), False),
            ("whole", whole, "jonas", None, True),
        ]
        for name, hold, payee, amount, final in captures:
            services.capture_hold(
                key=key("capture", name),
                hold_id=hold.id,
                target_id=self.accounts[payee, "EUR"].id,
                owner_id=hold.account.owner_id,
                amount=amount,
                final=final,
            )
        services.release_hold(hold_id=freed.id, owner_id=freed.account.owner_id)
        self._hold("nora", "52.00", "Birthday cake, never ordered", timezone.now() + dt.timedelta(seconds=0.2))
        time.sleep(0.25)
        services.expire_holds(limit=100)
        for username, paid_in in [("ada", "150.00"), ("ben", "80.00")]:
            services.request_deposit(
                key=key("payment", username),
                account_id=self.accounts[username, "EUR"].id,
                amount=Money(paid_in, "EUR"),
                owner_id=self.people[username].pk,
            )

    def _hold(
        self, username: str, amount: str, note: str, expires_at: dt.datetime, *, owner_may_end: bool = True
    ) -> Any:
        return services.place_hold(
            key=key("hold", username, note),
            account_id=self.accounts[username, "EUR"].id,
            amount=Money(amount, "EUR"),
            owner_id=self.people[username].pk,
            expires_at=expires_at,
            metadata={"note": note},
            owner_may_end=owner_may_end,
        )
