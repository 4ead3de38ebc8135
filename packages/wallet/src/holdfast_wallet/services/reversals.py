"""Reversals: give money back, never more than was."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import router, transaction

from holdfast.money import Money
from holdfast_wallet.exceptions import (
    CurrencyMismatch,
    KeyReused,
    NotReversible,
    ReversalExceedsOriginal,
    TransferNotFound,
)
from holdfast_wallet.models import Transfer
from holdfast_wallet.selectors import reversible
from holdfast_wallet.services.posting import lock_accounts, post_one
from holdfast_wallet.services.requests import OwnerId, checked_key, plain_metadata, posting
from holdfast_wallet.states import TransferKind


def reverse(
    *,
    key: UUID,
    transfer_id: UUID,
    owner_id: OwnerId,
    amount: Money | None = None,
    reason: str = "",
    metadata: Mapping[str, Any] | None = None,
) -> Transfer:
    """Give back what a transfer brought, in whole or in part, by a transfer in the other direction in the same journal.

    The scope is whoever gives: the owner of the account that received. Without an amount all that is left is given
    back; never more than was, however many reversals there are at once.

    Raises ``TransferNotFound``, ``NotReversible``, ``ReversalExceedsOriginal``, and as ``transfer`` does. Emits
    ``TransferPosted``.
    """
    checked_key(key)
    noted = {**(metadata or {}), **({"reason": reason} if reason else {})}
    noted = plain_metadata(noted)
    using = router.db_for_write(Transfer)
    with transaction.atomic(using=using):
        original = Transfer.objects.using(using).filter(id=transfer_id, target__owner_id=owner_id).first()
        if original is None:
            raise TransferNotFound(transfer_id=str(transfer_id))
        # The same two rows for every reversal of this transfer: they come one after the other.
        lock_accounts({original.source_id, original.target_id}, using=using)
        first = Transfer.objects.using(using).filter(id=key).first()
        if first is not None:
            if first.reverses_id != original.id or first.metadata != noted or amount not in (None, first.amount):
                raise KeyReused(key=str(key))
            return first
        if original.reverses_id is not None:
            raise NotReversible(transfer_id=str(original.id))
        left = reversible(original)
        given_back = left if amount is None else amount
        if given_back.currency.code != original.currency:
            raise CurrencyMismatch(account_id=str(original.target_id), currency=original.currency)
        if not left.amount or given_back > left:
            raise ReversalExceedsOriginal(
                transfer_id=str(original.id), reversible=str(left.amount), currency=original.currency
            )
        return post_one(
            posting(
                key=key,
                source_id=original.target_id,
                target_id=original.source_id,
                amount=given_back,
                scope_id=original.target_id,
                owner_id=owner_id,
                kind=TransferKind.REVERSAL,
                journal_id=original.journal_id,
                reverses_id=original.id,
                metadata=noted,
            )
        )
