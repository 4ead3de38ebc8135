"""Reads with a name. As the verbs do, they take the scope: outside it nothing exists."""

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.core.cache import cache
from django.db import connections, router
from django.db.models import F, Min, Q, QuerySet, Sum
from django.utils import timezone

from holdfast.health.figures import Figure, counted, seconds_since
from holdfast.money import Money, from_minor
from holdfast.prepared import Statement as Prepared
from holdfast_wallet.exceptions import (
    AccountIsSplit,
    AccountNotFound,
    HoldNotFound,
    MalformedRequest,
    PaymentNotFound,
    TransferNotFound,
)
from holdfast_wallet.models import Account, Entry, Hold, Payment, Seal, Transfer
from holdfast_wallet.ports import OwnerId
from holdfast_wallet.states import HoldState, PaymentState, SystemRole

logger = logging.getLogger("holdfast_wallet")

VERIFIED_KEY = "holdfast_wallet:verified"


def get_account(*, account_id: UUID, owner_id: OwnerId) -> Account:
    """Return one of the owner's accounts. Raises ``AccountNotFound``."""
    account = Account.objects.filter(id=account_id, owner_id=owner_id).first()
    if account is None:
        raise AccountNotFound(account_id=str(account_id))
    return account


def accounts_of(*, owner_id: OwnerId) -> QuerySet[Account]:
    """Return the owner's accounts, the oldest first; for the house each account once, not its slots."""
    return Account.objects.filter(owner_id=owner_id, slot_of=None).order_by("id")


def default_account(*, owner_id: OwnerId, currency: str) -> Account:
    """Return the owner's first account in a currency. Raises ``AccountNotFound``."""
    account = Account.objects.filter(owner_id=owner_id, currency=currency, is_default=True).first()
    if account is None:
        raise AccountNotFound(currency=currency)
    return account


def system_account(*, role: str, currency: str) -> Account:
    """Return the house's account for a role and a currency. Raises ``AccountNotFound``."""
    account = Account.objects.filter(role=role, currency=currency, slot_of=None).first()
    if account is None:
        raise AccountNotFound(role=role, currency=currency)
    return account


def get_transfer(*, transfer_id: UUID, owner_id: OwnerId, using: str | None = None) -> Transfer:
    """Return a transfer that touched one of the owner's accounts. Raises ``TransferNotFound``."""
    transfer = (
        Transfer.objects.using(using)
        .select_related("source", "target")
        .filter(Q(source__owner_id=owner_id) | Q(target__owner_id=owner_id), id=transfer_id)
        .first()
    )
    if transfer is None:
        raise TransferNotFound(transfer_id=str(transfer_id))
    return transfer


def transfers_of(*, owner_id: OwnerId) -> QuerySet[Transfer]:
    """Return the transfers that touched the owner's accounts, the newest first."""
    # The ids themselves: with a subquery in an OR, PostgreSQL walks the whole ledger for the few transfers of one
    # owner.
    mine = list(Account.objects.filter(owner_id=owner_id).values_list("id", flat=True))
    return Transfer.objects.filter(Q(source__in=mine) | Q(target__in=mine)).order_by("-number")


def journal(*, journal_id: UUID) -> QuerySet[Transfer]:
    """Return the transfers of one business event, in the order in which they were posted."""
    # A transfer that is alone carries its own id, and is not in the journal's index.
    return Transfer.objects.filter(Q(id=journal_id) | Q(journal_id=journal_id) & ~Q(journal_id=F("id"))).order_by(
        "number"
    )


def reversible(transfer: Transfer) -> Money:
    """Return what of a transfer has not been reversed yet."""
    # Where the transfer itself was read: a replica may not have its latest reversal.
    read_from = transfer._state.db  # noqa: SLF001 - what Django documents
    reversals = Transfer.objects.using(read_from).filter(reverses_id=transfer.id)
    reversed_minor = reversals.aggregate(sum=Sum("amount_minor"))["sum"] or 0
    return from_minor(transfer.amount_minor - reversed_minor, transfer.currency)


