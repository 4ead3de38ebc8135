"""Holds: set money aside, pay with it, give it back."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DatabaseError, router, transaction
from django.utils import timezone
from django_fsm import can_proceed

from holdfast.money import Money
from holdfast.outbox import emit
from holdfast_wallet import events
from holdfast_wallet.conf import settings
from holdfast_wallet.exceptions import (
    CaptureExceedsHold,
    CurrencyMismatch,
    HoldNotFound,
    HoldNotOpen,
    InsufficientFunds,
    KeyReused,
    MalformedRequest,
    WalletError,
)
from holdfast_wallet.models import Hold, Transfer
from holdfast_wallet.services import refusals, slots
from holdfast_wallet.services.accounts import lock_account
from holdfast_wallet.services.expiry import expire_due_holds_of
from holdfast_wallet.services.posting import lock_accounts, post_one
from holdfast_wallet.services.requests import OwnerId, checked_key, metadata_json, positive_minor, posting
from holdfast_wallet.states import HoldState, TransferKind


def place_hold(
    *,
    key: UUID,
    account_id: UUID,
    amount: Money,
    owner_id: OwnerId,
    expires_at: dt.datetime | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Hold:
    """Set money aside on one of the owner's accounts, until ``expires_at`` or for as long as the settings say.

    Raises ``AccountNotFound``, ``InsufficientFunds``, ``AccountIsFrozen``, ``AccountIsClosed``, ``CurrencyMismatch``,
    ``AmountNotPositive``, ``AmountTooLarge``, ``MalformedRequest``, ``KeyReused``. Emits ``HoldPlaced``.
    """
    if expires_at is not None and timezone.is_naive(expires_at):
        raise MalformedRequest("A time needs a time zone.")
    metadata_json(metadata)
    asked = Hold(
        id=checked_key(key),
        account_id=account_id,
        currency=amount.currency.code,
        amount_minor=positive_minor(amount),
        expires_at=expires_at or _default_end(),
        metadata=dict(metadata or {}),
    )
    try:
        return set_aside(asked, owner_id=owner_id)
    except WalletError:
        # Whatever the refusal: a repeated request is answered with what its first time made.
        first = Hold.objects.filter(id=key, account__owner_id=owner_id).first()
        if first is None:
            raise
        if _differs(first, asked, given_end=expires_at):
            raise KeyReused(key=str(key)) from None
        return first


def set_aside(asked: Hold, *, owner_id: OwnerId) -> Hold:
    """Place a hold as it is, with its own end or none.

    Raises as ``place_hold`` does, and ``KeyReused`` for every key that is taken.
    """
    with transaction.atomic(using=_using()):
        lock_account(account_id=asked.account_id, owner_id=owner_id)
        try:
            return _place(asked)
        except InsufficientFunds:
            if not expire_due_holds_of(asked.account_id, using=_using()):
                raise
            return _place(asked)


def capture_hold(
    *,
    key: UUID,
    hold_id: UUID,
    target_id: UUID,
    owner_id: OwnerId,
    amount: Money | None = None,
    final: bool = True,
    metadata: Mapping[str, Any] | None = None,
) -> Transfer:
    """Pay money that was set aside to another account: all that is left of the hold, or an amount.

    A ``final`` capture gives the rest back; another leaves it for further captures. The transfers of one hold share
    its id as their journal.

    Raises ``HoldNotFound``, ``HoldNotOpen``, ``HoldLapsed``, ``CaptureExceedsHold``, and as ``transfer`` does. Emits
    ``TransferPosted`` and ``HoldCaptured``.
    """
    checked_key(key)
    metadata_json(metadata)
    paid_to = slots.pick_known(target_id, using=_using())
    with transaction.atomic(using=_using()):
        hold = _lock_hold(hold_id=hold_id, owner_id=owner_id, target_id=paid_to)
        first = Transfer.objects.filter(id=key).first()
        if first is not None:
            return _same_capture(first, hold, target_id, amount, metadata)
        if hold.state != HoldState.OPEN:
            raise HoldNotOpen(hold_id=str(hold.id), state=hold.state)
        paid = hold.remaining if amount is None else amount
        if paid.currency.code != hold.currency:
            raise CurrencyMismatch(account_id=str(hold.account_id), currency=hold.currency)
        if positive_minor(paid) > hold.remaining_minor:
            raise CaptureExceedsHold(hold_id=str(hold.id), remaining=str(hold.remaining.amount), currency=hold.currency)

        transfer = post_one(
            posting(
                key=key,
                source_id=hold.account_id,
                target_id=paid_to,
                amount=paid,
                scope_id=hold.account_id,
                owner_id=owner_id,
                kind=TransferKind.CAPTURE,
                journal_id=hold.id,
                hold_id=hold.id,
                metadata=metadata,
            )
        )
        hold.captured_minor += transfer.amount_minor  # as the ledger did
        ended = final or not hold.remaining_minor
        if ended:
            hold.capture(at=timezone.now())
            hold.save(update_fields=["state", "released_minor", "ended_at"])
        emit(
            events.HoldCaptured(
                hold_id=str(hold.id),
                account_id=str(hold.account_id),
                transfer_id=str(transfer.id),
                amount_minor=transfer.amount_minor,
                currency=hold.currency,
                final=ended,
            )
        )
    return transfer


def release_hold(*, hold_id: UUID, owner_id: OwnerId) -> Hold:
    """Make what is left of a hold available again.

    Raises ``HoldNotFound``, ``HoldNotOpen``. Emits ``HoldReleased``.
    """
    with transaction.atomic(using=_using()):
        hold = _lock_hold(hold_id=hold_id, owner_id=owner_id)
        if not can_proceed(hold.release):
            raise HoldNotOpen(hold_id=str(hold.id), state=hold.state)
        rest = hold.remaining_minor

        hold.release(at=timezone.now())
        hold.save(update_fields=["state", "released_minor", "ended_at"])
        emit(
            events.HoldReleased(
                hold_id=str(hold.id), account_id=str(hold.account_id), amount_minor=rest, currency=hold.currency
            )
        )
    return hold


@dataclass(frozen=True)
class _Refused:
    """A hold as ``refusals`` looks at it."""

    currency: str
    source_id: UUID
    target_id: UUID
    amount_minor: int = 0
    owner_id: OwnerId = None
    hold_id: UUID | None = None
    reverses_id: UUID | None = None


def _place(hold: Hold) -> Hold:
    try:
        with transaction.atomic(using=_using()):
            hold.save(force_insert=True)
    except DatabaseError as error:
        if refusals.code_of(error) == refusals.KEY_TAKEN:
            raise KeyReused(key=str(hold.id)) from None
        refusal = refusals.refusal_of(error, _Refused(hold.currency, hold.account_id, hold.account_id), using=_using())
        if refusal is None:
            raise
        raise refusal from None
    emit(
        events.HoldPlaced(
            hold_id=str(hold.id),
            account_id=str(hold.account_id),
            amount_minor=hold.amount_minor,
            currency=hold.currency,
            expires_at=None if hold.expires_at is None else hold.expires_at.isoformat(),
        )
    )
    return hold


def _lock_hold(*, hold_id: UUID, owner_id: OwnerId, target_id: UUID | None = None) -> Hold:
    """Lock a hold in the scope, and before it the accounts that its capture or its end will touch."""
    account_id = (
        Hold.objects.filter(id=hold_id, account__owner_id=owner_id).values_list("account_id", flat=True).first()
    )
    if account_id is None:
        raise HoldNotFound(hold_id=str(hold_id))
    lock_accounts({account_id} if target_id is None else {account_id, target_id}, using=_using())
    return Hold.objects.select_for_update(no_key=True).get(id=hold_id)


def _same_capture(
    first: Transfer, hold: Hold, target_id: UUID, amount: Money | None, metadata: Mapping[str, Any] | None
) -> Transfer:
    same = (
        first.hold_id == hold.id
        and slots.same_account(first.target_id, target_id, using=_using())
        and (amount is None or amount == first.amount)
        and first.metadata == dict(metadata or {})
    )
    if not same:
        raise KeyReused(key=str(first.id))
    return first


def _differs(first: Hold, asked: Hold, *, given_end: dt.datetime | None) -> bool:
    return (first.account_id, first.currency, first.amount_minor, first.metadata) != (
        asked.account_id,
        asked.currency,
        asked.amount_minor,
        asked.metadata,
    ) or (given_end is not None and first.expires_at != given_end)


def _default_end() -> dt.datetime | None:
    seconds: int | None = settings.HOLD_SECONDS
    return None if seconds is None else timezone.now() + dt.timedelta(seconds=seconds)


def _using() -> str:
    return router.db_for_write(Hold)
