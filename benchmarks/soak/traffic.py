"""Who uses the site meanwhile: customers with wallets and cards who buy at the market, artisans who make and bring what
they ordered, visitors who look around, an admin who changes prices.

Each keeps an account of what was acknowledged. What must happen once carries a key and is repeated until there is an
answer, as a good client does; so an answer that got lost is no excuse for anything.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from benchmarks.soak.account import Account
from benchmarks.soak.market import Artisan, Buyer, Town, Trader, stroll
from benchmarks.soak.person import CENTS, PAUSE_SECONDS, Habit, Person, euros

BROWSER = "Mozilla/5.0 (X11; Linux x86_64)"


class Customer(Buyer):
    """Has a wallet, a card, things that break, and wishes."""

    others: list[str]
    card: str | None = None

    def __init__(self, client: httpx.AsyncClient, account: Account, who: dict[str, Any], seed: int) -> None:
        super().__init__(client, account, who, seed)
        self.wallet: str = who["wallet"]

    async def arrive(self) -> None:
        await self.deposit()

    def habits(self) -> list[Habit]:
        wallet = [self.deposit, self.deposit, self.pay, self.pay, self.pay, self.set_aside, self.read]
        return [*wallet, self.report, self.use_a_card, *self.market_habits()]

    async def deposit(self) -> None:
        cents = self.dice.randint(CENTS, 150 * CENTS)
        body = {"account": self.wallet, "amount": euros(cents)}
        if (await self.insist("POST", "wallet/deposits/", body)).status_code == 201:
            self.account.deposited_cents += cents
            self.count("deposits")

    async def pay(self) -> None:
        target = self.dice.choice(self.others)
        body = {"source": self.wallet, "target": target, "amount": euros(self.dice.randint(1, 20 * CENTS))}
        answer = await self.insist("POST", "wallet/transfers/", body)
        self.count("transfers" if answer.status_code == 201 else "transfers refused")

    async def set_aside(self) -> None:
        body = {"account": self.wallet, "amount": euros(self.dice.randint(1, 10 * CENTS))}
        answer = await self.insist("POST", "wallet/holds/", body)
        if answer.status_code != 201:
            return
        self.count("holds")
        hold = f"wallet/holds/{answer.json()['id']}"
        if self.dice.random() < 0.5:
            target = {"target": self.dice.choice(self.others)}
            if (await self.insist("POST", f"{hold}/capture/", target)).status_code == 201:
                self.count("captures")
        else:
            await self.insist("POST", f"{hold}/release/")

    async def read(self) -> None:
        await self.ask("GET", f"wallet/accounts/{self.wallet}/")
        await self.ask("GET", f"wallet/accounts/{self.wallet}/entries/?page_size=20")
        await self.ask("GET", "me/")

    async def report(self) -> None:
        answer = await self.insist("POST", "defects", {"comment": "It broke in the soak."})
        if answer.status_code == 201:
            self.account.told[self.id, "create"] += 1
            # A second try finds nothing where the first one's answer was lost: gone is gone.
            gone = await self.insist("DELETE", f"defects/{answer.json()['id']}")
            self.account.told[self.id, "delete"] += gone.status_code in (204, 404)
            self.count("defects")

    async def use_a_card(self) -> None:
        if self.card is None:
            answer = await self.insist("POST", "cards/", {"color": self.dice.choice(["pink", "black"])})
            if answer.status_code in (201, 202):
                self.card = answer.json()["id"]
                self.account.cards[self.id] += 1
                self.count("cards")
            return
        verb = self.dice.choice(["activate", "freeze", "unfreeze"])
        await self.insist("POST", f"cards/{self.card}/{verb}/")


class Visitor(Person):
    """Looks at products and at the market, and says to nobody who he is."""

    products: list[str]

    async def arrive(self) -> None:
        self.headers = {"User-Agent": BROWSER}

    def habits(self) -> list[Habit]:
        return [self.look, self.look, self.look, self.browse, self.stroll]

    async def look(self) -> None:
        product = self.dice.choice(self.products)
        answer = await self.ask("GET", f"catalog/products/{product}/")
        if answer is not None and answer.status_code == 200:
            self.account.seen.append((time.monotonic(), product))
        else:
            self.account.seen_perhaps[product] += 1

    async def browse(self) -> None:
        await self.ask("GET", "catalog/products/?page_size=5&ordering=price")

    async def stroll(self) -> None:
        await stroll(self)


class Admin(Person):
    """Changes prices, of which the other admins are told."""

    products: list[str]

    def habits(self) -> list[Habit]:
        return [self.change_a_price]

    async def change_a_price(self) -> None:
        product = f"catalog/products/{self.dice.choice(self.products)}/"
        read = await self.ask("GET", product)
        if read is None or read.status_code != 200:
            return
        body = {"price": euros(self.dice.randint(CENTS, 99 * CENTS))}
        answer = await self.ask("PATCH", product, body, **{"If-Match": read.headers["ETag"]})
        if answer is not None and answer.status_code == 200:
            self.count("prices changed")
        await asyncio.sleep(PAUSE_SECONDS)


# Which of the seeded is whom.
ROLES: dict[str, type[Person]] = {"customers": Customer, "artisans": Artisan, "visitors": Visitor}


async def run(base_url: str, seeded: dict[str, Any], account: Account, seconds: float, seed: int) -> None:
    """Let all of them work for so long."""
    until = time.monotonic() + seconds
    everybody = [(kind, who) for role, kind in ROLES.items() for who in seeded[role]]
    limits = httpx.Limits(max_connections=len(everybody) + 2)
    async with httpx.AsyncClient(base_url=base_url, timeout=60, limits=limits, trust_env=False) as client:
        people = [kind(client, account, who, seed + number) for number, (kind, who) in enumerate(everybody)]
        people.append(Admin(client, account, seeded["admins"][0], seed - 1))
        town, others = Town(), [who["wallet"] for who in seeded["customers"]]
        for person in people:
            if isinstance(person, Trader):
                person.town = town
            if isinstance(person, Customer):
                person.others = others
            if isinstance(person, (Visitor, Admin)):
                person.products = seeded["products"]
        await asyncio.gather(*(person.work(until) for person in people))
