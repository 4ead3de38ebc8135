"""Money from and to the outside, through the payment rail.

Nothing waits on the rail inside a transaction: the intent is committed, the rail is asked, its answer is committed.
Where the last step is lost, the payment is pending, and ``sync_payments`` asks again.
"""

import datetime as dt
import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, router, transaction
from django.utils import timezone
from django_fsm import can_proceed

from holdfast.conf import load_backend
from holdfast.money import Money
from holdfast.outbox import emit
from holdfast_wallet import events
from holdfast_wallet.conf import settings
from holdfast_wallet.exceptions import (
    AccountIsClosed,
    AccountIsFrozen,
    CurrencyMismatch,
    KeyReused,
    PaymentNotFound,
    PaymentNotPending,
    WalletError,
)
from holdfast_wallet.models import Account, Hold, Payment, Transfer
from holdfast_wallet.ports import PaymentOrder, PaymentOutcome, PaymentRail
from holdfast_wallet.selectors import due_payments
from holdfast_wallet.services.accounts import lock_account, open_system_account
from holdfast_wallet.services.holds import capture_hold, release_hold, set_aside
from holdfast_wallet.services.posting import deposit
from holdfast_wallet.services.requests import OwnerId, checked_key, metadata_json, positive_minor
from holdfast_wallet.states import AccountState, HoldState, PaymentDirection, PaymentState, SystemRole

logger = logging.getLogger(__name__)


def request_deposit(
    *, key: UUID, account_id: UUID, amount: Money, owner_id: OwnerId, metadata: Mapping[str, Any] | None = None
) -> Payment:
    """Ask the rail for money from the outside; it is on the account when the rail says that it has arrived.

    Must not be called inside a transaction, because it waits on the rail. Raises ``AccountNotFound``,
    ``AccountIsClosed``, ``CurrencyMismatch``, ``AmountNotPositive``, ``AmountTooLarge``, ``MalformedRequest``,
    ``KeyReused``. Emits ``PaymentRequested``, and ``PaymentSettled`` or ``PaymentFailed`` where the rail answers at
    once.
    """
    return _request(key, account_id, amount, owner_id, metadata, PaymentDirection.DEPOSIT)


def request_withdrawal(
    *, key: UUID, account_id: UUID, amount: Money, owner_id: OwnerId, metadata: Mapping[str, Any] | None = None
) -> Payment:
    """Ask the rail to pay money to the outside; until it has, the money is set aside.

    Must not be called inside a transaction, because it waits on the rail. Raises as ``request_deposit`` does, and
    ``InsufficientFunds``, ``AccountIsFrozen``. Emits ``PaymentRequested``, ``HoldPlaced``, and ``PaymentSettled`` or
    ``PaymentFailed`` where the rail answers at once.
    """
    return _request(key, account_id, amount, owner_id, metadata, PaymentDirection.WITHDRAWAL)


def settle_payment(*, payment_id: UUID, reference: str = "") -> Payment:
    """Post a payment whose money has moved; a second time it changes nothing.

    For whoever speaks for the rail: its webhook, its statement, the staff. Raises ``PaymentNotFound``,
    ``PaymentNotPending`` (it has failed), and as ``transfer`` does. Emits ``PaymentSettled``, ``TransferPosted``.
    """
    with transaction.atomic(using=_using()):
        payment = _lock_payment(payment_id)
        if payment.state == PaymentState.SETTLED:
            return payment
        if not can_proceed(payment.settle):
            raise PaymentNotPending(payment_id=str(payment.id), state=payment.state)

        transfer = _post(payment)
        payment.settle(transfer=transfer, at=timezone.now())
        payment.reference = reference or payment.reference
        payment.save(update_fields=["state", "transfer", "reference", "ended_at", "next_poll_at"])
        emit(
            events.PaymentSettled(
                payment_id=str(payment.id),
                direction=payment.direction,
                account_id=str(payment.account_id),
                transfer_id=str(transfer.id),
                amount_minor=payment.amount_minor,
                currency=payment.currency,
            )
        )
    return payment


def fail_payment(*, payment_id: UUID, reason: str = "") -> Payment:
    """Give up a payment, and give back what was set aside for it; a second time it changes nothing.

    Raises ``PaymentNotFound``, ``PaymentNotPending`` (it was settled). Emits ``PaymentFailed``.
    """
    with transaction.atomic(using=_using()):
        payment = _lock_payment(payment_id)
        if payment.state == PaymentState.FAILED:
            return payment
        if not can_proceed(payment.fail):
            raise PaymentNotPending(payment_id=str(payment.id), state=payment.state)

        if payment.hold is not None and payment.hold.state == HoldState.OPEN:
            release_hold(hold_id=payment.hold.id, owner_id=payment.account.owner_id)
        payment.fail(reason=reason[:500], at=timezone.now())
        payment.save(update_fields=["state", "reason", "ended_at", "next_poll_at"])
        emit(
            events.PaymentFailed(
                payment_id=str(payment.id),
                direction=payment.direction,
                account_id=str(payment.account_id),
                amount_minor=payment.amount_minor,
                currency=payment.currency,
                reason=payment.reason,
            )
        )
    return payment


def sync_payments(*, limit: int = 100) -> int:
    """Ask the rail about pending payments, the longest unasked first, and return how many have ended.

    Must not be called inside a transaction. Several at once ask about different payments.
    """
    ended = 0
    for payment_id in list(due_payments(now=timezone.now()).values_list("id", flat=True)[:limit]):
        payment = _claim(payment_id)
        if payment is not None and _ask_rail(payment).state != PaymentState.PENDING:
            ended += 1
    return ended


