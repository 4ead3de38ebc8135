"""Several at once: nothing is sold twice, nobody waits in a circle, and what the dead held comes back."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone

from holdfast.money import Money
from holdfast.testing import race
from holdfast_artisan_shop import services
from holdfast_artisan_shop.exceptions import CouponExhausted, FlashSaleSoldOut, OrderStepNotAllowed, SlotFull, SoldOut
from holdfast_artisan_shop.models import Coupon, CouponUse, Hold, InventoryAlert, Order, Purchase, Slot
from holdfast_artisan_shop.services import Choice
from holdfast_artisan_shop.states import CouponKind, Fulfillment, OrderState
from holdfast_artisan_shop.testing import make_order, make_product, make_user
from tests.artisan_shop.books import check_books, figures, item

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def count(outcomes, kind):
    return sum(isinstance(outcome, kind) for outcome in outcomes)


def buyers(number, verb):
    """Let so many customers do the same at once."""
    return race(*(lambda user=user: verb(user) for user in [make_user() for _buyer in range(number)]))


def test_of_32_buyers_of_10_pieces_10_buy_and_22_are_told(shop, bowl):
    outcomes = buyers(32, lambda user: services.place_order(customer_id=user.pk, shop_id=shop.pk, items=[item(bowl)]))
    assert (count(outcomes, Order), count(outcomes, SoldOut)) == (10, 22)
    assert (figures(bowl), Purchase.objects.count()) == ((10, 0, 10), 10)
    assert InventoryAlert.objects.count() == 1
    check_books()


def test_the_same_out_of_baskets_that_hold_first(shop, bowl):
    def buy(user):
        services.add_to_basket(customer_id=user.pk, product_id=bowl.pk)
        services.hold_basket(customer_id=user.pk)
        return services.checkout(customer_id=user.pk)

    outcomes = buyers(32, buy)
    assert (count(outcomes, Purchase), count(outcomes, SoldOut)) == (10, 22)
    assert (figures(bowl), Hold.objects.count()) == ((10, 0, 10), 0)
    check_books()


def test_baskets_of_the_same_products_in_opposite_orders_do_not_wait_in_a_circle(shop, category):
    products = [make_product(shop=shop, category=category, stock=1_000) for _number in range(4)]

    def buy(user, goods):
        return [
            services.place_order(customer_id=user.pk, shop_id=shop.pk, items=[item(product) for product in goods])
            for _time in range(10)
        ]

    users = [make_user() for _buyer in range(8)]
    outcomes = race(
        *(
            lambda user=user, way=number % 2: buy(user, products if way else products[::-1])
            for number, user in enumerate(users)
        )
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert [figures(product) for product in products] == [(1_000, 0, 80)] * 4
    check_books()


def test_baskets_held_ordered_and_emptied_in_opposite_orders_do_not_wait_in_a_circle(shop, category):
    products = [make_product(shop=shop, category=category, stock=1_000) for _number in range(4)]

    def come_and_go(user, goods, leave):
        for _time in range(10):
            for product in goods:
                services.add_to_basket(customer_id=user.pk, product_id=product.pk)
            services.hold_basket(customer_id=user.pk)
            leave(customer_id=user.pk)

    users = [make_user() for _buyer in range(8)]
    outcomes = race(
        *(
            lambda user=user, number=number: come_and_go(
                user,
                products if number % 2 else products[::-1],
                services.checkout if number < 6 else services.empty_basket,
            )
            for number, user in enumerate(users)
        )
    )
    assert outcomes == [None] * 8
    assert [figures(product) for product in products] == [(1_000, 0, 60)] * 4
    check_books()


def test_of_32_bookings_of_5_places_in_a_slot_5_are_made(ada, shop, bowl):
    services.receive_stock(variant_id=bowl.variants.get().pk, actor_id=ada.pk, quantity=90)
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
    choice = Choice(slot_id=Slot.objects.order_by("starts_at").first().pk)
    outcomes = buyers(
        32,
        lambda user: services.place_order(customer_id=user.pk, shop_id=shop.pk, items=[item(bowl)], choice=choice),
    )
    assert (count(outcomes, Order), count(outcomes, SlotFull)) == (5, 27)
    assert figures(bowl) == (100, 0, 5)
    check_books()


def test_of_twins_with_one_key_one_orders_and_both_are_answered(bob, shop, bowl):
    outcomes = race(
        lambda: services.place_order(customer_id=bob.pk, shop_id=shop.pk, items=[item(bowl)], key="once"), times=8
    )
    assert len({order.pk for order in outcomes}) == 1
    assert figures(bowl) == (10, 0, 1)


def test_one_basket_is_checked_out_once(bob, bowl):
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk)
    outcomes = race(lambda: services.checkout(customer_id=bob.pk), times=8)
    assert (count(outcomes, Purchase), Purchase.objects.count(), figures(bowl)) == (1, 1, (10, 0, 1))


def test_a_coupon_and_a_flash_sale_are_not_used_more_often_than_they_may(ada, shop, bowl):
    Coupon.objects.create(shop=shop, code="ONE", kind=CouponKind.AMOUNT, amount_minor=100, max_uses=3)
    now = timezone.now()
    services.schedule_flash_sale(
        product_id=bowl.pk,
        actor_id=ada.pk,
        price=Money("5.00", "EUR"),
        starts_at=now,
        ends_at=now + dt.timedelta(hours=1),
        quantity=5,
    )
    outcomes = buyers(
        8,
        lambda user: services.place_order(
            customer_id=user.pk, shop_id=shop.pk, items=[item(bowl)], choice=Choice(coupon_code="ONE")
        ),
    )
    assert count(outcomes, Order) == CouponUse.objects.count() == 3
    assert count(outcomes, (CouponExhausted, FlashSaleSoldOut)) == 5
    assert Coupon.objects.get().used == 3
    assert bowl.flash_sales.get().sold == Order.objects.filter(lines__flash_sale__isnull=False).count() <= 5
    check_books()


def test_of_four_who_cancel_an_order_one_does_and_its_stock_comes_back_once(bob, bowl):
    order = make_order(customer=bob, product=bowl, quantity=4)
    outcomes = race(lambda: services.cancel_order(order_id=order.pk, customer_id=bob.pk))
    assert (count(outcomes, Order), count(outcomes, OrderStepNotAllowed)) == (1, 3)
    assert figures(bowl) == (10, 0, 0)
    check_books()


def test_an_order_that_is_paid_and_cancelled_at_once_ends_one_way(bob, bowl):
    order = make_order(customer=bob, product=bowl)
    race(
        lambda: services.pay_order(order_id=order.pk, customer_id=bob.pk),
        lambda: services.cancel_order(order_id=order.pk, customer_id=bob.pk),
    )
    services.settle_payments()
    assert Order.objects.get().state == OrderState.CANCELLED
    assert [payment.state for payment in Order.objects.get().payments.all()] in ([], ["released"])
    check_books()


@pytest.mark.slow
def test_what_killed_buyers_held_comes_back(bob, shop, category):
    """Buyers die by SIGKILL before each statement of hold, order and commit; afterwards everything can be sold."""
    bowl, shots = make_product(shop=shop, category=category, stock=100), 0
    command = [sys.executable, "-m", "tests.artisan_shop.dying_buyer", str(bowl.pk)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], env=_environment(), **pipes) as buyers_who_die:
        for moment in range(40):
            buyers_who_die.stdin.write(f"{make_user().pk} {moment}\n")
            buyers_who_die.stdin.flush()
            status = int(buyers_who_die.stdout.readline())
            check_books()
            if status == 0:
                break
            assert status == -9
            shots += 1
    assert status == 0
    assert shots > 8
    Hold.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    Order.objects.update(placed_at=timezone.now() - dt.timedelta(days=1))
    services.expire_orders()
    order = services.place_order(customer_id=bob.pk, shop_id=shop.pk, items=[item(bowl, 99)])
    assert (order.state, figures(bowl)) == (OrderState.PENDING, (100, 0, 99))
    check_books()


def _environment():
    database = connection.settings_dict
    login = f"{quote(database['USER'])}:{quote(database['PASSWORD'])}"
    url = f"postgres://{login}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.artisan_shop.settings"}
