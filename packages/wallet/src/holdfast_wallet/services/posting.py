"""Moving money: transfers, one by one and many at once."""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeVar
from uuid import UUID

from django.db import DatabaseError, connections, router, transaction

from holdfast.conf import load_backend
from holdfast.errors import Refusal
from holdfast.money import Money, from_minor
from holdfast_wallet.conf import WalletSettings, settings
from holdfast_wallet.exceptions import AccountNotFound, BatchTooLarge, KeyReused, WalletError
from holdfast_wallet.models import Account, Transfer
from holdfast_wallet.ports import FeePolicy
from holdfast_wallet.services import refusals, slots
from holdfast_wallet.services.accounts import open_system_account
from holdfast_wallet.services.expiry import expire_due_holds_of
from holdfast_wallet.services.requests import OwnerId, Posting, TransferRequest, checked_key, posting
from holdfast_wallet.services.statements import insert, insert_batch, insert_many
from holdfast_wallet.states import SystemRole, TransferKind

# How often a transfer is tried that ended as the victim of a deadlock or of a serialization failure.
TRIES = 4

_NO_FEES = WalletSettings.declared["FEES"].default


def transfer(
    *,
    key: UUID,
    source_id: UUID,
    target_id: UUID,
    amount: Money,
    owner_id: OwnerId,
    kind: str = TransferKind.TRANSFER.value,
    journal_id: UUID | None = None,
    effective_at: dt.datetime | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Transfer:
    """Move money from one of the owner's accounts to any account of the same currency, and charge the fee if any.

    Raises ``AccountNotFound``, ``InsufficientFunds``, ``BalanceLimitExceeded``, ``AccountIsFrozen``,
    ``AccountIsClosed``, ``CurrencyMismatch``, ``SameAccount``, ``AmountNotPositive``, ``AmountTooLarge``,
    ``MalformedRequest``, ``KeyReused``. Emits ``TransferPosted``.
    """
    asked = posting(
        key=checked_key(key),
        source_id=source_id,
        target_id=target_id,
        amount=amount,
        scope_id=source_id,
        owner_id=owner_id,
        kind=kind,
        journal_id=journal_id,
        effective_at=effective_at,
        metadata=metadata,
    )
    return post_with_fee(asked, amount)[0]


def deposit(
    *,
    key: UUID,
    account_id: UUID,
    amount: Money,
    owner_id: OwnerId,
    effective_at: dt.datetime | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Transfer:
    """Put money that came from the outside on one of the owner's accounts.

    The host must have got it: what a user may start himself is ``request_deposit``. Raises as ``transfer`` does, and
    emits ``TransferPosted``.
    """

    def ask(cash_id: UUID) -> Posting:
        return posting(
            key=checked_key(key),
            source_id=cash_id,
            target_id=account_id,
            amount=amount,
            scope_id=account_id,
            owner_id=owner_id,
            kind=TransferKind.DEPOSIT,
            effective_at=effective_at,
            metadata=metadata,
        )

    return post_with_system_account(ask, role=SystemRole.CASH_IN, currency=amount.currency.code)


def withdraw(
    *,
    key: UUID,
    account_id: UUID,
    amount: Money,
    owner_id: OwnerId,
    effective_at: dt.datetime | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Transfer:
    """Take money that went to the outside from one of the owner's accounts, and charge the fee if there is one.

    The host must have paid it: what a user may start himself is ``request_withdrawal``. Raises as ``transfer`` does,
    and emits ``TransferPosted``.
    """

    def ask(cash_id: UUID) -> Posting:
        return posting(
            key=checked_key(key),
            source_id=account_id,
            target_id=cash_id,
            amount=amount,
            scope_id=account_id,
            owner_id=owner_id,
            kind=TransferKind.WITHDRAWAL,
            effective_at=effective_at,
            metadata=metadata,
        )

    return post_with_system_account(ask, role=SystemRole.CASH_OUT, currency=amount.currency.code, amount=amount)


def post(*, journal_id: UUID, transfers: Sequence[TransferRequest]) -> list[Transfer]:
    """Post the transfers of one business event, all or nothing.

    Raises the refusal of the first that is refused, as ``transfer`` does, and ``BatchTooLarge``. Emits
    ``TransferPosted`` for each.
    """
    checked_key(journal_id)
    return post_all([_asked(request, journal_id) for request in _limited(transfers)])


def post_transfers(
    *, requests: Sequence[TransferRequest], atomic: bool = False, charge_fees: bool = False
) -> list[Transfer | Refusal]:
    """Post many transfers with one commit, in this order; the result for each is the transfer or its refusal.

    With ``atomic`` it is all or nothing, and the first refusal is raised. With ``charge_fees`` each costs what it would
    cost alone, and without its fee it is not posted; otherwise a batch says all that it does. Raises
    ``BatchTooLarge``. Emits ``TransferPosted`` for each transfer.
    """
    limited = _limited(requests)
    if atomic:
        groups = _with_fees([_asked(request, request.journal_id) for request in limited], charge_fees=charge_fees)
        return _firsts(groups, post_all([one for group in groups for one in group]))
    asked: list[Posting | Refusal] = []
    for request in limited:
        try:
            asked.append(_asked(request, request.journal_id))
        except Refusal as refusal:
            asked.append(refusal)
    groups = _with_fees([one for one in asked if isinstance(one, Posting)], charge_fees=charge_fees)
    posted = _at_once([one for group in groups for one in group])
    results = iter(_firsts(groups, posted) if posted else _in_transaction(groups, _post_each))
    return [next(results) if isinstance(one, Posting) else one for one in asked]


# What the other verbs post with


def post_one(asked: Posting, picked: Posting | None = None) -> Transfer:
    """Post one transfer, or return the one that its key already stands for.

    ``picked`` is the same with slots already chosen. The key is not looked up first: the primary key refuses a second
    row, and only after a refusal is it worth a look.
    """
    using = router.db_for_write(Transfer)
    tries = TRIES
    expired = False
    picked = picked or _into_slots(asked, using)
    while True:
        try:
            return insert(picked, using=using)
        except DatabaseError as error:
            code = refusals.code_of(error)
            if code in refusals.TRANSIENT and not connections[using].in_atomic_block and tries > 1:
                tries -= 1
                continue
            if code == refusals.KEPT_IN_SLOTS and _learn_slots(picked, using):
                picked = _into_slots(asked, using)
                continue
            first = replay(asked, using=using) if code.startswith("WL") or code == refusals.KEY_TAKEN else None
            if first is not None:
                return first
            # Holds whose time is over must not refuse good money because no sweep came by.
            if (
                code == refusals.INSUFFICIENT_FUNDS
                and not expired
                and expire_due_holds_of(picked.source_id, also_lock={picked.target_id}, using=using)
            ):
                expired = True
                continue
            refusal = refusals.refusal_of(error, picked, using=using)
            if refusal is None:
                raise
            raise refusal from None


def post_all(asked: Sequence[Posting]) -> list[Transfer]:
    """Post several transfers, all or nothing, or return those that their keys already stand for."""
    return _at_once(asked) or _in_transaction([[one] for one in asked], _post_locked)


def post_with_fee(asked: Posting, amount: Money) -> list[Transfer]:
    """Post a transfer, and with it the fee that the host's policy charges its source.

    A repeated request costs what its first time cost, whatever the policy says by now.
    """
    if not charges_fees():
        return [post_one(asked)]
    fee = None if _known([asked]) else fee_of(asked.kind, amount)
    return [post_one(asked)] if fee is None else post_all([asked, fee_posting(asked, fee)])


def charges_fees() -> bool:
    """Say whether the host has a policy of fees: what most have is not worth a look-up for each transfer."""
    return settings.FEES is not _NO_FEES


def fee_of(kind: str, amount: Money) -> Money | None:
    """Return what the host's policy charges for a transfer, if anything."""
    if not charges_fees():
        return None
    policy: FeePolicy = load_backend(settings.FEES)
    fee = policy.fee(kind=kind, amount=amount)
    return fee if fee is not None and fee.amount else None


def fee_posting(asked: Posting, fee: Money, *, fees_id: UUID | None = None) -> Posting:
    """Return the transfer of a fee, in the journal of what it is charged for; ``fees_id`` is a slot already locked."""
    target_id = fees_id or open_system_account(role=SystemRole.FEES, currency=fee.currency.code).id
    return posting(
        key=derived_key(asked.id, "fee"),
        source_id=asked.source_id,
        target_id=target_id,
        amount=fee,
        scope_id=asked.scope_id,
        owner_id=asked.owner_id,
        kind=TransferKind.FEE,
        journal_id=asked.journal_id,
        effective_at=asked.effective_at,
    )


def post_with_system_account(
    ask: Callable[[UUID], Posting], *, role: str, currency: str, amount: Money | None = None
) -> Transfer:
    """Post what ``ask`` says of a system account, which is opened when it is first needed.

    ``amount`` is what costs a fee, if anything does.
    """
    using = router.db_for_write(Transfer)
    known = slots.remembered(role=role, currency=currency, using=using)
    system_id = known or slots.remember(open_system_account(role=role, currency=currency), using=using)
    # Now: another thread that finds out first forgets them.
    names = slots.names_of(system_id, using=using)
    try:
        asked = ask(system_id)
        return post_one(asked) if amount is None else post_with_fee(asked, amount)[0]
    except AccountNotFound as refusal:
        if known is None or refusal.context.get("account_id") not in names:
            raise
        # It was remembered from a transaction that was rolled back.
        slots.forget(system_id, using=using)
        return post_with_system_account(ask, role=role, currency=currency, amount=amount)


def derived_key(key: UUID, part: str) -> UUID:
    """Return the key of a further transfer of the same request: the same each time."""
    return uuid.uuid5(key, part)


def replay(asked: Posting, *, using: str) -> Transfer | None:
    """Return the transfer that the key already stands for, if any.

    Raises ``KeyReused`` where that was asked for differently.
    """
    first = Transfer.objects.using(using).filter(id=asked.id).first()
    if first is None:
        return None
    same = (
        first.amount_minor == asked.amount_minor
        and first.currency == asked.currency
        and first.kind == asked.kind
        and first.journal_id == asked.journal_id
        and first.reverses_id == asked.reverses_id
        and first.hold_id == asked.hold_id
        and first.effective_at == (asked.effective_at or first.recorded_at)
        and first.metadata == json.loads(asked.metadata_json)
        and slots.same_account(first.source_id, asked.source_id, using=using)
        and slots.same_account(first.target_id, asked.target_id, using=using)
    )
    if not same:
        raise KeyReused(key=str(asked.id))
    return first


def lock_accounts(account_ids: set[UUID], *, using: str) -> list[UUID]:
    """Lock accounts in the order in which everybody does, and return those of them that are kept in slots."""
    rows = Account.objects.using(using).select_for_update(no_key=True).filter(id__in=account_ids).order_by("id")
    return [account_id for account_id, slot_count in rows.values_list("id", "slots") if slot_count > 1]


ResultT = TypeVar("ResultT")
# What stands or falls together: a transfer, and its fee if there is one.
Group = Sequence[Posting]


class _KeptInSlotsError(Exception):
    """Some of the accounts are kept in slots, which are known from now on."""


def _at_once(asked: Sequence[Posting]) -> list[Transfer] | None:
    """Post all with one statement where that is possible and none is refused; otherwise do nothing."""
    using = router.db_for_write(Transfer)
    return insert_batch([_into_slots(one, using) for one in asked], using=using) if asked else None


def _in_transaction(
    asked: Sequence[Group], work: Callable[[Sequence[Group], Sequence[Group], str], list[ResultT]]
) -> list[ResultT]:
    """Do the work in one transaction that has locked all accounts, each in its turn, before the first posting."""
    using = router.db_for_write(Transfer)
    tries = TRIES
    while True:
        picked = [[_into_slots(one, using) for one in group] for group in asked]
        try:
            with transaction.atomic(using=using):
                _lock(picked, using)
                return work(asked, picked, using)
        except _KeptInSlotsError:
            continue
        except DatabaseError as error:
            code = refusals.code_of(error)
            tries -= 1
            if code not in refusals.TRANSIENT or connections[using].in_atomic_block or not tries:
                raise


def _lock(picked: Sequence[Group], using: str) -> None:
    sides = {side for group in picked for one in group for side in (one.source_id, one.target_id)}
    split = lock_accounts(sides, using=using)
    for account_id in split:
        slots.learn(account_id, using=using)
    if split:
        # Their slots must be locked in the order of all accounts: from the start again, with no lock kept.
        raise _KeptInSlotsError


def _post_locked(asked: Sequence[Group], picked: Sequence[Group], using: str) -> list[Transfer]:
    try:
        return insert_many([one for group in picked for one in group], using=using)
    except DatabaseError:
        # One by one, to learn which one is refused and why, or that all of them are repetitions.
        return [
            transfer
            for group, slots_of_it in zip(asked, picked, strict=True)
            for transfer in _one_by_one(group, slots_of_it)
        ]


def _post_each(asked: Sequence[Group], picked: Sequence[Group], using: str) -> list[Transfer | Refusal]:
    try:
        posted = insert_many([one for group in picked for one in group], using=using)
    except (DatabaseError, AccountNotFound):
        return [_result(group, slots_of_it, using) for group, slots_of_it in zip(asked, picked, strict=True)]
    return _firsts(asked, posted)


def _firsts(groups: Sequence[Group], posted: Sequence[Transfer]) -> list[Transfer | Refusal]:
    """Return the transfers that were asked for, without their fees."""
    places = accumulate((len(group) for group in groups), initial=0)
    return [posted[place] for place, _ in zip(places, groups, strict=False)]


def _result(asked: Group, picked: Group, using: str) -> Transfer | Refusal:
    try:
        if len(asked) == 1:  # which has a savepoint of its own
            return post_one(asked[0], picked[0])
        with transaction.atomic(using=using):
            return _one_by_one(asked, picked)[0]
    except WalletError as refusal:
        return refusal


def _one_by_one(asked: Group, picked: Group) -> list[Transfer]:
    return [post_one(one, picked_one) for one, picked_one in zip(asked, picked, strict=True)]


def _with_fees(asked: Sequence[Posting], *, charge_fees: bool) -> list[Group]:
    if not charge_fees or not charges_fees():
        return [[one] for one in asked]
    known = _known(asked)
    groups: list[Group] = []
    for one in asked:
        fee = None if one.id in known else fee_of(one.kind, from_minor(one.amount_minor, one.currency))
        groups.append([one] if fee is None else [one, fee_posting(one, fee)])
    return groups


def _known(asked: Sequence[Posting]) -> set[UUID]:
    """Return the keys that stand for transfers already; whether for the same ones is seen when they are posted."""
    ids = Transfer.objects.using(router.db_for_write(Transfer)).filter(id__in=[one.id for one in asked])
    return set(ids.values_list("id", flat=True))


def _into_slots(asked: Posting, using: str) -> Posting:
    source_id = slots.pick(asked.source_id, using=using)
    target_id = slots.pick(asked.target_id, using=using)
    if source_id is asked.source_id and target_id is asked.target_id:
        return asked
    return asked._replace(source_id=source_id, target_id=target_id)


def _learn_slots(asked: Posting, using: str) -> bool:
    sides = [slots.learn(account_id, using=using) for account_id in (asked.source_id, asked.target_id)]
    return any(sides)


def _limited(requests: Sequence[TransferRequest]) -> Sequence[TransferRequest]:
    limit: int = settings.BATCH_MAX_TRANSFERS
    if not 1 <= len(requests) <= limit:
        raise BatchTooLarge(max_transfers=limit, given=len(requests))
    return requests


def _asked(request: TransferRequest, journal_id: UUID | None) -> Posting:
    return posting(
        key=checked_key(request.key),
        source_id=request.source_id,
        target_id=request.target_id,
        amount=request.amount,
        scope_id=request.source_id,
        owner_id=request.owner_id,
        kind=request.kind,
        journal_id=journal_id,
        effective_at=request.effective_at,
        metadata=request.metadata,
    )
