"""The states: each law as a table, and each wrong step tried."""

import datetime as dt
from functools import partialmethod

import pytest
from django.db import connection
from django.utils import timezone

from holdfast.conf import load_backend
from holdfast.testing import captured_events, transition_table
from holdfast_artisan_shop import events, exceptions, services
from holdfast_artisan_shop.backends.dummy import DummyGateway
from holdfast_artisan_shop.models import Delivery, Order, Payment, Shop, Slot
from holdfast_artisan_shop.ports import Answer
from holdfast_artisan_shop.services import Choice
from holdfast_artisan_shop.states import DeliveryState, Fulfillment, OrderState, PaymentState
from holdfast_artisan_shop.testing import STEPS, PaymentContract, make_order, make_product, make_user
from tests.artisan_shop.books import check_books, figures

pytestmark = pytest.mark.django_db(transaction=True)


class Gateway:
    """A gateway that says what it is told, and remembers what it was asked."""

    said = []
    answers = {}

    def _answer(self, verb, charge):
        self.said.append((verb, charge.amount.amount))
        answer = self.answers.get(verb, Answer(accepted=True, reference="ref"))
        if isinstance(answer, Exception):
            raise answer
        return answer(charge) if callable(answer) else answer

    authorize = partialmethod(_answer, "authorize")
    capture = partialmethod(_answer, "capture")
    release = partialmethod(_answer, "release")
    refund = partialmethod(_answer, "refund")


@pytest.fixture
def gateway(settings):
    settings.HOLDFAST_ARTISAN_SHOP = {"PAYMENT": {"BACKEND": "tests.artisan_shop.test_transitions.Gateway"}}
    gateway = type(load_backend(settings.HOLDFAST_ARTISAN_SHOP["PAYMENT"]))
    gateway.said, gateway.answers = [], {}
    return gateway


def test_the_law_of_orders():
    assert transition_table(Order) == {
        ("pending", "cancel"): "cancelled",
        ("pending", "mark_paid"): "paid",
        ("paid", "cancel"): "cancelled",
        ("paid", "finish"): "ready",
        ("paid", "start"): "processing",
        ("processing", "cancel"): "cancelled",
        ("processing", "finish"): "ready",
        ("ready", "cancel"): "cancelled",
        ("ready", "complete"): "completed",
        ("ready", "send"): "out_for_delivery",
        ("out_for_delivery", "bring_back"): "ready",
        ("out_for_delivery", "complete"): "completed",
        ("completed", "refund"): "refunded",
    }


def test_the_law_of_deliveries():
    assert transition_table(Delivery) == {
        ("scheduled", "cancel"): "cancelled",
        ("scheduled", "deliver"): "delivered",
        ("scheduled", "fail"): "failed",
        ("scheduled", "reschedule"): "scheduled",
        ("scheduled", "send"): "out_for_delivery",
        ("out_for_delivery", "deliver"): "delivered",
        ("out_for_delivery", "fail"): "failed",
        ("failed", "cancel"): "cancelled",
        ("failed", "reschedule"): "scheduled",
    }


def test_the_law_of_payments_and_shops():
    assert transition_table(Payment) == {
        ("authorizing", "authorized"): "authorized",
        ("authorizing", "declined"): "declined",
        ("authorized", "capture"): "capturing",
        ("authorized", "release"): "releasing",
        ("capturing", "captured"): "captured",
        ("capturing", "fail"): "failed",
        ("failed", "retry"): "capturing | releasing | refunding",
        ("captured", "refund"): "refunding",
        ("releasing", "fail"): "failed",
        ("releasing", "released"): "released",
        ("refunding", "fail"): "failed",
        ("refunding", "refunded"): "refunded",
    }
    assert transition_table(Shop) == {
        ("draft", "close"): "closed",
        ("draft", "open"): "open",
        ("open", "close"): "closed",
        ("open", "go_on_holiday"): "holiday",
        ("holiday", "close"): "closed",
        ("holiday", "open"): "open",
        ("closed", "open"): "open",
    }


