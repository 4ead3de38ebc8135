"""Coupons: who may give them, what they take off, and how often."""

import datetime as dt

import pytest
from django.utils import timezone

from holdfast.money import Money
from holdfast.testing import captured_events, race
from holdfast_artisan_shop import services
from holdfast_artisan_shop.events import CouponChanged
from holdfast_artisan_shop.exceptions import (
    CodeTaken,
    CouponExhausted,
    CouponInvalid,
    CouponNotFound,
    CouponUsed,
    DiscountInvalid,
    PeriodInvalid,
    QuantityInvalid,
    ShopNotFound,
    TextInvalid,
)
from holdfast_artisan_shop.models import Coupon, CouponUse, Order
from holdfast_artisan_shop.services import Choice
from holdfast_artisan_shop.testing import make_product, make_shop, make_user
from tests.artisan_shop.books import check_books, item

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def give(shop, ada):
    def give(code="SPRING", **values):
        values = values or {"percent": 10}
        return services.create_coupon(shop_id=shop.pk, actor_id=ada.pk, code=code, **values)

    return give


def buy(customer, product, code, quantity=1):
    return services.place_order(
        customer_id=customer.pk,
        shop_id=product.shop_id,
        items=[item(product, quantity)],
        choice=Choice(coupon_code=code),
    )


@pytest.mark.parametrize(
    ("values", "off"),
    [
        ({"percent": 10}, 300),
        ({"percent": 100}, 3000),
        ({"amount": Money("4.50", "EUR")}, 450),
        ({"amount": Money("99.00", "EUR")}, 3000),
        ({"percent": 10, "minimum": Money("30.00", "EUR")}, 300),
    ],
    ids=str,
)
def test_a_coupon_takes_something_off_and_never_more_than_all(give, bowl, bob, values, off):
    give(**values)
    order = buy(bob, bowl, " spring ", quantity=3)
    assert (order.subtotal_minor, order.discount_minor, order.total_minor) == (3000, off, 3000 - off)
    check_books()


def test_each_customer_uses_it_once_and_gets_it_back_with_a_cancelled_order(give, bowl, bob):
    coupon = give()
    order = buy(bob, bowl, "SPRING")
    with pytest.raises(CouponUsed):
        buy(bob, bowl, "SPRING")

    services.cancel_order(order_id=order.pk, customer_id=bob.pk)
    coupon.refresh_from_db()
    assert coupon.used == 0
    buy(bob, bowl, "SPRING")
    check_books()


def test_what_does_not_hold_is_refused_and_nothing_is_ordered(give, ada, bowl, bob):
    now = timezone.now()
    give("LATER", percent=10, starts_at=now + dt.timedelta(days=1))
    give("HIGH", percent=10, minimum=Money("10.01", "EUR"))
    over = give("OVER", percent=10, ends_at=now + dt.timedelta(days=1))
    Coupon.objects.filter(pk=over.pk).update(starts_at=now - dt.timedelta(days=3), ends_at=now - dt.timedelta(days=1))
    services.end_coupon(coupon_id=give("GONE").pk, actor_id=ada.pk)
    for code in ("LATER", "HIGH", "OVER", "GONE", "NEVER", "\0", "x" * 300):
        with pytest.raises(CouponInvalid):
            buy(bob, bowl, code)
    assert not Order.objects.exists()


def test_a_coupon_holds_in_its_own_shop_only(give, bob):
    give()
    with pytest.raises(CouponInvalid):
        buy(bob, make_product(), "SPRING")


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({}, DiscountInvalid),
        ({"percent": 0}, DiscountInvalid),
        ({"percent": 101}, DiscountInvalid),
        ({"percent": 10, "amount": Money("1.00", "EUR")}, DiscountInvalid),
        ({"amount": Money("0.00", "EUR")}, DiscountInvalid),
        ({"amount": Money("1.00", "USD")}, DiscountInvalid),
        ({"percent": 10, "minimum": Money("-1.00", "EUR")}, DiscountInvalid),
        ({"percent": 10, "ends_at": dt.datetime(2001, 1, 1, tzinfo=dt.UTC)}, PeriodInvalid),
        ({"percent": 10, "max_uses": 0}, QuantityInvalid),
        ({"percent": 10, "max_uses": 10**9}, QuantityInvalid),
        ({"percent": 10, "code": ""}, TextInvalid),
        ({"percent": 10, "code": "two words"}, TextInvalid),
        ({"percent": 10, "code": "x" * 41}, TextInvalid),
        ({"percent": 10, "code": "a\0b"}, TextInvalid),
    ],
    ids=str,
)
def test_a_coupon_that_makes_no_sense_is_not_made(shop, ada, values, refusal):
    with pytest.raises(refusal):
        services.create_coupon(shop_id=shop.pk, actor_id=ada.pk, **{"code": "SPRING", **values})
    assert not Coupon.objects.exists()


def test_a_code_is_taken_once_in_a_shop_whatever_its_case(give, ada):
    give("SPRING")
    with pytest.raises(CodeTaken):
        give("spring")
    other = make_shop(owner=ada)
    services.create_coupon(shop_id=other.pk, actor_id=ada.pk, code="SPRING", percent=5)


def test_who_gives_a_coupon_or_takes_it_back_tells_it(give, shop, ada):
    with captured_events() as told:
        coupon = give("spring")
        services.end_coupon(coupon_id=coupon.pk, actor_id=ada.pk)
    said = {"coupon_id": str(coupon.pk), "shop_id": str(shop.pk), "code": "SPRING"}
    assert told == [CouponChanged(**said, active=True), CouponChanged(**said, active=False)]


def test_a_stranger_neither_gives_nor_takes_back(give, shop, bob):
    coupon = give()
    with pytest.raises(ShopNotFound):
        services.create_coupon(shop_id=shop.pk, actor_id=bob.pk, code="FREE", percent=100)
    with pytest.raises(CouponNotFound):
        services.end_coupon(coupon_id=coupon.pk, actor_id=bob.pk)
    assert Coupon.objects.get().active


@pytest.mark.postgres
def test_of_many_who_use_it_at_once_so_many_succeed(give, bowl):
    coupon, people = give(percent=50, max_uses=3), [make_user() for _number in range(8)]
    outcomes = race(*(lambda person=person: buy(person, bowl, "SPRING") for person in people))

    assert sum(isinstance(outcome, Order) for outcome in outcomes) == 3
    assert sum(isinstance(outcome, CouponExhausted) for outcome in outcomes) == 5
    coupon.refresh_from_db()
    assert (coupon.used, CouponUse.objects.count()) == (3, 3)
    check_books()


@pytest.mark.postgres
def test_of_one_customers_orders_at_once_one_has_the_coupon(give, bowl, bob):
    give(percent=50)
    outcomes = race(lambda: buy(bob, bowl, "SPRING"))
    assert sum(isinstance(outcome, Order) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, CouponUsed) for outcome in outcomes) == len(outcomes) - 1
    assert Coupon.objects.get().used == 1
    check_books()
