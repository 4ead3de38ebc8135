"""Payments: what is asked of the gateway is committed before, what it answers after; in between is no transaction."""

import datetime as dt
import logging
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django_fsm import can_proceed

from holdfast.conf import load_backend
from holdfast.outbox import emit
from holdfast.transactions import atomic_for
from holdfast_artisan_shop.conf import settings
from holdfast_artisan_shop.events import OrderPaid, PaymentFailed
from holdfast_artisan_shop.exceptions import (
    OrderNotFound,
    OrderStepNotAllowed,
    PaymentDeclined,
    PaymentNotFound,
    PaymentStepNotAllowed,
    PaymentUnavailable,
)
from holdfast_artisan_shop.models import Order, Payment, Purchase
from holdfast_artisan_shop.models.payments import INTENTS
from holdfast_artisan_shop.ports import Answer, Charge, PaymentGateway
from holdfast_artisan_shop.services import steps
from holdfast_artisan_shop.services.rows import lock_order, using
from holdfast_artisan_shop.services.texts import cleaned
from holdfast_artisan_shop.states import OrderState, PaymentState

logger = logging.getLogger("holdfast_artisan_shop")

BATCH = 100
# What the gateway is asked for, and what follows when it says yes.
ASKED = {
    PaymentState.AUTHORIZING: ("authorize", "authorized"),
    PaymentState.CAPTURING: ("capture", "captured"),
    PaymentState.RELEASING: ("release", "released"),
    PaymentState.REFUNDING: ("refund", "refunded"),
}
# What the gateway owes where it has refused: an order is further than its money.
OWED = {
    OrderState.COMPLETED: PaymentState.CAPTURING,
    OrderState.CANCELLED: PaymentState.RELEASING,
    OrderState.REFUNDED: PaymentState.REFUNDING,
}


def pay_order(*, order_id: UUID, customer_id: Any) -> Order:
    """Set the money of an order aside; after a decline it may be tried again.

    Raises ``OrderNotFound``, ``OrderStepNotAllowed``, ``PaymentDeclined``, ``PaymentUnavailable`` where the gateway
    does not answer (it is asked again). Emits ``OrderMoved``, ``OrderPaid`` or ``PaymentFailed``.
    """
    with atomic_for(Payment, durable=True):
        order = lock_order(order_id, customer_id=customer_id)
        if order.state != OrderState.PENDING:
            raise OrderStepNotAllowed(order_id=str(order_id), state=order.state, step="pay")
        payment = steps.alive(order)
        if payment is None:
            payment = Payment(
                order=order, currency=order.currency, amount_minor=order.total_minor, fee_minor=order.fee_minor
            )
            payment.save(force_insert=True, using=using())
    payment = settle_payment(payment_id=payment.pk)
    if payment.state == PaymentState.DECLINED:
        raise PaymentDeclined(order_id=str(order_id), reason=payment.reason)
    if payment.state == PaymentState.AUTHORIZING:
        raise PaymentUnavailable(order_id=str(order_id))
    return Order.objects.using(using()).get(pk=order_id)


def pay_purchase(*, purchase_id: UUID, customer_id: Any) -> list[Order]:
    """Pay each order of a purchase that is not paid yet. Raises and emits as ``pay_order`` does."""
    purchase = Purchase.objects.using(using()).filter(pk=purchase_id, customer_id=customer_id).first()
    if purchase is None:
        raise OrderNotFound(purchase_id=str(purchase_id))
    orders = Order.objects.using(using()).filter(purchase=purchase)
    for order in orders.filter(state=OrderState.PENDING):
        pay_order(order_id=order.pk, customer_id=customer_id)
    return list(orders.order_by("pk"))


def retry_payment(*, order_id: UUID, actor_id: Any) -> Order:
    """Ask the gateway once more for what it has refused although it had promised it, after a person has talked to it.

    Raises ``OrderNotFound``, ``PaymentStepNotAllowed``. Emits ``PaymentFailed`` where it refuses again.
    """
    with atomic_for(Payment):
        order = lock_order(order_id, actor_id=actor_id)
        payment = steps.alive(order)
        if payment is None or not can_proceed(payment.retry):
            raise PaymentStepNotAllowed(payment_id=payment and str(payment.pk), state=payment and payment.state)
        payment.retry(intent=OWED[OrderState(order.state)])
        payment.save(update_fields=["state", "reason", "asked_at"])
    settle_order(order_id=order.pk)
    return order


