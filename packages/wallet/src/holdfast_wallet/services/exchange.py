"""Exchange: money of one currency for money of another, through the house."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any
from uuid import UUID

from django.db import router, transaction

from holdfast.conf import load_backend
from holdfast.money import Money, quantize
from holdfast_wallet.conf import settings
from holdfast_wallet.exceptions import (
    AccountNotFound,
    AmountTooSmall,
    CurrencyMismatch,
    KeyReused,
    RateInvalid,
    RateUnavailable,
)
from holdfast_wallet.models import Account, Transfer
from holdfast_wallet.ports import OwnerId, RateSource
from holdfast_wallet.services import slots
from holdfast_wallet.services.accounts import open_system_account
from holdfast_wallet.services.posting import derived_key, fee_of, fee_posting, post_all
from holdfast_wallet.services.requests import checked_key, plain_metadata, positive_minor, posting
from holdfast_wallet.states import SystemRole, TransferKind


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """An exchange: what went, what came, at which rate, and what it cost."""

    debit: Transfer
    credit: Transfer
    rate: Decimal
    fee: Transfer | None = None

    @property
    def sold(self) -> Money:
        """What went."""
        return self.debit.amount

    @property
    def bought(self) -> Money:
        """What came."""
        return self.credit.amount


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What an exchange would bring, at which rate, and what it would cost."""

    rate: Decimal
    sold: Money
    bought: Money
    fee: Money | None


def quote(*, source_id: UUID, target_id: UUID, amount: Money, owner_id: OwnerId) -> Quote:
    """Say what ``exchange`` would bring at the rate of now. Nothing is locked or written, so nothing is promised.

    Raises ``AccountNotFound``, ``CurrencyMismatch``, ``RateUnavailable``, ``AmountTooSmall``, ``AmountNotPositive``,
    ``AmountTooLarge``.
    """
    positive_minor(amount)
    source, target = _accounts(source_id, target_id, owner_id, amount)
    rate = _rate_of(source.currency, target.currency)
    bought = _bought(amount, rate, target.currency)
    return Quote(rate=rate, sold=amount, bought=bought, fee=fee_of(TransferKind.EXCHANGE, amount))


def exchange(
    *,
    key: UUID,
    source_id: UUID,
    target_id: UUID,
    amount: Money,
    owner_id: OwnerId,
    rate: Decimal | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Exchange:
    """Change money of the source's currency into the target's: at ``rate``, or at the one that the rate source gives.

    Both accounts are the owner's. Without a ``rate`` it should not be called inside a transaction, because the rate
    source may be far away.

    Four balanced legs in one journal, whose id is ``key``: the source pays the house's FX account of its currency,
    the house's FX account of the other currency pays the target. What the target gets is rounded down to a whole
    minor unit, in favor of the house; the fee, if there is one, is a transfer of its own.

    Raises ``RateUnavailable``, ``RateInvalid``, ``AmountTooSmall``, ``CurrencyMismatch`` (also where both are of one
    currency), and as ``transfer`` does. Emits ``TransferPosted`` for each transfer.
    """
    checked_key(key)
    positive_minor(amount)
    if rate is not None and not (rate.is_finite() and rate > 0):
        raise RateInvalid(rate=str(rate))
    source, target = _accounts(source_id, target_id, owner_id, amount)
    asked = _Asked(key, source, target, amount, rate, plain_metadata(metadata))
    first = _replay(asked)
    if first is not None:
        return first
    # The rate source may be far away: it is asked before any lock is taken.
    used = rate if rate is not None else _rate_of(source.currency, target.currency)
    try:
        # One transaction, so that a refusal leaves no account of the house behind that was opened for it.
        with transaction.atomic(using=router.db_for_write(Transfer)):
            return _post(asked, used, owner_id)
    except KeyReused:
        # A twin of this request came first; only the rate that the source gave may be another one.
        twin = _replay(asked)
        if twin is None:
            raise
        return twin


@dataclass(frozen=True)
class _Asked:
    key: UUID
    source: Account
    target: Account
    amount: Money
    rate: Decimal | None
    metadata: dict[str, Any]


def _accounts(source_id: UUID, target_id: UUID, owner_id: OwnerId, amount: Money) -> tuple[Account, Account]:
    mine = Account.objects.using(router.db_for_write(Account)).filter(owner_id=owner_id)
    found = mine.in_bulk([source_id, target_id])
    source, target = found.get(source_id), found.get(target_id)
    if source is None or target is None:
        raise AccountNotFound(account_id=str(target_id if source else source_id))
    if source.currency != amount.currency.code or source.currency == target.currency:
        raise CurrencyMismatch(account_id=str(source_id), currency=source.currency)
    return source, target


def _rate_of(source: str, target: str) -> Decimal:
    rates: RateSource = load_backend(settings.RATES)
    rate = rates.rate(source, target)
    if rate is None or not rate.is_finite() or rate <= 0:
        raise RateUnavailable(source=source, target=target)
    return rate


def _bought(amount: Money, rate: Decimal, currency: str) -> Money:
    bought = quantize(amount.amount * rate, currency, ROUND_DOWN)
    if not bought.amount:
        raise AmountTooSmall(amount=str(amount.amount), currency=amount.currency.code, target_currency=currency)
    return bought


def _post(asked: _Asked, rate: Decimal, owner_id: OwnerId) -> Exchange:
    source, target, amount = asked.source, asked.target, asked.amount
    bought = _bought(amount, rate, target.currency)
    noted = {**asked.metadata, "rate": str(rate)}
    debit = posting(
        key=asked.key,
        source_id=source.id,
        target_id=open_system_account(role=SystemRole.FX, currency=source.currency).id,
        amount=amount,
        scope_id=source.id,
        owner_id=owner_id,
        kind=TransferKind.EXCHANGE,
        metadata=noted,
    )
    house = open_system_account(role=SystemRole.FX, currency=target.currency)
    credit = posting(
        key=derived_key(asked.key, "credit"),
        source_id=house.id,
        target_id=target.id,
        amount=bought,
        scope_id=house.id,
        owner_id=None,
        kind=TransferKind.EXCHANGE,
        journal_id=asked.key,
        metadata=noted,
    )
    fee = fee_of(TransferKind.EXCHANGE, amount)
    legs = [debit, credit] if fee is None else [debit, credit, fee_posting(debit, fee)]
    posted = post_all(legs)
    return Exchange(debit=posted[0], credit=posted[1], rate=rate, fee=posted[2] if len(posted) > 2 else None)


def _replay(asked: _Asked) -> Exchange | None:
    """Return the exchange that the key already stands for, if any. Raises ``KeyReused`` where it is another one."""
    using = router.db_for_write(Transfer)
    keys = [asked.key, derived_key(asked.key, "credit"), derived_key(asked.key, "fee")]
    legs = Transfer.objects.using(using).in_bulk(keys)
    if not legs:
        return None
    debit, credit, fee = (legs.get(key) for key in keys)
    same = (
        debit is not None
        and credit is not None
        and debit.kind == TransferKind.EXCHANGE
        and debit.amount == asked.amount
        and slots.same_account(debit.source_id, asked.source.id, using=using)
        and slots.same_account(credit.target_id, asked.target.id, using=using)
        and {**asked.metadata, "rate": debit.metadata["rate"]} == debit.metadata
        and asked.rate in (None, Decimal(debit.metadata["rate"]))
    )
    if debit is None or credit is None or not same:
        raise KeyReused(key=str(asked.key))
    return Exchange(debit=debit, credit=credit, rate=Decimal(debit.metadata["rate"]), fee=fee)
