"""Holds: set money aside, pay with it, give it back."""

import datetime as dt
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple
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
    HoldInUse,
    HoldNotFound,
    HoldNotOpen,
    InsufficientFunds,
    KeyReused,
    MalformedRequest,
    WalletError,
)
from holdfast_wallet.models import Account, Hold, Payment, Transfer
from holdfast_wallet.services import refusals, slots
from holdfast_wallet.services.accounts import lock_account, open_system_account
from holdfast_wallet.services.expiry import expire_due_holds_of
from holdfast_wallet.services.posting import charges_fees, fee_of, fee_posting, lock_accounts, post_one
from holdfast_wallet.services.requests import OwnerId, Posting, checked_key, plain_metadata, positive_minor, posting
from holdfast_wallet.states import AccountState, HoldState, SystemRole, TransferKind


def place_hold(
    *,
    key: UUID,
    account_id: UUID,
    amount: Money,
    owner_id: OwnerId,
    expires_at: dt.datetime | None = None,
    owner_may_end: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> Hold:
    """Set money aside on one of the owner's accounts, until ``expires_at`` or for as long as the settings say.

    ``owner_may_end`` notes that nobody but the owner relies on it: the API lets him capture and release such a hold.

    Raises ``AccountNotFound``, ``InsufficientFunds``, ``AccountIsFrozen``, ``AccountIsClosed``, ``CurrencyMismatch``,
    ``AmountNotPositive``, ``AmountTooLarge``, ``MalformedRequest``, ``KeyReused``. Emits ``HoldPlaced``.
    """
    if expires_at is not None and timezone.is_naive(expires_at):
        raise MalformedRequest("A time needs a time zone.")
    asked = Hold(
        id=checked_key(key),
        account_id=account_id,
        currency=amount.currency.code,
        amount_minor=positive_minor(amount),
        expires_at=expires_at or _default_end(),
        owner_may_end=owner_may_end,
        metadata=plain_metadata(metadata),
    )
    try:
        return set_aside(asked, owner_id=owner_id)
    except WalletError:
        # Whatever the refusal: a repeated request is answered with what its first time made.
        first = Hold.objects.using(_using()).filter(id=key, account__owner_id=owner_id).first()
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
    its id as their journal. A fee, where the host charges one, is paid beside the hold.

    Raises ``HoldNotFound``, ``HoldNotOpen``, ``HoldLapsed``, ``HoldInUse``, ``CaptureExceedsHold``, and as ``transfer``
    does. Emits ``TransferPosted`` and ``HoldCaptured``.
    """
    checked_key(key)
    noted = plain_metadata(metadata)
    paid_to = slots.pick_known(target_id, using=_using())
    with transaction.atomic(using=_using()):
        hold, fees_id = _lock_hold_and_fees(hold_id=hold_id, owner_id=owner_id, target_id=paid_to)
        first = Transfer.objects.using(_using()).filter(id=key).first()
        if first is not None:
            return _same_capture(first, hold, target_id, amount, noted, final=final)
        _require_free(hold)
        part = HoldPart(key, paid_to, hold.remaining if amount is None else amount, TransferKind.CAPTURE, noted)
        transfer = _capture(hold, part, owner_id, final=final)
        # After the end of the hold, so that what it gave back can pay.
        fee = fee_of(TransferKind.CAPTURE, transfer.amount)
        if fee is not None:
            post_one(fee_posting(_posting(hold, part, owner_id), fee, fees_id=fees_id))
    return transfer


class HoldPart(NamedTuple):
    """What is paid of a hold, and to whom."""

    key: UUID
    target_id: UUID
    amount: Money
    kind: str = TransferKind.CAPTURE
    metadata: Mapping[str, Any] = {}


def capture_whole(*, hold_id: UUID, owner_id: OwnerId, parts: Sequence[HoldPart]) -> list[Transfer]:
    """Pay a hold whose money has left already, part by part, and end it; a frozen account pays, too.

    Freezing stops what has not happened yet. Raises as ``capture_hold`` does. Emits ``TransferPosted`` and
    ``HoldCaptured`` for each part.
    """
    using = _using()
    parts = [part._replace(target_id=slots.pick_known(part.target_id, using=using)) for part in parts]
    with transaction.atomic(using=using):
        hold = _lock_hold(hold_id=hold_id, owner_id=owner_id, others={part.target_id for part in parts})
        account = Account.objects.using(using).get(id=hold.account_id)
        if account.state != AccountState.FROZEN:
            return _capture_parts(hold, parts, owner_id)
        # Within this transaction, under the lock: nobody else sees the account thaw.
        frozen_at, credits_blocked = account.frozen_at or timezone.now(), account.credits_blocked
        account.unfreeze()
        account.save(using=using, update_fields=["state", "frozen_at", "credits_blocked"])
        paid = _capture_parts(hold, parts, owner_id)
        account.freeze(at=frozen_at, credits_blocked=credits_blocked)
        account.save(using=using, update_fields=["state", "frozen_at", "credits_blocked"])
    return paid


def _capture_parts(hold: Hold, parts: Sequence[HoldPart], owner_id: OwnerId) -> list[Transfer]:
    return [_capture(hold, part, owner_id, final=part is parts[-1]) for part in parts]


def _capture(hold: Hold, part: HoldPart, owner_id: OwnerId, *, final: bool) -> Transfer:
    if hold.state != HoldState.OPEN:
        raise HoldNotOpen(hold_id=str(hold.id), state=hold.state)
    if part.amount.currency.code != hold.currency:
        raise CurrencyMismatch(account_id=str(hold.account_id), currency=hold.currency)
    if positive_minor(part.amount) > hold.remaining_minor:
        raise CaptureExceedsHold(hold_id=str(hold.id), remaining=str(hold.remaining.amount), currency=hold.currency)

    transfer = post_one(_posting(hold, part, owner_id))
    hold.captured_minor += transfer.amount_minor  # as the ledger did
    ended = final or not hold.remaining_minor
    if ended:
        hold.capture(at=timezone.now())
        hold.save(using=_using(), update_fields=["state", "released_minor", "ended_at"])
    emit(
        events.HoldCaptured(
            hold_id=str(hold.id),
            account_id=str(hold.account_id),
            transfer_id=str(transfer.id),
            amount_minor=transfer.amount_minor,
            currency=hold.currency,
            final=ended,
        ),
        using=_using(),
    )
    return transfer


def _posting(hold: Hold, part: HoldPart, owner_id: OwnerId) -> Posting:
    return posting(
        key=part.key,
        source_id=hold.account_id,
        target_id=part.target_id,
        amount=part.amount,
        scope_id=hold.account_id,
        owner_id=owner_id,
        kind=part.kind,
        journal_id=hold.id,
        hold_id=hold.id,
        metadata=part.metadata,
    )


def release_hold(*, hold_id: UUID, owner_id: OwnerId) -> Hold:
    """Make what is left of a hold available again.

    Raises ``HoldNotFound``, ``HoldNotOpen``, ``HoldInUse``. Emits ``HoldReleased``.
    """
    with transaction.atomic(using=_using()):
        hold = _lock_hold(hold_id=hold_id, owner_id=owner_id)
        _require_free(hold)
        return _release(hold)


def give_back(*, hold_id: UUID, owner_id: OwnerId) -> Hold:
    """Release the hold of a payment that will not happen.

    Raises ``HoldNotFound``, ``HoldNotOpen``. Emits ``HoldReleased``.
    """
    with transaction.atomic(using=_using()):
        return _release(_lock_hold(hold_id=hold_id, owner_id=owner_id))


def _release(hold: Hold) -> Hold:
    if not can_proceed(hold.release):
        raise HoldNotOpen(hold_id=str(hold.id), state=hold.state)
    rest = hold.remaining_minor

    hold.release(at=timezone.now())
    hold.save(using=_using(), update_fields=["state", "released_minor", "ended_at"])
    emit(
        events.HoldReleased(
            hold_id=str(hold.id), account_id=str(hold.account_id), amount_minor=rest, currency=hold.currency
        ),
        using=_using(),
    )
    return hold


def _require_free(hold: Hold) -> None:
    """Leave the hold of a payment to the payment: the rail may have paid already."""
    if hold.state == HoldState.OPEN and Payment.objects.using(_using()).filter(hold_id=hold.id).exists():
        raise HoldInUse(hold_id=str(hold.id))


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
            hold.save(using=_using(), force_insert=True)
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
        ),
        using=_using(),
    )
    return hold


def _lock_hold(*, hold_id: UUID, owner_id: OwnerId, others: Set[UUID] = frozenset()) -> Hold:
    """Lock a hold in the scope, and before it its account and the others that its capture will touch."""
    hold = Hold.objects.using(_using()).filter(id=hold_id, account__owner_id=owner_id).first()
    if hold is None:
        raise HoldNotFound(hold_id=str(hold_id))
    lock_accounts({hold.account_id, *others}, using=_using())
    return Hold.objects.using(_using()).select_for_update(no_key=True).get(id=hold_id)


def _lock_hold_and_fees(*, hold_id: UUID, owner_id: OwnerId, target_id: UUID) -> tuple[Hold, UUID | None]:
    """Lock a hold, its accounts, and the one for fees where the host charges any: in one order, before any posting."""
    currency = (
        Hold.objects.using(_using())
        .filter(id=hold_id, account__owner_id=owner_id)
        .values_list("currency", flat=True)
        .first()
    )
    if currency is None or not charges_fees():
        return _lock_hold(hold_id=hold_id, owner_id=owner_id, others={target_id}), None
    fees = open_system_account(role=SystemRole.FEES, currency=currency)
    fees_id = slots.pick_known(fees.id, using=_using())
    return _lock_hold(hold_id=hold_id, owner_id=owner_id, others={target_id, fees_id}), fees_id


def _same_capture(
    first: Transfer,
    hold: Hold,
    target_id: UUID,
    amount: Money | None,
    metadata: Mapping[str, Any],
    *,
    final: bool,
) -> Transfer:
    same = (
        first.hold_id == hold.id
        and slots.same_account(first.target_id, target_id, using=_using())
        and (amount is None or amount == first.amount)
        and first.metadata == metadata
        and (final == _was_final(first, hold) or (not final and not hold.released_minor))
    )
    if not same:
        raise KeyReused(key=str(first.id))
    return first


def _was_final(capture: Transfer, hold: Hold) -> bool:
    """Say whether a capture ended its hold: then it is the last one, and the hold is captured."""
    if hold.state != HoldState.CAPTURED:
        return False
    captures = Transfer.objects.using(_using()).filter(hold_id=hold.id, source_id=hold.account_id)
    return not captures.filter(number__gt=capture.number).exists()


def _differs(first: Hold, asked: Hold, *, given_end: dt.datetime | None) -> bool:
    return (first.account_id, first.currency, first.amount_minor, first.owner_may_end, first.metadata) != (
        asked.account_id,
        asked.currency,
        asked.amount_minor,
        asked.owner_may_end,
        asked.metadata,
    ) or (given_end is not None and first.expires_at != given_end)


def _default_end() -> dt.datetime | None:
    seconds: int | None = settings.HOLD_SECONDS
    return None if seconds is None else timezone.now() + dt.timedelta(seconds=seconds)


def _using() -> str:
    return router.db_for_write(Hold)
