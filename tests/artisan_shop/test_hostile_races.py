"""Races that somebody had to think of: each at the moment at which it hurts most."""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from holdfast.money import Money
from holdfast.testing import race
from holdfast_artisan_shop import exceptions, services
from holdfast_artisan_shop.models import Category, Coupon, Order, Product, Purchase, Slot
from holdfast_artisan_shop.services import Choice
from holdfast_artisan_shop.states import Fulfillment, OrderState
from holdfast_artisan_shop.testing import make_order
from tests.artisan_shop.books import check_books, figures, item

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def waits_for_a_lock(verb):
    """Let a verb run beside an open transaction until it waits for a lock of it; return its thread and its outcome."""
    outcome = []
    waiting = threading.Event()

    def run():
        outcome.extend(race(verb, times=1))
        waiting.set()

    thread = threading.Thread(target=run)
    thread.start()
    while not waiting.wait(0.01):
        with connection.cursor() as cursor:
            # Not pg_stat_activity, which stays the same within a transaction.
            cursor.execute("SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
            if cursor.fetchone()[0]:
                break
    return thread, outcome


def test_twins_with_one_key_and_one_coupon_are_both_answered(ada, bob, shop, bowl):
    services.create_coupon(shop_id=shop.pk, actor_id=ada.pk, code="ONE", percent=10, max_uses=1)
    outcomes = race(
        lambda: services.place_order(
            customer_id=bob.pk, shop_id=shop.pk, items=[item(bowl, 10)], choice=Choice(coupon_code="ONE"), key="k"
        ),
        times=6,
    )
    assert {type(one) for one in outcomes} == {Order}, outcomes
    assert len({one.pk for one in outcomes}) == 1
    assert (figures(bowl), Coupon.objects.get().used) == ((10, 0, 10), 1)


def test_of_two_orders_with_one_key_one_is_placed_and_the_other_refused(bob, shop, bowl):
    outcomes = race(
        *(
            lambda quantity=quantity: services.place_order(
                customer_id=bob.pk, shop_id=shop.pk, items=[item(bowl, quantity)], key="k"
            )
            for quantity in (1, 2)
        )
    )
    assert sorted(type(one).__name__ for one in outcomes) == ["KeyReused", "Order"]
    assert Order.objects.count() == 1


def test_a_slot_that_is_booked_while_its_day_is_closed_stays(ada, bob, shop, bowl):
    later = timezone.now() + dt.timedelta(days=2)
    services.add_slot_pattern(
        shop_id=shop.pk,
        actor_id=ada.pk,
        kind=Fulfillment.PICKUP,
        weekday=later.weekday(),
        starts=dt.time(10),
        ends=dt.time(12),
        capacity=5,
    )
    slot = Slot.objects.order_by("starts_at").first()
    day = slot.starts_at.date()
    with transaction.atomic():
        order = services.place_order(
            customer_id=bob.pk, shop_id=shop.pk, items=[item(bowl)], choice=Choice(slot_id=slot.pk)
        )
        thread, outcome = waits_for_a_lock(
            lambda: services.close_days(shop_id=shop.pk, actor_id=ada.pk, first_day=day, last_day=day)
        )
    thread.join()
    assert not any(isinstance(one, Exception) for one in outcome), outcome
    assert Order.objects.get().delivery.slot_id == slot.pk
    assert order.state == OrderState.PENDING
    check_books()


def test_an_order_that_is_paid_while_it_expires_ends_one_way(bob, bowl):
    order = make_order(customer=bob, product=bowl, quantity=10)
    Order.objects.update(placed_at=timezone.now() - dt.timedelta(days=1))
    race(
        lambda: services.pay_order(order_id=order.pk, customer_id=bob.pk),
        services.expire_orders,
        services.expire_orders,
    )
    services.settle_payments()
    order = Order.objects.get()
    ends = (order.state, [payment.state for payment in order.payments.all()])
    assert ends in [("paid", ["authorized"]), ("cancelled", []), ("cancelled", ["released"])]
    check_books()


def test_of_four_refunds_one_is_made(ada, bob, bowl):
    order = make_order(customer=bob, product=bowl, quantity=2, state=OrderState.COMPLETED)
    outcomes = race(lambda: services.refund_order(order_id=order.pk, actor_id=ada.pk, restock=True))
    refused = (exceptions.OrderStepNotAllowed, exceptions.PaymentStepNotAllowed)
    assert sum(isinstance(one, refused) for one in outcomes) == 3
    assert (figures(bowl), order.payments.get().state) == ((10, 0, 0), "refunded")
    check_books()


def test_a_checkout_that_waited_while_the_basket_was_held_uses_the_hold(bob, bowl):
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk, quantity=10)
    with transaction.atomic():
        services.hold_basket(customer_id=bob.pk)
        thread, outcome = waits_for_a_lock(lambda: services.checkout(customer_id=bob.pk))
    thread.join()
    assert [type(one) for one in outcome] == [Purchase], outcome
    assert figures(bowl) == (10, 0, 10)
    check_books()


def test_what_is_put_below_a_category_that_moves_is_found_below_it():
    above, pots = services.create_category(name="Home"), services.create_category(name="Pots")
    with transaction.atomic():
        services.change_category(category_id=pots.pk, parent_id=above.pk)
        thread, outcome = waits_for_a_lock(lambda: services.create_category(name="Bowls", parent_id=pots.pk))
    thread.join()
    bowls = Category.objects.get(name="Bowls")
    assert (outcome, bowls.path) == ([bowls], f"{above.pk.hex}/{pots.pk.hex}/{bowls.pk.hex}/")


@pytest.mark.parametrize("what", ["a category", "a product"])
def test_nothing_is_put_into_a_category_that_is_deleted_meanwhile(what, shop):
    pots = services.create_category(name="Pots")
    put = {
        "a category": lambda: services.create_category(name="Bowls", parent_id=pots.pk),
        "a product": lambda: services.create_product(
            shop_id=shop.pk, actor_id=shop.owner_id, category_id=pots.pk, name="Bowl", price=Money("8.00", "EUR")
        ),
    }
    with transaction.atomic():
        services.delete_category(category_id=pots.pk)
        thread, outcome = waits_for_a_lock(put[what])
    thread.join()
    assert [type(one) for one in outcome] == [exceptions.CategoryUnknown]
    assert not Category.objects.filter(name="Bowls").exists()
    assert not Product.objects.filter(name="Bowl").exists()