def entries(*, account_id: UUID, owner_id: OwnerId) -> QuerySet[Entry]:
    """Return the lines of an account, the newest first. Raises ``AccountNotFound``, ``AccountIsSplit``."""
    return _entries(_whole_account(account_id=account_id, owner_id=owner_id))


def balance_at(*, account_id: UUID, owner_id: OwnerId, at: dt.datetime, effective: bool = False) -> Money:
    """Return what was on an account at a moment: as it was recorded then, or by when transfers are effective.

    Raises ``AccountNotFound``, ``MalformedRequest``.
    """
    account = get_account(account_id=account_id, owner_id=owner_id)
    parts = account.slot_accounts.order_by("id") if account.is_split else [account]
    return from_minor(sum(_balance_at(part, at, effective=effective) for part in parts), account.currency)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """An account's lines in a period, from its ``start`` and before its ``end``, between two balances."""

    account: Account
    start: dt.datetime
    end: dt.datetime
    opening: Money
    closing: Money
    first_version: int
    last_version: int

    @property
    def line_count(self) -> int:
        """How many lines there are."""
        return self.last_version - self.first_version

    def entries(self) -> QuerySet[Entry]:
        """Return the lines, the oldest first."""
        lines = _entries(self.account).filter(version__gt=self.first_version, version__lte=self.last_version)
        return lines.order_by("version")

    def lines(self, *, chunk_size: int = 1_000) -> Iterator[Entry]:
        """Yield the lines, the oldest first, however many there are."""
        version = self.first_version
        while version < self.last_version:
            upto = min(version + chunk_size, self.last_version)
            yield from _entries(self.account).filter(version__gt=version, version__lte=upto).order_by("version")
            version = upto

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield headings and lines as the plain text of a file's columns."""
        yield (
            "recorded_at",
            "effective_at",
            "kind",
            "transfer",
            "transaction",
            "other_account",
            "amount",
            "balance",
            "currency",
        )
        for line in self.lines():
            yield (
                line.recorded_at.isoformat(),
                line.effective_at.isoformat(),
                line.kind,
                str(line.transfer_id),
                str(line.journal_id),
                str(line.counterparty_id),
                str(line.amount.amount),
                str(line.balance.amount),
                line.currency,
            )


def statement(*, account_id: UUID, owner_id: OwnerId, start: dt.datetime, end: dt.datetime) -> Statement:
    """Return the statement of an account for the period [start, end), by when transfers were recorded.

    Periods that follow each other have each line once. The lines are those of gapless versions, so opening balance
    and lines always add up to the closing balance.

    Raises ``AccountNotFound``, ``AccountIsSplit``, ``MalformedRequest``.
    """
    if start > end:
        raise MalformedRequest("A statement starts before it ends.")
    account = _whole_account(account_id=account_id, owner_id=owner_id)
    (first, opening), (last, closing) = _point_at(account, start, "<"), _point_at(account, end, "<")
    return Statement(
        account=account,
        start=start,
        end=end,
        opening=from_minor(opening, account.currency),
        closing=from_minor(closing, account.currency),
        first_version=first,
        last_version=last,
    )


def get_hold(*, hold_id: UUID, owner_id: OwnerId, using: str | None = None) -> Hold:
    """Return a hold on one of the owner's accounts. Raises ``HoldNotFound``."""
    hold = Hold.objects.using(using).filter(id=hold_id, account__owner_id=owner_id).first()
    if hold is None:
        raise HoldNotFound(hold_id=str(hold_id))
    return hold


def holds_of(*, owner_id: OwnerId, account_id: UUID | None = None) -> QuerySet[Hold]:
    """Return the holds on the owner's accounts, or on one of them, the newest first."""
    holds = Hold.objects.filter(account__owner_id=owner_id)
    return (holds if account_id is None else holds.filter(account_id=account_id)).order_by("-created_at", "-id")