def _request(
    key: UUID,
    account_id: UUID,
    amount: Money,
    owner_id: OwnerId,
    metadata: Mapping[str, Any] | None,
    direction: PaymentDirection,
) -> Payment:
    checked_key(key)
    metadata_json(metadata)
    asked = Payment(
        id=key,
        direction=direction,
        account_id=account_id,
        currency=amount.currency.code,
        amount_minor=positive_minor(amount),
        next_poll_at=_next_poll(),
        metadata=dict(metadata or {}),
    )
    try:
        # durable: what the rail is told must not be rolled back by somebody around us.
        with transaction.atomic(using=_using(), durable=True):
            first = _write_intent(asked, owner_id)
    except IntegrityError:
        raise KeyReused(key=str(key)) from None
    return _ask_rail(asked) if first is None else _same(first, asked)


def _write_intent(asked: Payment, owner_id: OwnerId) -> Payment | None:
    """Write a payment down, or return the one that its key already stands for."""
    account = lock_account(account_id=asked.account_id, owner_id=owner_id)
    first = Payment.objects.filter(id=asked.id).first()
    if first is not None:
        return first
    _check(account, asked)
    if asked.direction == PaymentDirection.WITHDRAWAL:
        # Without an end: it lasts until the rail has answered, however long that takes.
        aside = Hold(id=asked.id, account_id=account.id, currency=asked.currency, amount_minor=asked.amount_minor)
        asked.hold = set_aside(aside, owner_id=owner_id)
    asked.save(force_insert=True)
    emit(
        events.PaymentRequested(
            payment_id=str(asked.id),
            direction=asked.direction,
            account_id=str(account.id),
            amount_minor=asked.amount_minor,
            currency=asked.currency,
        )
    )
    return None


def _check(account: Account, asked: Payment) -> None:
    if account.currency != asked.currency:
        raise CurrencyMismatch(account_id=str(account.id), currency=account.currency)
    if account.state == AccountState.CLOSED:
        raise AccountIsClosed(account_id=str(account.id))
    if account.state == AccountState.FROZEN and (
        asked.direction == PaymentDirection.WITHDRAWAL or account.credits_blocked
    ):
        raise AccountIsFrozen(account_id=str(account.id))


def _same(first: Payment, asked: Payment) -> Payment:
    same = (first.direction, first.account_id, first.currency, first.amount_minor, first.metadata) == (
        asked.direction,
        asked.account_id,
        asked.currency,
        asked.amount_minor,
        asked.metadata,
    )
    if not same:
        raise KeyReused(key=str(first.id))
    return first


def _ask_rail(payment: Payment) -> Payment:
    """Ask the rail, outside any transaction, and write down what it says."""
    rail: PaymentRail = load_backend(settings.PAYMENT_RAIL)
    order = PaymentOrder(
        id=payment.id,
        direction=PaymentDirection(payment.direction),
        account_id=payment.account_id,
        amount=payment.amount,
        reference=payment.reference,
    )
    try:
        outcome = rail.poll(order) if payment.started else rail.start(order)
    except Exception:  # whatever a stranger raises, the payment is still pending
        logger.exception("The payment rail did not answer for payment %s.", payment.id)
        return payment
    try:
        return _write_outcome(payment, outcome)
    except WalletError:
        # The money has moved, but its account does not take it (any more): the staff must see to it.
        logger.exception("Payment %s cannot be settled.", payment.id)
        return payment


def _write_outcome(payment: Payment, outcome: PaymentOutcome) -> Payment:
    if outcome.state == PaymentState.SETTLED:
        return settle_payment(payment_id=payment.id, reference=outcome.reference)
    if outcome.state == PaymentState.FAILED:
        return fail_payment(payment_id=payment.id, reason=outcome.reason)
    with transaction.atomic(using=_using()):
        payment = _lock_payment(payment.id)
        payment.started = True
        payment.reference = outcome.reference or payment.reference
        payment.save(update_fields=["started", "reference"])
    return payment


def _claim(payment_id: UUID) -> Payment | None:
    """Return a payment that is due, and let nobody else ask about it for a while."""
    with transaction.atomic(using=_using(), durable=True):
        payment = (
            due_payments(now=timezone.now())
            .select_for_update(skip_locked=True, no_key=True)
            .filter(id=payment_id)
            .first()
        )
        if payment is not None:
            payment.next_poll_at = _next_poll()
            payment.save(update_fields=["next_poll_at"])
    return payment


def _post(payment: Payment) -> Transfer:
    owner_id = payment.account.owner_id
    if payment.direction == PaymentDirection.DEPOSIT:
        return deposit(key=payment.id, account_id=payment.account_id, amount=payment.amount, owner_id=owner_id)
    cash = open_system_account(role=SystemRole.CASH_OUT, currency=payment.currency)
    return capture_hold(key=payment.id, hold_id=payment.id, target_id=cash.id, owner_id=owner_id)


def _lock_payment(payment_id: UUID) -> Payment:
    # Payments are locked before accounts, everywhere.
    payment = Payment.objects.select_for_update(no_key=True, of=("self",)).filter(id=payment_id).first()
    if payment is None:
        raise PaymentNotFound(payment_id=str(payment_id))
    return payment


def _next_poll() -> dt.datetime:
    return timezone.now() + dt.timedelta(seconds=settings.PAYMENT_POLL_SECONDS)


def _using() -> str:
    return router.db_for_write(Payment)
