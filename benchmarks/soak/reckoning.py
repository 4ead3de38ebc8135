"""Afterwards: what the clients were told, what the tables say and what the neighbors saw, side by side."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.soak import market_books
from benchmarks.soak.account import Account
from benchmarks.soak.lines import Connection, Line, none, number_of, same

# Nothing of this is left when all is quiet.
WAITING = {
    "events that wait for their reader": """
        SELECT (SELECT count(*) FROM holdfast_outboxevent WHERE NOT routed)
             + (SELECT count(*) FROM holdfast_outboxdelivery)""",
    "notifications that wait": """
        SELECT count(*) FROM holdfast_catalog_notify_delivery WHERE state IN ('pending', 'failed')""",
    "views that wait to be counted": "SELECT count(*) FROM holdfast_catalog_notify_bufferedviews",
    "operations on cards without an outcome": """
        SELECT count(*) FROM holdfast_cards_operation WHERE state NOT IN ('succeeded', 'rejected')""",
    "deposits without the rail's outcome": "SELECT count(*) FROM holdfast_wallet_payment WHERE state = 'pending'",
    "payments of orders without the gateway's answer": """
        SELECT count(*) FROM holdfast_artisan_shop_payment
        WHERE state IN ('authorizing', 'capturing', 'releasing', 'refunding')""",
}
MACHINE = ("measured", "cores", "memory", "python", "django", "psycopg", "celery", "revision")
# Three times PostgreSQL's wal_writer_delay.
HASTY_SECONDS = 0.6
EVENTS = {"holdfast_defects.defect_reported.v1": "create", "holdfast_defects.defect_deleted.v1": "delete"}


@dataclass
class Reckoning:
    """Where to look."""

    database_url: str
    counters: Path
    cards_url: str
    account: Account
    admins: int
    outages: list[tuple[float, float]]

    def lines(self) -> Iterator[Line]:
        """Return the lines, each of which holds or not."""
        yield from self._answers()
        with psycopg.connect(self.database_url) as connection:
            yield from unfinished(connection)
            yield from money(connection, self.account)
            yield from self._defects(connection)
            yield from self._cards(connection)
            yield from self._notifications(connection)
            yield from self._views(connection)
            yield from market_books.lines(connection, self.account)

    def _answers(self) -> Iterator[Line]:
        account = self.account
        quick = sorted(account.milliseconds) or [0.0]
        cuts = ", ".join(f"{share} % in {quick[len(quick) * share // 100]:.0f} ms" for share in (50, 99))
        yield Line("requests", f"{account.statuses.total():,}: {cuts}")
        yield Line("answers", ", ".join(f"{status or 'lost'}: {n:,}" for status, n in sorted(account.statuses.items())))
        yield Line("done", ", ".join(f"{name}: {number:,}" for name, number in sorted(account.done.items())))
        absent = [error for error in account.errors if self._excused(*error[:2])]
        yield Line("5xx while the database was away", str(len(absent)))
        others = [error for error in account.errors if error not in absent]
        yield none("5xx otherwise", len(others), "; ".join(f"{status} {what}" for _, _, status, what in others[:3]))

    def _excused(self, began: float, ended: float) -> bool:
        return any(began <= end and ended >= start for start, end in self.outages)

    def _defects(self, connection: Connection) -> Iterator[Line]:
        rows = connection.execute(
            "SELECT payload->>'user_id', type, count(*) FROM holdfast_outboxevent WHERE type = ANY(%s) GROUP BY 1, 2",
            [list(EVENTS)],
        ).fetchall()
        history = Counter({(user, EVENTS[kind]): number for user, kind, number in rows})
        with sqlite3.connect(self.counters) as connection_of_counters:
            rows = connection_of_counters.execute("SELECT user, action, count FROM counter").fetchall()
        counted = Counter({(user, action): number for user, action, number in rows})
        yield Line(
            "defects acknowledged, in the history, at the counter server",
            f"{self.account.told.total():,} = {history.total():,} = {counted.total():,}, for each user and action",
            +self.account.told == +history == +counted,
        )

    def _cards(self, connection: Connection) -> Iterator[Line]:
        rows = connection.execute("SELECT holder_id::text, count(*) FROM holdfast_cards_card GROUP BY 1").fetchall()
        yield same("cards acknowledged, and ours", dict(self.account.cards), dict(rows), shown=str(len(rows)))
        made = connection.execute(
            "SELECT provider_card_id FROM holdfast_cards_card WHERE provider_card_id IS NOT NULL"
        ).fetchall()
        with urllib.request.urlopen(f"{self.cards_url}/_sandbox/state", timeout=10) as answer:
            state = json.load(answer)
        (provider,) = (one["cards"] for one in state["providers"] if one["name"] == "stripe")
        yield same("cards of ours, and at the provider", {one for (one,) in made}, {one["id"] for one in provider})
        open_ones = "SELECT count(*) FROM holdfast_cards_discrepancy WHERE state = 'open'"
        yield none("cards in which the provider and we do not agree", number_of(connection, open_ones))

    def _notifications(self, connection: Connection) -> Iterator[Line]:
        changes = "SELECT count(*) FROM holdfast_catalog_notify_changeset WHERE door = 'api'"
        changed = number_of(connection, changes)
        acknowledged = self.account.done["prices changed"]
        # The answer of a change may be lost, and the change is not repeated: it is guarded by a version, not by a key.
        lost = self.account.statuses[0] + len(self.account.errors)
        yield Line(
            "price changes acknowledged, and told of",
            f"{acknowledged:,} and {changed:,}",
            acknowledged <= changed <= acknowledged + lost,
        )
        for channel in ("inbox", "email"):
            sent = f"""
                SELECT count(*) FROM holdfast_catalog_notify_delivery d
                JOIN holdfast_catalog_notify_changeset s ON s.id = d.change_set_id
                WHERE s.door = 'api' AND d.state = 'sent' AND d.channel = '{channel}'"""
            wanted = changed * (self.admins - 1)
            yield same(f"other admins to be told, and told by {channel}", wanted, number_of(connection, sent))

    def _views(self, connection: Connection) -> Iterator[Line]:
        rows = connection.execute(
            "SELECT product_id::text, sum(retrieved) FROM holdfast_catalog_notify_dailyviews GROUP BY 1"
        ).fetchall()
        counted = {product: int(number) for product, number in rows if number}
        perhaps = self.account.seen_perhaps
        seen = Counter(product for _, product in self.account.seen)
        # The buffer does not wait for the disk: a crash of PostgreSQL may take the last moments along.
        hasty = Counter(
            product
            for at, product in self.account.seen
            if any(began - HASTY_SECONDS <= at <= end for began, end in self.outages)
        )
        wrong = [
            product
            for product in {*seen, *perhaps, *counted}
            if not seen[product] - hasty[product] <= counted.get(product, 0) <= seen[product] + perhaps[product]
        ]
        told = f"{seen.total():,} and {sum(counted.values()):,}"
        told += f" ({perhaps.total()} without an answer, {hasty.total()} just before a crash of the database)"
        yield Line("products seen by visitors, and counted", told, not wrong)


def unfinished(connection: Connection) -> Iterator[Line]:
    """Return the lines of what must have come to an end."""
    for name, statement in WAITING.items():
        yield none(name, number_of(connection, statement))
    given_up = "SELECT count(*) FROM holdfast_outboxdeadletter"
    yield none("events that were given up", number_of(connection, given_up))


def money(connection: Connection, account: Account) -> Iterator[Line]:
    """Return the lines of the wallet."""
    everywhere = "SELECT coalesce(sum(balance_minor), 0) FROM holdfast_wallet_account WHERE "
    held = number_of(connection, f"{everywhere} owner_id IS NOT NULL OR role = 'fees'")
    name = "cents deposited, and on everybody's accounts and the house's for fees"
    yield same(name, account.deposited_cents, held)
    posted = number_of(connection, "SELECT count(*) FROM holdfast_wallet_transfer WHERE kind = 'transfer'")
    yield same("transfers acknowledged, and posted", account.done["transfers"], posted)
    captured = """
        SELECT count(*) FROM holdfast_wallet_transfer WHERE kind = 'capture'
            AND hold_id NOT IN (SELECT id FROM holdfast_artisan_shop_payment)"""
    name = "captures acknowledged, and posted, but for the market's"
    yield same(name, account.done["captures"], number_of(connection, captured))


def text(lines: list[Line]) -> str:
    """Return the table for the terminal."""
    width = max(len(line.name) for line in lines)
    shown = [f"{' ' if line.holds else '!'} {line.name:<{width}}  {line.value}" for line in lines]
    return "\n".join([*shown, "", "It adds up." if all(line.holds for line in lines) else "IT DOES NOT ADD UP."])


def markdown(lines: list[Line], facts: dict[str, str]) -> str:
    """Return the table for the documents; ``facts`` are of the machine."""
    machine = ", ".join(f"{name} {facts[name]}" for name in MACHINE)
    shown = [(f"{'' if line.holds else '**WRONG** '}{line.name}", line.value) for line in [*lines, Line("on", machine)]]
    rows = [f"| {name} | {' '.join(value.split())} |" for name, value in shown]
    return "\n".join(
        ["<!-- Written by `nox -s soak -- --markdown FILE`; do not edit. -->", "| | |", "|---|---|", *rows, ""]
    )


def waiting(database_url: str) -> dict[str, int]:
    """Return what is not quiet yet."""
    with psycopg.connect(database_url) as connection:
        found = {name: number_of(connection, statement) for name, statement in WAITING.items()}
    return {name: number for name, number in found.items() if number}