def get_payment(*, payment_id: UUID, owner_id: OwnerId) -> Payment:
    """Return a payment to or from one of the owner's accounts. Raises ``PaymentNotFound``."""
    payment = Payment.objects.filter(id=payment_id, account__owner_id=owner_id).first()
    if payment is None:
        raise PaymentNotFound(payment_id=str(payment_id))
    return payment


def payments_of(*, owner_id: OwnerId) -> QuerySet[Payment]:
    """Return the owner's payments, the newest first."""
    return Payment.objects.filter(account__owner_id=owner_id).order_by("-created_at", "-id")


def due_payments(*, now: dt.datetime) -> QuerySet[Payment]:
    """Return the pending payments about which the rail should be asked, the longest unasked first."""
    return Payment.objects.filter(state=PaymentState.PENDING, next_poll_at__lte=now).order_by("next_poll_at")


def last_seal() -> Seal | None:
    """Return the newest link of the hash chain, if anything was sealed yet."""
    return Seal.objects.order_by("-id").first()


@dataclass(frozen=True, kw_only=True)
class Verification:
    """An audit of the whole ledger: when it ended, and how much it found."""

    at: dt.datetime
    findings: int


def last_verification() -> Verification | None:
    """Return the last audit, as far as the host's cache remembers it."""
    try:
        known: tuple[dt.datetime, int] | None = cache.get(VERIFIED_KEY)
    except Exception:  # whatever a cache raises that is down
        logger.exception("The cache does not answer.")
        return None
    return None if known is None else Verification(at=known[0], findings=known[1])


def figures() -> list[Figure]:
    """Return what whoever watches should know: what waits, whether the ledger is right, and whose the money is."""
    pending, due = Payment.objects.filter(state=PaymentState.PENDING), Hold.objects.filter(state=HoldState.OPEN)
    seal = last_seal()
    unsealed = Transfer.objects.filter(number__gt=seal.last_number if seal else 0)
    oldest = unsealed.order_by("number").values_list("recorded_at", flat=True).first()
    told = [
        Figure(name="payments_pending", description="Payments that the rail has not settled.", value=counted(pending)),
        Figure(
            name="payments_late_seconds",
            description="How long the rail should have been asked about a payment.",
            value=seconds_since(pending.aggregate(first=Min("next_poll_at"))["first"]),
        ),
        Figure(
            name="holds_late_seconds",
            description="How long a hold is open whose time is over.",
            value=seconds_since(due.aggregate(first=Min("expires_at"))["first"]),
        ),
        Figure(name="unsealed", description="Transfers that are not sealed yet.", value=counted(unsealed)),
        Figure(
            name="unsealed_seconds",
            description="Age of the oldest transfer that is not sealed yet.",
            value=seconds_since(oldest),
        ),
        *_positions(),
    ]
    if verified := last_verification():
        told += [
            Figure(name="findings", description="What the last audit found to be wrong.", value=verified.findings),
            Figure(
                name="verified_seconds",
                description="How long ago the last audit ended.",
                value=seconds_since(verified.at),
            ),
        ]
    return told


def _positions() -> list[Figure]:
    # A ledger adds up to zero: what the customers have is what the house owes, and its accounts are few.
    # A float is good enough for a curve, and for nothing else.
    customers: dict[str, float] = defaultdict(float)
    suspense: dict[str, float] = {}
    for account in accounts_of(owner_id=None):
        amount = float(account.balance.amount)
        customers[account.currency] -= amount
        if account.role == SystemRole.SUSPENSE:
            suspense[account.currency] = amount
    return [
        Figure(
            name="customers_amount",
            description="What the customers have.",
            value=customers,
            label="currency",
        ),
        Figure(
            name="suspense_amount",
            description="What waits for a person to say whose it is.",
            value=suspense,
            label="currency",
        ),
    ]


