"""The steps of an order that is locked, and what each does to its pieces and to its money."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone
from django_fsm import can_proceed

from holdfast.outbox import emit
from holdfast_artisan_shop.events import OrderCompleted, OrderMoved
from holdfast_artisan_shop.exceptions import OrderStepNotAllowed, PaymentStepNotAllowed
from holdfast_artisan_shop.models import Order, OrderLine, Payment
from holdfast_artisan_shop.services.rows import plain, using
from holdfast_artisan_shop.services.stock import Change, change_stock
from holdfast_artisan_shop.states import MoveKind, PaymentState

STAMPS = ("paid_at", "ready_at", "completed_at", "cancelled_at", "cancel_reason")


def move(order: Order, step: str, **stamps: Any) -> Order:
    """Take a step of a locked order. Raises ``OrderStepNotAllowed``. Emits ``OrderMoved``."""
    take_step, source = getattr(order, step), order.state
    if not can_proceed(take_step):
        raise OrderStepNotAllowed(order_id=str(order.pk), state=source, step=step)
    take_step(at=timezone.now(), **stamps)
    order.save(update_fields=["state", *STAMPS])
    emit(OrderMoved(**told_of(order), source=source, target=order.state), using=using())
    return order


def hand_over(order: Order) -> None:
    """Complete a locked order: its pieces leave the shelf, and its money shall be taken."""
    move(order, "complete")
    change_stock(changes(order, MoveKind.SOLD, on_hand=-1, allocated=-1))
    intend(order, "capture")
    emit(
        OrderCompleted(
            **told_of(order), currency=order.currency, total_minor=order.total_minor, fee_minor=order.fee_minor
        ),
        using=using(),
    )


def changes(order: Order, kind: MoveKind, *, on_hand: int = 0, allocated: int = 0) -> Iterator[Change]:
    """Yield what becomes of the pieces of an order: for each piece the given difference."""
    stocked = OrderLine.objects.using(using()).filter(order=order, stocked=True)
    for variant_id, quantity in stocked.values_list("variant_id", "quantity"):
        yield Change(
            variant_id=variant_id,
            kind=kind,
            on_hand=on_hand * quantity,
            allocated=allocated * quantity,
            order_id=order.pk,
        )


def intend(order: Order, step: str) -> None:
    """Write what shall become of a locked order's money; the gateway is asked after the commit.

    A payment that is still being authorized is released when its answer comes. Raises ``PaymentStepNotAllowed``.
    """
    payment = alive(order)
    if step == "release" and (payment is None or payment.state == PaymentState.AUTHORIZING):
        return
    if payment is None or not can_proceed(getattr(payment, step)):
        raise PaymentStepNotAllowed(payment_id=payment and str(payment.pk), state=payment and payment.state)
    getattr(payment, step)()
    payment.asked_at = None
    payment.save(update_fields=["state", "asked_at"])


def alive(order: Order) -> Payment | None:
    """Return the payment of a locked order that was not declined."""
    payments = Payment.objects.using(using()).select_for_update(no_key=True)
    return payments.filter(order_id=order.pk).exclude(state=PaymentState.DECLINED).first()


def told_of(order: Order) -> dict[str, Any]:
    """Return what every event of an order says."""
    return {"order_id": str(order.pk), "shop_id": str(order.shop_id), "customer_id": plain(order.customer_id)}