def settle_payment(*, payment_id: UUID) -> Payment:
    """Ask the gateway for what a payment intends, and write down its answer; without one the intent stays.

    Raises ``PaymentNotFound``. Emits ``OrderMoved`` and ``OrderPaid``, or ``PaymentFailed``.
    """
    while True:
        payment = Payment.objects.using(using()).select_related("order__shop").filter(pk=payment_id).first()
        if payment is None:
            raise PaymentNotFound(payment_id=str(payment_id))
        if payment.state not in INTENTS:
            return payment
        with atomic_for(Payment, durable=True):  # the gateway is never waited for in a transaction
            Payment.objects.using(using()).filter(pk=payment_id).update(asked_at=timezone.now())
        try:
            answer = _ask(payment)
        except Exception:
            # Whatever a stranger raises: nobody knows whether it was done, so it is asked again.
            logger.exception("The gateway did not answer for payment %s (%s).", payment_id, payment.state)
            return payment
        _conclude(payment, answer)


def settle_payments(*, limit: int = BATCH) -> int:
    """Ask again for what the gateway has not answered yet; return how many payments were asked for."""
    before = timezone.now() - dt.timedelta(seconds=settings.PAYMENT_RETRY_SECONDS)
    waiting = Payment.objects.using(using()).filter(Q(asked_at=None) | Q(asked_at__lte=before), state__in=INTENTS)
    # Those that were never asked for first: they must not wait for what the gateway keeps leaving open.
    queue = waiting.order_by(F("asked_at").asc(nulls_first=True), "pk")
    payment_ids = list(queue.values_list("pk", flat=True)[:limit])
    for payment_id in payment_ids:
        settle_payment(payment_id=payment_id)
    return len(payment_ids)


def settle_order(*, order_id: UUID) -> None:
    """Ask for what an order's payment intends, once everything is committed."""
    payment = Payment.objects.using(using()).filter(order_id=order_id, state__in=INTENTS).values("pk").first()
    if payment is None:
        return

    def ask() -> None:  # no partial: Django names a robust callback when it fails, and a partial has no name
        settle_payment(payment_id=payment["pk"])

    # The step is taken and stays so, whatever comes of the asking: it is asked again.
    transaction.on_commit(ask, using=using(), robust=True)


def _ask(payment: Payment) -> Answer:
    if not payment.amount_minor:
        return Answer(accepted=True, reference="nothing to pay")
    order = payment.order
    charge = Charge(
        id=payment.pk,
        order_id=order.pk,
        shop_id=order.shop_id,
        buyer_id=order.customer_id,
        seller_id=order.shop.owner_id,
        amount=payment.amount,
        fee=payment.fee,
        reference=payment.reference,
    )
    gateway: PaymentGateway = load_backend(settings.PAYMENT)
    verb, _step = ASKED[PaymentState(payment.state)]
    answer: Answer = getattr(gateway, verb)(charge)
    # A stranger's words, cut to what can be stored.
    return Answer(
        accepted=answer.accepted, reference=cleaned(answer.reference, 200), reason=cleaned(answer.reason, 500)
    )


@atomic_for(Payment)
def _conclude(asked: Payment, answer: Answer) -> None:
    # The order first, as everywhere.
    order = lock_order(asked.order_id)
    payment = Payment.objects.using(using()).select_for_update(no_key=True).get(pk=asked.pk)
    if payment.state != asked.state:
        return  # somebody else has asked for the same, and was faster
    if not answer.accepted:
        _refused(payment, order, answer.reason)
    elif payment.state == PaymentState.AUTHORIZING:
        payment.authorized(reference=answer.reference)
        if order.state == OrderState.PENDING:
            steps.move(order, "mark_paid")
            emit(
                OrderPaid(**steps.told_of(order), currency=order.currency, total_minor=order.total_minor),
                using=using(),
            )
        else:
            payment.release()  # cancelled while the gateway was thinking
    else:
        _verb, step = ASKED[PaymentState(payment.state)]
        getattr(payment, step)()
    payment.save(update_fields=["state", "reference", "reason"])


def _refused(payment: Payment, order: Order, reason: str) -> None:
    if payment.state == PaymentState.AUTHORIZING:
        payment.declined(reason=reason)
    else:
        payment.fail(reason=reason)
    emit(PaymentFailed(order_id=str(order.pk), payment_id=str(payment.pk), reason=reason), using=using())