def _whole_account(*, account_id: UUID, owner_id: OwnerId) -> Account:
    """Return one of the owner's accounts that has lines of its own: one kept in slots has none, its slots have."""
    account = get_account(account_id=account_id, owner_id=owner_id)
    if account.is_split:
        raise AccountIsSplit(account_id=str(account.id))
    return account


def _entries(account: Account) -> QuerySet[Entry]:
    return Entry.objects.filter(account_id=account.id).order_by("-version")


def _balance_at(account: Account, at: dt.datetime, *, effective: bool) -> int:
    _, balance = _point_at(account, at, "<=")
    return balance + _correction(account, at) if effective else balance


# Versions are gapless and time does not run back within an account, so a moment is found by halving the versions: 17
# probes of an index for 100,000 lines, and no index over time. To plan it takes longer than to do it.
_POINT_AT_SQL = """
    WITH RECURSIVE probe(low, high) AS (
        SELECT CAST(0 AS bigint), version FROM holdfast_wallet_account WHERE id = {account}
        UNION ALL
        SELECT CASE WHEN COALESCE(debit.recorded_at, credit.recorded_at) {recorded} {moment}
                    THEN (low + high + 1) / 2 ELSE low END,
               CASE WHEN COALESCE(debit.recorded_at, credit.recorded_at) {recorded} {moment}
                    THEN high ELSE (low + high + 1) / 2 - 1 END
        FROM probe
        LEFT JOIN holdfast_wallet_transfer AS debit
            ON debit.source_id = {account} AND debit.source_version = (low + high + 1) / 2
        LEFT JOIN holdfast_wallet_transfer AS credit
            ON credit.target_id = {account} AND credit.target_version = (low + high + 1) / 2
        WHERE low < high
    )
    SELECT low, COALESCE(
        (SELECT source_balance_minor FROM holdfast_wallet_transfer
         WHERE source_id = {account} AND source_version = low),
        (SELECT target_balance_minor FROM holdfast_wallet_transfer
         WHERE target_id = {account} AND target_version = low),
        0)
    FROM probe WHERE low = high"""
_POINT_AT = {
    (vendor, recorded): Prepared(_POINT_AT_SQL.format(account=account, moment=moment, recorded=recorded))
    for vendor, account, moment in (("postgresql", "%s::uuid", "%s::timestamptz"), ("sqlite", "%s", "%s"))
    for recorded in ("<", "<=")
}


def _point_at(account: Account, at: dt.datetime, recorded: Literal["<", "<="]) -> tuple[int, int]:
    """Return version and balance of the last line before a moment, or by it; zeros if there is none."""
    if timezone.is_naive(at):
        raise MalformedRequest("A time needs a time zone.")
    connection = connections[router.db_for_read(Transfer)]
    account_id = account.id.hex
    moment = at.isoformat() if connection.vendor == "postgresql" else connection.ops.adapt_datetimefield_value(at)
    point = _POINT_AT[connection.vendor, recorded]
    version, balance = point.row(connection, [account_id, moment, moment, *[account_id] * 4]) or (0, 0)
    return version, balance


def _correction(account: Account, at: dt.datetime) -> int:
    """Return what the effective balance has more than the recorded one: posted later for then, less the reverse.

    Only rows whose two times differ can matter, and those have an index of their own.
    """
    changed = Q(effective_at__lte=at, recorded_at__gt=at) | Q(effective_at__gt=at, recorded_at__lte=at)
    backdated = Transfer.objects.exclude(effective_at=F("recorded_at")).filter(changed)
    total = 0
    for side, sign in (("target_id", 1), ("source_id", -1)):
        rows = backdated.filter(**{side: account.id})
        came = rows.filter(recorded_at__gt=at).aggregate(sum=Sum("amount_minor"))["sum"] or 0
        left = rows.filter(recorded_at__lte=at).aggregate(sum=Sum("amount_minor"))["sum"] or 0
        total += sign * (came - left)
    return total
