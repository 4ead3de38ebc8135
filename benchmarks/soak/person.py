"""Somebody who uses the site over its API."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from benchmarks.soak.account import Account

PAUSE_SECONDS = 0.2
# A request that died with the database holds its key for a minute.
PATIENCE_SECONDS = 180.0
CENTS = 100

Habit = Callable[[], Awaitable[None]]


class Person:
    """One of them. What must happen once carries a key and is repeated until there is an answer."""

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
        key, patience = str(uuid.uuid4()), time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < patience:
            answer = await self.ask(method, path, body, **{"Idempotency-Key": key, **headers})
            # 409 and the like are answers; that the same request is still running is none.
            if answer is not None and answer.status_code < 500 and not _still_running(answer):
                return answer
            await asyncio.sleep(PAUSE_SECONDS)
        raise RuntimeError(f"{method} {path} has no answer after {PATIENCE_SECONDS:g} s.")

    async def page(self, path: str) -> list[Any]:
        """Return the rows of a page; none where there is no answer."""
        answer = await self.ask("GET", path)
        rows: list[Any] = answer.json()["results"] if answer is not None and answer.status_code == 200 else []
        return rows

    async def one_of(self, path: str) -> Any:
        """Return one row of a page, whichever; none where there is none."""
        rows = await self.page(path)
        return self.dice.choice(rows) if rows else None

    async def work(self, until: float) -> None:
        """Do something, and something else, for so long."""
        await self.arrive()
        while time.monotonic() < until:
            await self.dice.choice(self.habits())()
            await asyncio.sleep(self.dice.uniform(0, PAUSE_SECONDS))

    async def arrive(self) -> None:
        """Get ready."""

    def habits(self) -> list[Habit]:
        """Return what this person does, each as often as it is in the list."""
        return []

    def count(self, what: str) -> None:
        """Note that something was done."""
        self.account.done[what] += 1


def euros(cents: int) -> dict[str, str]:
    """Return an amount as the API takes it."""
    return {"amount": f"{cents // CENTS}.{cents % CENTS:02}", "currency": "EUR"}


def cents_of(amount: dict[str, str]) -> int:
    """Return an amount that the API gave."""
    whole, _, rest = amount["amount"].partition(".")
    return int(whole) * CENTS + int(rest.ljust(2, "0")[:2])


def _still_running(answer: httpx.Response) -> bool:
    return answer.status_code == 409 and answer.json().get("code") == "holdfast.request_still_running"
