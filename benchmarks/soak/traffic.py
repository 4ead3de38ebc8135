"""Who uses the site meanwhile: customers with wallets and cards, visitors of the catalog, an admin who changes prices.

Nobody buys at the market here: what holds there while processes are killed, its own tests prove.

Each keeps an account of what was acknowledged. What must happen once carries a key and is repeated until there is an
answer, as a good client does; so an answer that got lost is no excuse for anything.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

PAUSE_SECONDS = 0.2
TRIES = 200
BROWSER = "Mozilla/5.0 (X11; Linux x86_64)"
CENTS = 100


@dataclass
class Account:
    """What the clients were told, all of them together."""

    statuses: Counter[int] = field(default_factory=Counter)
    # (when it began, when it ended, status, what) of each answer that was a 5xx.
    errors: list[tuple[float, float, int, str]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    deposited_cents: int = 0
    # (when it was answered, the product) of each anonymous retrieval.
    seen: list[tuple[float, str]] = field(default_factory=list)
    # Anonymous retrievals without an answer: nobody knows whether they were counted.
    seen_perhaps: Counter[str] = field(default_factory=Counter)
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    cards: Counter[str] = field(default_factory=Counter)


class Person:
    """One of them."""

    def __init__(self, client: httpx.AsyncClient, account: Account, who: dict[str, Any], seed: int) -> None:
        self.client, self.account, self.id = client, account, str(who["id"])
        self.headers = {"Authorization": f"Token {who['token']}"}
        self.dice = random.Random(seed)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response | None:
        """Send one request, and return its answer; none where it got lost on the way."""
        began = time.monotonic()
        try:
            answer = await self.client.request(
                method, f"/api/v1/{path}", json=body, headers={**self.headers, **headers}
            )
        except httpx.HTTPError:
            self.account.statuses[0] += 1
            return None
        ended = time.monotonic()
        self.account.statuses[answer.status_code] += 1
        self.account.milliseconds.append(1000 * (ended - began))
        if answer.status_code >= 500:
            self.account.errors.append((began, ended, answer.status_code, f"{method} {path}: {answer.text[:300]}"))
        return answer

    async def insist(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a request under one key until it has an answer."""
        key = str(uuid.uuid4())
        for _ in range(TRIES):
            answer = await self.ask(method, path, body, **{"Idempotency-Key": key, **headers})
            # 409 and the like are answers; that the same request is still running is none.
            if answer is not None and answer.status_code < 500 and not _still_running(answer):
                return answer
            await asyncio.sleep(PAUSE_SECONDS)
        raise RuntimeError(f"{method} {path} has no answer after {TRIES} tries.")

    async def work(self, until: float) -> None:
        """Do something, and something else, for so long."""
        await self.arrive()
        while time.monotonic() < until:
            await self.dice.choice(self.habits())()
            await asyncio.sleep(self.dice.uniform(0, PAUSE_SECONDS))

    async def arrive(self) -> None:
        """Get ready."""

    def habits(self) -> list[Callable[[], Awaitable[None]]]:
        """Return what this person does, each as often as it is in the list."""
        return []