VERBS = {
    "start": {OrderState.PAID},
    "finish": {OrderState.PAID, OrderState.PROCESSING},
    "complete": {OrderState.READY},
    "refund": {OrderState.COMPLETED},
    "decline": {OrderState.PENDING, OrderState.PAID, OrderState.PROCESSING, OrderState.READY},
    "cancel": {OrderState.PENDING, OrderState.PAID},
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", STEPS)
def test_in_any_other_state_a_step_is_refused_and_nobody_is_told(verb, state, bob, shop, bowl):
    order = make_order(customer=bob, product=bowl, state=state)
    scope = {"customer_id": bob.pk} if verb == "cancel" else {"actor_id": shop.owner_id}
    step = getattr(services, f"{verb}_order")
    with captured_events() as told:
        if state in VERBS[verb]:
            step(order_id=order.pk, **scope)
            assert told
        else:
            with pytest.raises(exceptions.OrderStepNotAllowed) as refusal:
                step(order_id=order.pk, **scope)
            assert refusal.value.context["state"] == state
            assert (Order.objects.get(pk=order.pk).state, list(told)) == (state, [])
    check_books()


def test_an_order_of_somebody_else_is_not_found(bob, ada, shop, bowl):
    order = make_order(customer=bob, product=bowl)
    stranger = make_user()
    for verb in (services.start_order, services.finish_order, services.complete_order, services.decline_order):
        with pytest.raises(exceptions.OrderNotFound):
            verb(order_id=order.pk, actor_id=stranger.pk)
    for verb in (services.cancel_order, services.pay_order):
        with pytest.raises(exceptions.OrderNotFound):
            verb(order_id=order.pk, customer_id=ada.pk)


def test_the_goods_leave_the_shelf_when_the_customer_has_them_and_the_money_is_taken(gateway, bob, shop, bowl):
    order = make_order(customer=bob, product=bowl, quantity=2, state=OrderState.COMPLETED)
    assert figures(bowl) == (8, 0, 0)
    assert [verb for verb, _amount in gateway.said] == ["authorize", "capture"]
    services.refund_order(order_id=order.pk, actor_id=shop.owner_id, restock=True)
    assert (figures(bowl), gateway.said[-1][0]) == ((10, 0, 0), "refund")
    assert Payment.objects.get().state == PaymentState.REFUNDED
    check_books()


def test_a_declined_payment_leaves_the_order_to_be_paid_otherwise(gateway, bob, bowl):
    order = make_order(customer=bob, product=bowl)
    gateway.answers = {"authorize": Answer(accepted=False, reason="no money")}
    with captured_events() as told, pytest.raises(exceptions.PaymentDeclined):
        services.pay_order(order_id=order.pk, customer_id=bob.pk)
    assert [type(event) for event in told] == [events.PaymentFailed]
    gateway.answers = {}
    assert services.pay_order(order_id=order.pk, customer_id=bob.pk).state == OrderState.PAID


def test_a_gateway_that_does_not_answer_is_asked_again(gateway, settings, bob, bowl):
    order = make_order(customer=bob, product=bowl)
    gateway.answers = {"authorize": TimeoutError("nobody there")}
    with pytest.raises(exceptions.PaymentUnavailable):
        services.pay_order(order_id=order.pk, customer_id=bob.pk)
    assert services.settle_payments() == 0
    settings.HOLDFAST_ARTISAN_SHOP = {**settings.HOLDFAST_ARTISAN_SHOP, "PAYMENT_RETRY_SECONDS": 0}
    gateway.answers = {}
    assert services.settle_payments() == 1
    assert Order.objects.get().state == OrderState.PAID


def test_what_was_never_asked_for_is_asked_for_first(gateway, settings, bob, bowl):
    settings.HOLDFAST_ARTISAN_SHOP = {**settings.HOLDFAST_ARTISAN_SHOP, "PAYMENT_RETRY_SECONDS": 0}
    for price in (3, 5):
        Payment.objects.create(
            order=make_order(customer=bob, product=bowl),
            currency="EUR",
            amount_minor=price * 100,
            asked_at=timezone.now() - dt.timedelta(hours=1) if price == 3 else None,
        )
    assert services.settle_payments(limit=1) == 1
    assert gateway.said == [("authorize", 5)]


def test_what_is_authorized_after_the_order_was_cancelled_is_released(gateway, bob, bowl):
    order = make_order(customer=bob, product=bowl)

    def cancel_meanwhile(charge):
        services.cancel_order(order_id=order.pk, customer_id=bob.pk)
        return Answer(accepted=True, reference="late")

    gateway.answers = {"authorize": cancel_meanwhile}
    services.pay_order(order_id=order.pk, customer_id=bob.pk)
    assert Order.objects.get().state == OrderState.CANCELLED
    assert (Payment.objects.get().state, gateway.said[-1][0]) == (PaymentState.RELEASED, "release")
    check_books()


def test_a_refusal_to_capture_is_left_to_a_person(gateway, bob, shop, bowl):
    order = make_order(customer=bob, product=bowl, state=OrderState.READY)
    gateway.answers = {"capture": Answer(accepted=False, reason="gone")}
    services.complete_order(order_id=order.pk, actor_id=shop.owner_id)
    assert Order.objects.get().state == OrderState.COMPLETED
    assert (Payment.objects.get().state, Payment.objects.get().reason) == (PaymentState.FAILED, "gone")
    with pytest.raises(exceptions.PaymentStepNotAllowed):
        services.refund_order(order_id=order.pk, actor_id=shop.owner_id)


def test_nothing_to_pay_is_paid_without_the_gateway(gateway, bob, shop, category):
    gift = make_product(shop=shop, category=category, price="0.00", stock=1)
    make_order(customer=bob, product=gift, state=OrderState.COMPLETED)
    assert gateway.said == []


def test_orders_that_nobody_pays_are_cancelled_and_their_stock_is_free(settings, bob, bowl):
    order = make_order(customer=bob, product=bowl, quantity=9)
    make_order(customer=bob, product=bowl)
    assert services.expire_orders() == 0
    Order.objects.update(placed_at=timezone.now() - dt.timedelta(days=1))
    assert [services.expire_orders(limit=1) for _time in range(2)] == [2, 0]
    assert (Order.objects.get(pk=order.pk).state, figures(bowl)) == (OrderState.CANCELLED, (10, 0, 0))
    check_books()


@pytest.fixture
def slots(ada, shop):
    later = timezone.now() + dt.timedelta(days=2)
    services.add_slot_pattern(
        shop_id=shop.pk,
        actor_id=ada.pk,
        kind=Fulfillment.DELIVERY,
        weekday=later.weekday(),
        starts=dt.time(10),
        ends=dt.time(12),
        capacity=1,
    )
    return list(Slot.objects.order_by("starts_at"))


def test_a_delivery_goes_out_fails_is_scheduled_anew_and_arrives(bob, ada, shop, bowl, slots):
    choice = Choice(slot_id=slots[0].pk, address="Main Street 1")
    order = make_order(customer=bob, product=bowl, state=OrderState.READY, choice=choice)
    shared = {"order_id": order.pk, "actor_id": ada.pk}
    services.send_delivery(**shared)
    with pytest.raises(exceptions.DeliveryStepNotAllowed):
        services.reschedule_delivery(order_id=order.pk, slot_id=slots[1].pk, customer_id=bob.pk)
    services.fail_delivery(note="nobody at home", **shared)
    assert Order.objects.get().state == OrderState.READY
    services.reschedule_delivery(order_id=order.pk, slot_id=slots[1].pk, customer_id=bob.pk)
    check_books()
    services.send_delivery(**shared)
    services.deliver(**shared)
    assert (Order.objects.get().state, Delivery.objects.get().state) == (OrderState.COMPLETED, DeliveryState.DELIVERED)
    states = list(Delivery.objects.get().events.values_list("state", flat=True))
    assert states == ["scheduled", "out_for_delivery", "failed", "scheduled", "out_for_delivery", "delivered"]
    assert figures(bowl) == (9, 0, 0)
    check_books()


def test_the_tracking_link_is_signed_and_ends(settings, bob, bowl):
    order = make_order(customer=bob, product=bowl)
    token = services.tracking_token(order_id=order.pk)
    assert services.read_tracking_token(token=token) == order.pk
    settings.HOLDFAST_ARTISAN_SHOP = {"TRACKING_DAYS": 0}
    for broken in (token, token + "x", ""):
        with pytest.raises(exceptions.TrackingLinkInvalid):
            services.read_tracking_token(token=broken)


def test_a_reminder_is_told_once(bob, ada, shop, bowl, slots):
    make_order(customer=bob, product=bowl, choice=Choice(slot_id=slots[0].pk, address="Main Street 1"))
    tomorrow = (timezone.now() + dt.timedelta(days=1)).replace(hour=12)
    Slot.objects.filter(pk=slots[0].pk).update(
        starts_at=tomorrow, ends_at=tomorrow + dt.timedelta(hours=1), closes_at=timezone.now()
    )
    with captured_events() as told:
        assert [services.remind_of_deliveries() for _time in range(2)] == [1, 0]
    assert [type(event) for event in told] == [events.DeliveryDue]


def test_all_of_tomorrow_are_reminded_and_nobody_else_however_few_at_a_time(monkeypatch, bob, shop, bowl):
    noon = dt.datetime(2027, 5, 10, 12, tzinfo=dt.UTC)
    monkeypatch.setattr(timezone, "now", lambda: noon)
    orders = {}
    # Those of today and of the day after tomorrow were booked first.
    for hours in (8, 46, 21, 22, 23):
        starts = noon + dt.timedelta(hours=hours)
        slot = Slot.objects.create(
            shop=shop,
            kind=Fulfillment.PICKUP,
            capacity=1,
            starts_at=starts,
            ends_at=starts + dt.timedelta(hours=1),
            closes_at=starts,
        )
        orders[hours] = make_order(customer=bob, product=bowl, choice=Choice(slot_id=slot.pk))
    called_off = make_order(customer=make_user(), product=bowl, choice=Choice(slot_id=another(slot).pk))
    services.cancel_order(order_id=called_off.pk, customer_id=called_off.customer_id)
    with captured_events() as told:
        assert [services.remind_of_deliveries(limit=2) for _time in range(2)] == [3, 0]
    assert [event.order_id for event in told] == [str(orders[hours].pk) for hours in (21, 22, 23)]


def another(slot):
    """One more slot at the same time."""
    slot.pk, slot.booked = None, 0
    slot._state.adding = True
    slot.save()
    return slot


def test_a_closed_day_has_no_slots_and_generating_again_makes_no_second_ones(ada, shop, slots):
    assert (len(slots), services.generate_slots()) == (4, 0)
    day = slots[1].starts_at.date()
    services.close_days(shop_id=shop.pk, actor_id=ada.pk, first_day=day, last_day=day)
    assert (Slot.objects.count(), services.generate_slots()) == (3, 0)


class TestDummyGateway(PaymentContract):
    @pytest.fixture
    def gateway(self):
        return DummyGateway()


@pytest.mark.postgres
def test_a_step_stays_taken_when_the_database_goes_before_the_gateways_answer_is_noted(gateway, settings):
    order = make_order(state=OrderState.READY)
    settings.HOLDFAST_ARTISAN_SHOP = settings.HOLDFAST_ARTISAN_SHOP | {"PAYMENT_RETRY_SECONDS": 0}

    def answer(_charge):
        connection.connection.close()  # as when the server dies: Django knows nothing of it
        return Answer(accepted=True)

    gateway.answers["capture"] = answer
    services.complete_order(order_id=order.pk, actor_id=order.shop.owner_id)  # committed before, and so no failure
    connection.close()

    assert Payment.objects.get(order=order).state == PaymentState.CAPTURING
    gateway.answers.clear()
    services.settle_payments()
    assert Payment.objects.get(order=order).state == PaymentState.CAPTURED
