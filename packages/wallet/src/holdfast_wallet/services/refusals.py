"""From the law's words to the wallet's refusals."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from uuid import UUID

from django.db import DatabaseError, IntegrityError

from holdfast.money import from_minor
from holdfast_wallet import exceptions
from holdfast_wallet.models import Account, Hold, Transfer
from holdfast_wallet.ports import OwnerId
from holdfast_wallet.states import AccountState

INSUFFICIENT_FUNDS, UNKNOWN_ACCOUNT, KEPT_IN_SLOTS = "WL001", "WL005", "WL007"
KEY_TAKEN = "23505"
# PostgreSQL's integers refuse to overflow; SQLite's would turn into floats, so there the law refuses.
TOO_LARGE = frozenset({"22003", "WL008"})
# What another transaction did to ours; it may well succeed when it is tried again: serialization failure, deadlock.
TRANSIENT = frozenset({"40001", "40P01"})
# What the law says of an account as such: maximum, frozen, closed, currency. Of a stranger's it is not told.
_OF_AN_ACCOUNT = frozenset({"WL002", "WL003", "WL004", "WL006"})

Detail = Mapping[str, Any]


class Asked(Protocol):
    """What was refused: a posting, or what looks like one."""

    @property
    def currency(self) -> str:
        """The currency of its amount."""

    @property
    def amount_minor(self) -> int:
        """Its amount, in minor units."""

    @property
    def owner_id(self) -> OwnerId:
        """The scope that asks."""

    @property
    def source_id(self) -> UUID:
        """The account that gives."""

    @property
    def target_id(self) -> UUID:
        """The account that receives; for a hold, the same."""

    @property
    def hold_id(self) -> UUID | None:
        """The hold that it captures."""

    @property
    def reverses_id(self) -> UUID | None:
        """The transfer that it reverses."""


def _plain(kind: type[exceptions.WalletError]) -> Callable[[Detail], exceptions.WalletError]:
    return lambda detail: kind(**detail)


def _with_money(kind: type[exceptions.WalletError], name: str) -> Callable[[Detail], exceptions.WalletError]:
    def make(detail: Detail) -> exceptions.WalletError:
        amount = from_minor(int(detail[name]), detail["currency"])
        return kind(**{**detail, name: str(amount.amount)})

    return make


_REFUSALS: dict[str, Callable[[Detail], exceptions.WalletError]] = {
    INSUFFICIENT_FUNDS: _with_money(exceptions.InsufficientFunds, "available"),
    "WL002": _with_money(exceptions.BalanceLimitExceeded, "room"),
    "WL003": _plain(exceptions.AccountIsFrozen),
    "WL004": _plain(exceptions.AccountIsClosed),
    UNKNOWN_ACCOUNT: _plain(exceptions.AccountNotFound),
    "WL006": _plain(exceptions.CurrencyMismatch),
    KEPT_IN_SLOTS: _plain(exceptions.AccountIsSplit),
    "WL010": _plain(exceptions.HoldNotOpen),
    "WL011": _plain(exceptions.HoldLapsed),
    "WL012": _with_money(exceptions.CaptureExceedsHold, "remaining"),
    "WL020": _plain(exceptions.TransferNotFound),
    "WL021": _with_money(exceptions.ReversalExceedsOriginal, "reversible"),
    "WL022": _plain(exceptions.NotReversible),
}


def code_of(error: DatabaseError) -> str:
    """Return the SQLSTATE of an error; on SQLite the one that its message stands for."""
    state = getattr(error.__cause__, "sqlstate", None)
    if state is not None:
        return str(state)
    text = str(error)
    if text.startswith("WL"):
        return text[:5]
    return KEY_TAKEN if isinstance(error, IntegrityError) and text.startswith("UNIQUE") else ""


def refusal_of(error: DatabaseError, asked: Asked, *, using: str) -> exceptions.WalletError | None:
    """Return what the wallet says of an error of its ledger; ``None`` where it is not the law's.

    What somebody else's account has, may have or is, is not the asker's to know: there the answer is one neutral
    refusal, and only after one's own side has nothing against the transfer.
    """
    code = code_of(error)
    if code in TOO_LARGE:
        return exceptions.AmountTooLarge(currency=asked.currency)
    if code not in _REFUSALS:
        return None
    diagnosis = getattr(error.__cause__, "diag", None)
    detail = json.loads(diagnosis.message_detail) if diagnosis is not None else _look(code, asked, using)
    if code in _OF_AN_ACCOUNT and detail["account_id"] == str(asked.target_id):
        accounts = Account.objects.using(using).in_bulk([asked.source_id, asked.target_id])
        source, target = accounts[asked.source_id], accounts[asked.target_id]
        if asked.owner_id is not None and str(target.owner_id) != str(asked.owner_id):
            return _against_own_side(source, asked) or exceptions.TargetRefuses(account_id=str(target.id))
    return _REFUSALS[code](detail)


def _against_own_side(source: Account, asked: Asked) -> exceptions.WalletError | None:
    account_id = str(source.id)
    if source.currency != asked.currency:
        return exceptions.CurrencyMismatch(account_id=account_id, currency=source.currency)
    if source.state == AccountState.CLOSED:
        return exceptions.AccountIsClosed(account_id=account_id)
    if source.state == AccountState.FROZEN:
        return exceptions.AccountIsFrozen(account_id=account_id)
    available = source.available
    if asked.hold_id is None and available is not None and available < from_minor(asked.amount_minor, asked.currency):
        return exceptions.InsufficientFunds(
            account_id=account_id, available=str(available.amount), currency=source.currency
        )
    return None


def _look(code: str, asked: Asked, using: str) -> Detail:
    """Return what SQLite's law, which knows only fixed words, cannot say of its refusal."""
    accounts = Account.objects.using(using).in_bulk([asked.source_id, asked.target_id])
    source, target = accounts.get(asked.source_id), accounts.get(asked.target_id)
    if source is None or target is None:
        return {"account_id": str(asked.target_id if source else asked.source_id)}
    if code == INSUFFICIENT_FUNDS:
        available = source.balance_minor - source.held_minor + (source.overdraft_limit_minor or 0)
        return {"account_id": str(source.id), "available": available, "currency": source.currency}
    if code == "WL002":
        room = (target.maximum_balance_minor or 0) - target.balance_minor
        return {"account_id": str(target.id), "room": room, "currency": target.currency}
    if code in {"WL010", "WL011", "WL012"}:
        return _look_at_hold(code, asked.hold_id, using)
    if code in {"WL020", "WL021", "WL022"}:
        return _look_at_original(code, asked.reverses_id, using)
    at_fault = _at_fault(code, source, target, asked)
    detail = {"account_id": str(at_fault.id)}
    return {**detail, "currency": at_fault.currency} if code == "WL006" else detail