class Customer(Person):
    """Has a wallet, a card, and things that break."""

    others: list[str]
    card: str | None = None

    async def arrive(self) -> None:
        opened = await self.insist("POST", "wallet/accounts/", {"currency": "EUR", "name": "Soak"})
        self.wallet = opened.json()["id"]
        self.others.append(self.wallet)
        await self.deposit()

    def habits(self) -> list[Callable[[], Awaitable[None]]]:
        return [self.deposit, self.pay, self.pay, self.pay, self.set_aside, self.read, self.report, self.use_a_card]

    async def deposit(self) -> None:
        cents = self.dice.randint(1, 50 * CENTS)
        body = {"account": self.wallet, "amount": _euros(cents)}
        if (await self.insist("POST", "wallet/deposits/", body)).status_code == 201:
            self.account.deposited_cents += cents
            self.account.done["deposits"] += 1

    async def pay(self) -> None:
        target = self.dice.choice(self.others)
        body = {"source": self.wallet, "target": target, "amount": _euros(self.dice.randint(1, 20 * CENTS))}
        answer = await self.insist("POST", "wallet/transfers/", body)
        self.account.done["transfers" if answer.status_code == 201 else "transfers refused"] += 1

    async def set_aside(self) -> None:
        body = {"account": self.wallet, "amount": _euros(self.dice.randint(1, 10 * CENTS))}
        answer = await self.insist("POST", "wallet/holds/", body)
        if answer.status_code != 201:
            return
        hold = f"wallet/holds/{answer.json()['id']}"
        if self.dice.random() < 0.5:
            await self.insist("POST", f"{hold}/capture/", {"target": self.dice.choice(self.others)})
        else:
            await self.insist("POST", f"{hold}/release/")
        self.account.done["holds"] += 1

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
            self.account.done["defects"] += 1

    async def use_a_card(self) -> None:
        if self.card is None:
            answer = await self.insist("POST", "cards/", {"color": self.dice.choice(["pink", "black"])})
            if answer.status_code in (201, 202):
                self.card = answer.json()["id"]
                self.account.cards[self.id] += 1
                self.account.done["cards"] += 1
            return
        verb = self.dice.choice(["activate", "freeze", "unfreeze"])
        await self.insist("POST", f"cards/{self.card}/{verb}/")


class Visitor(Person):
    """Looks at products, and says to nobody who he is."""

    products: list[str]

    async def arrive(self) -> None:
        self.headers = {"User-Agent": BROWSER}

    def habits(self) -> list[Callable[[], Awaitable[None]]]:
        return [self.look, self.look, self.look, self.browse]

    async def look(self) -> None:
        product = self.dice.choice(self.products)
        answer = await self.ask("GET", f"catalog/products/{product}/")
        if answer is not None and answer.status_code == 200:
            self.account.seen.append((time.monotonic(), product))
        else:
            self.account.seen_perhaps[product] += 1

    async def browse(self) -> None:
        await self.ask("GET", "catalog/products/?page_size=5&ordering=price")


class Admin(Person):
    """Changes prices, of which the other admins are told."""

    products: list[str]

    def habits(self) -> list[Callable[[], Awaitable[None]]]:
        return [self.change_a_price]

    async def change_a_price(self) -> None:
        product = f"catalog/products/{self.dice.choice(self.products)}/"
        read = await self.ask("GET", product)
        if read is None or read.status_code != 200:
            return
        body = {"price": _euros(self.dice.randint(CENTS, 99 * CENTS))}
        answer = await self.ask("PATCH", product, body, **{"If-Match": read.headers["ETag"]})
        if answer is not None and answer.status_code == 200:
            self.account.done["prices changed"] += 1
        await asyncio.sleep(PAUSE_SECONDS)


async def run(base_url: str, seeded: dict[str, Any], account: Account, seconds: float, seed: int) -> None:
    """Let all of them work for so long."""
    until = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=len(seeded["users"]) + 2)
    async with httpx.AsyncClient(base_url=base_url, timeout=60, limits=limits, trust_env=False) as client:
        others: list[str] = []
        people: list[Person] = []
        for number, who in enumerate(seeded["users"]):
            # Of four, three have a wallet and one looks around.
            person: Person = (Visitor if number % 4 == 3 else Customer)(client, account, who, seed + number)
            people.append(person)
        people.append(Admin(client, account, seeded["admins"][0], seed - 1))
        for person in people:
            if isinstance(person, Customer):
                person.others = others
            elif isinstance(person, (Visitor, Admin)):
                person.products = seeded["products"]
        await asyncio.gather(*(person.work(until) for person in people))


def _euros(cents: int) -> dict[str, str]:
    return {"amount": f"{cents // CENTS}.{cents % CENTS:02}", "currency": "EUR"}


def _still_running(answer: httpx.Response) -> bool:
    return answer.status_code == 409 and answer.json().get("code") == "holdfast.request_still_running"
