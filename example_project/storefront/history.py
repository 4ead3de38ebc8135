"""The ledger's entries in words: who, what, when."""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.utils import timezone

from holdfast.money import Money, from_minor
from holdfast_wallet import selectors
from people.selectors import names_of
from storefront.charts import Point

CHART_ENTRIES = 500
CSV_CHUNK = 500


@dataclass(frozen=True)
class Line:
    """One entry, as a person reads it."""

    icon: str
    title: str
    detail: str
    amount: Money
    balance: Money
    at: dt.datetime
    booked_at: dt.datetime
    transfer_id: UUID
    version: int

    @property
    def is_dated(self) -> bool:
        """Whether it counts from another day than that of its booking."""
        return timezone.localdate(self.at) != timezone.localdate(self.booked_at)


def lines(entries: Iterable[Any]) -> list[Line]:
    """Return entries in words; whatever all of them need is read at once, unless it has been read with them."""
    rows = list(entries)
    prefetch_related_objects(rows, "counterparty", "transfer")
    names = names_of(row.counterparty.owner_id for row in rows if row.counterparty.owner_id)
    return [_line(row, names) for row in rows]


def readable(entries: Any) -> Any:
    """Return a queryset of entries with what their words need."""
    return entries.select_related("counterparty", "transfer")


def _line(entry: Any, names: dict[int, str]) -> Line:
    came = entry.amount_minor > 0
    who = names.get(entry.counterparty.owner_id, "")
    return Line(
        icon=_ICONS.get(entry.kind, "receive" if came else "send"),
        title=_title(entry.kind, who, came=came),
        detail=str(entry.transfer.metadata.get("note") or _DETAILS.get(entry.kind, "")),
        amount=entry.amount,
        balance=entry.balance,
        at=entry.effective_at,
        booked_at=entry.recorded_at,
        transfer_id=entry.transfer_id,
        version=entry.version,
    )


_ICONS = {
    "deposit": "bank",
    "withdrawal": "bank",
    "exchange": "swap",
    "fee": "cash",
    "reversal": "undo",
    "capture": "hold",
}
_TITLES = {"deposit": "Top up", "withdrawal": "Paid out", "exchange": "Exchange", "fee": "Fee"}
_DETAILS = {
    "deposit": "From your bank",
    "withdrawal": "To your bank",
    "exchange": "Between your accounts",
    "capture": "From money set aside",
    "reversal": "Given back",
}


def _title(kind: str, who: str, *, came: bool) -> str:
    if kind in _TITLES:
        return _TITLES[kind]
    if not who:
        return "Received" if came else "Sent"
    return f"From {who}" if came else f"To {who}"


def recent_points(*, account: Any, owner_id: int, since: dt.datetime) -> list[Point]:
    """Return an account's balance over time, from ``since`` to now, for its chart."""
    entries = list(
        selectors.entries(account_id=account.id, owner_id=owner_id).filter(effective_at__gte=since)[:CHART_ENTRIES]
    )
    now = timezone.now()
    if not entries:
        return [Point(since, account.balance), Point(now, account.balance)]
    entries.reverse()
    opening = from_minor(entries[0].balance_minor - entries[0].amount_minor, account.currency)
    points = [Point(since if len(entries) < CHART_ENTRIES else entries[0].effective_at, opening)]
    for entry in entries:
        # Recorded order is the ledger's truth; what was backdated into it must not make the line run backwards.
        points.append(Point(max(entry.effective_at, points[-1].at), entry.balance))
    return [*points, Point(max(now, points[-1].at), account.balance)]


class _Echo:
    """A file that gives back what is written to it: ``csv`` then makes lines for a streamed answer."""

    def write(self, text: str) -> str:
        return text


def statement_csv(statement: Any) -> Iterator[str]:
    """Yield a statement as CSV, a chunk of entries at a time."""
    writer = csv.writer(_Echo())
    yield writer.writerow(["booked", "value date", "what", "note", "amount", "balance", "currency", "transfer"])
    yield writer.writerow(
        [statement.start.isoformat(), "", "Opening balance", "", "", statement.opening.amount, _code(statement), ""]
    )
    entries = iter(statement.lines())
    while chunk := list(islice(entries, CSV_CHUNK)):
        for line in lines(chunk):
            yield writer.writerow(
                [
                    line.booked_at.isoformat(),
                    line.at.date().isoformat(),
                    _inert(line.title),
                    _inert(line.detail),
                    line.amount.amount,
                    line.balance.amount,
                    _code(statement),
                    line.transfer_id,
                ]
            )
    yield writer.writerow(
        [statement.end.isoformat(), "", "Closing balance", "", "", statement.closing.amount, _code(statement), ""]
    )


def _code(statement: Any) -> str:
    return str(statement.account.currency)


def _inert(text: str) -> str:
    # A note that begins like this would run as a formula when the file is opened in a spreadsheet.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