def _at_fault(code: str, source: Account, target: Account, asked: Asked) -> Account:
    blames: dict[str, Callable[[Account], bool]] = {
        "WL003": lambda account: account.state == "frozen",
        "WL004": lambda account: account.state == "closed",
        "WL006": lambda account: account.currency != asked.currency,
        KEPT_IN_SLOTS: lambda account: account.is_split,
    }
    return source if blames[code](source) else target


def _look_at_hold(code: str, hold_id: UUID | None, using: str) -> Detail:
    hold = Hold.objects.using(using).filter(id=hold_id).first() if hold_id else None
    if hold is None or code == "WL011":
        return {"hold_id": str(hold_id)}
    if code == "WL010":
        return {"hold_id": str(hold.id), "state": hold.state}
    return {"hold_id": str(hold.id), "remaining": hold.remaining_minor, "currency": hold.currency}


def _look_at_original(code: str, transfer_id: UUID | None, using: str) -> Detail:
    original = Transfer.objects.using(using).filter(id=transfer_id).first() if transfer_id else None
    if original is None or code != "WL021":
        return {"transfer_id": str(transfer_id)}
    reversals = Transfer.objects.using(using).filter(reverses_id=original.id)
    reversed_minor = sum(reversals.values_list("amount_minor", flat=True))
    return {
        "transfer_id": str(original.id),
        "reversible": original.amount_minor - reversed_minor,
        "currency": original.currency,
    }
