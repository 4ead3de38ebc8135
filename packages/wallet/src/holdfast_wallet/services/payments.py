"""Money from and to the outside, through the payment rail.

Nothing waits on the rail inside a transaction: the intent is committed, the rail is asked, its answer is committed.
Where the last step is lost, the payment is pending, and ``sync_payments`` asks again.

Money that has moved is posted, come what may: where its account does not take it any more, to the house's suspense
account, with an event for the staff.
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
    HoldNotFound,
    KeyReused,
    PaymentNotFound,
    PaymentNotPending,
    WalletError,
)
from holdfast_wallet.models import Account, Hold, Payment, Transfer
from holdfast_wallet.ports import PaymentOrder, PaymentOutcome, PaymentRail
from holdfast_wallet.selectors import due_payments
from holdfast_wallet.services.accounts import lock_account, open_system_account
from holdfast_wallet.services.holds import HoldPart, capture_whole, give_back, set_aside
from holdfast_wallet.services.posting import deposit, derived_key, fee_of, post_one
from holdfast_wallet.services.requests import OwnerId, checked_key, plain_metadata, positive_minor, posting
from holdfast_wallet.states import (
    AccountState,
    HoldState,
    PaymentDirection,
    PaymentState,
    SystemRole,
    TransferKind,
)

logger = logging.getLogger(__name__)

REFERENCE_LENGTH, REASON_LENGTH = 200, 500


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
    """Ask the rail to pay money to the outside; until it has, the money and the fee, if any, are set aside.

    Must not be called inside a transaction, because it waits on the rail. Raises as ``request_deposit`` does, and
    ``InsufficientFunds``, ``AccountIsFrozen``. Emits ``PaymentRequested``, ``HoldPlaced``, and ``PaymentSettled`` or
    ``PaymentFailed`` where the rail answers at once.
    """
    return _request(key, account_id, amount, owner_id, metadata, PaymentDirection.WITHDRAWAL)


def settle_payment(*, payment_id: UUID, reference: str = "") -> Payment:
    """Post a payment whose money has moved; a second time it changes nothing.

    For whoever speaks for the rail: its webhook, its statement, the staff. An account that was frozen since pays a
    withdrawal all the same. Where the account does not take the payment any more (closed, full, its hold gone), it is
    posted to the house's suspense account, and ``reason`` says why.

    Raises ``PaymentNotFound``, ``PaymentNotPending`` (it has failed). Emits ``TransferPosted``, and ``PaymentSettled``
    or ``PaymentSuspended``.
    """
    with transaction.atomic(using=_using()):
        payment = _lock_payment(payment_id)
        if payment.state == PaymentState.SETTLED:
            return payment
        if not can_proceed(payment.settle):
            raise PaymentNotPending(payment_id=str(payment.id), state=payment.state)

        transfer, refusal = _post(payment)
        payment.settle(transfer=transfer, at=timezone.now())
        payment.reference = _printable(reference, REFERENCE_LENGTH) or payment.reference
        payment.reason = "" if refusal is None else refusal.code
        payment.save(
            using=_using(), update_fields=["state", "transfer", "reference", "reason", "ended_at", "next_poll_at"]
        )
        _tell_settled(payment)
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

        hold = _hold_of(payment)
        if hold is not None and hold.state == HoldState.OPEN:
            give_back(hold_id=hold.id, owner_id=_owner_of(payment))
        payment.fail(reason=_printable(reason, REASON_LENGTH), at=timezone.now())
        payment.save(using=_using(), update_fields=["state", "reason", "ended_at", "next_poll_at"])
        emit(
            events.PaymentFailed(
                payment_id=str(payment.id),
                direction=payment.direction,
                account_id=str(payment.account_id),
                amount_minor=payment.amount_minor,
                currency=payment.currency,
                reason=payment.reason,
            ),
            using=_using(),
        )
    return payment


def sync_payments(*, limit: int = 100) -> int:
    """Ask the rail about pending payments, the longest unasked first, and return how many have ended.

    Must not be called inside a transaction. Several at once ask about different payments. A payment about which
    nothing is known yet rests longer each time.
    """
    due = due_payments(now=timezone.now()).using(_using()).values_list("id", flat=True)
    ended = 0
    for payment_id in list(due[:limit]):
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
    noted = plain_metadata(metadata)
    asked = Payment(
        id=key,
        direction=direction,
        account_id=account_id,
        currency=amount.currency.code,
        amount_minor=positive_minor(amount),
        next_poll_at=timezone.now() + dt.timedelta(seconds=settings.PAYMENT_POLL_SECONDS),
        metadata=noted,
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
    first = Payment.objects.using(_using()).filter(id=asked.id).first()
    if first is not None:
        return first
    _check(account, asked)
    if asked.direction == PaymentDirection.WITHDRAWAL:
        # Without an end: it lasts until the rail has answered, however long that takes. With its fee, so that it is
        # there when the rail has paid.
        fee = fee_of(TransferKind.WITHDRAWAL, asked.amount)
        minor = asked.amount_minor + (0 if fee is None else positive_minor(fee))
        aside = Hold(id=asked.id, account_id=account.id, currency=asked.currency, amount_minor=minor)
        asked.hold = set_aside(aside, owner_id=owner_id)
    asked.save(using=_using(), force_insert=True)
    emit(
        events.PaymentRequested(
            payment_id=str(asked.id),
            direction=asked.direction,
            account_id=str(account.id),
            amount_minor=asked.amount_minor,
            currency=asked.currency,
        ),
        using=_using(),
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
    except Exception:  # the rail has answered: whatever is wrong here, it will be asked again, and the others too
        logger.exception("What the rail says of payment %s could not be written down.", payment.id)
        return payment


def _write_outcome(payment: Payment, outcome: PaymentOutcome) -> Payment:
    if outcome.state == PaymentState.SETTLED:
        return settle_payment(payment_id=payment.id, reference=outcome.reference)
    if outcome.state == PaymentState.FAILED:
        return fail_payment(payment_id=payment.id, reason=outcome.reason)
    with transaction.atomic(using=_using()):
        payment = _lock_payment(payment.id)
        payment.started = True
        payment.reference = _printable(outcome.reference, REFERENCE_LENGTH) or payment.reference
        payment.save(using=_using(), update_fields=["started", "reference"])
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
            payment.next_poll_at = _next_poll(payment)
            payment.save(using=_using(), update_fields=["next_poll_at"])
    return payment


def _post(payment: Payment) -> tuple[Transfer, WalletError | None]:
    """Post a payment to its account, or else to the suspense account; then also return what the account refused."""
    try:
        with transaction.atomic(using=_using()):
            return _post_to_account(payment), None
    except WalletError as refusal:
        logger.warning("Payment %s goes to the suspense account: %s", payment.id, refusal)
        return _post_to_suspense(payment, refusal), refusal


def _post_to_account(payment: Payment) -> Transfer:
    owner_id = _owner_of(payment)
    if payment.direction == PaymentDirection.DEPOSIT:
        return deposit(key=payment.id, account_id=payment.account_id, amount=payment.amount, owner_id=owner_id)
    hold = _hold_of(payment)
    if hold is None:
        raise HoldNotFound(payment_id=str(payment.id))
    cash = open_system_account(role=SystemRole.CASH_OUT, currency=payment.currency)
    parts = [HoldPart(payment.id, cash.id, payment.amount)]
    fee = hold.remaining - payment.amount
    if fee.amount > 0:
        fees = open_system_account(role=SystemRole.FEES, currency=payment.currency)
        parts.append(HoldPart(derived_key(payment.id, "fee"), fees.id, fee, TransferKind.FEE))
    return capture_whole(hold_id=hold.id, owner_id=owner_id, parts=parts)[0]


def _post_to_suspense(payment: Payment, refusal: WalletError) -> Transfer:
    suspense = open_system_account(role=SystemRole.SUSPENSE, currency=payment.currency)
    incoming = payment.direction == PaymentDirection.DEPOSIT
    cash = open_system_account(role=SystemRole.CASH_IN if incoming else SystemRole.CASH_OUT, currency=payment.currency)
    source_id, target_id = (cash.id, suspense.id) if incoming else (suspense.id, cash.id)
    return post_one(
        posting(
            key=derived_key(payment.id, "suspense"),
            source_id=source_id,
            target_id=target_id,
            amount=payment.amount,
            scope_id=source_id,
            owner_id=None,
            kind=TransferKind.DEPOSIT if incoming else TransferKind.WITHDRAWAL,
            journal_id=payment.id,
            metadata={"account": str(payment.account_id), "refusal": refusal.code},
        )
    )


def _tell_settled(payment: Payment) -> None:
    fact: dict[str, Any] = {
        "payment_id": str(payment.id),
        "direction": payment.direction,
        "account_id": str(payment.account_id),
        "transfer_id": str(payment.transfer_id),
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
    }
    suspended = events.PaymentSuspended(**fact, reason=payment.reason) if payment.reason else None
    emit(suspended or events.PaymentSettled(**fact), using=_using())


def _hold_of(payment: Payment) -> Hold | None:
    return Hold.objects.using(_using()).filter(payment=payment).first()


def _owner_of(payment: Payment) -> OwnerId:
    return Account.objects.using(_using()).values_list("owner_id", flat=True).get(id=payment.account_id)


def _printable(text: str, length: int) -> str:
    """Return what the rail says as the ledger can store it: a rail that paid is heard, however it talks."""
    return "".join(character for character in str(text) if character.isprintable())[:length]


def _lock_payment(payment_id: UUID) -> Payment:
    # Payments are locked before accounts, everywhere.
    payment = Payment.objects.select_for_update(no_key=True, of=("self",)).filter(id=payment_id).first()
    if payment is None:
        raise PaymentNotFound(payment_id=str(payment_id))
    return payment


def _next_poll(payment: Payment) -> dt.datetime:
    """Return when to ask again: after as long as the payment is old, so that each rest is twice the one before."""
    now = timezone.now()
    shortest: int = settings.PAYMENT_POLL_SECONDS
    longest: int = settings.PAYMENT_POLL_MAX_SECONDS
    age = (now - payment.created_at).total_seconds()
    return now + dt.timedelta(seconds=min(max(age, shortest), max(longest, shortest)) if shortest else 0)


def _using() -> str:
    return router.db_for_write(Payment)
