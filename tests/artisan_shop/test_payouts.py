"""The payout statement: what the orders of a period came to, and who keeps how much of it."""

import datetime as dt

import pytest

from holdfast.money import Money
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.exceptions import PeriodInvalid, ShopNotFound
from holdfast_artisan_shop.models import Order
from holdfast_artisan_shop.states import OrderState
from holdfast_artisan_shop.testing import make_order, make_product

pytestmark = pytest.mark.django_db(transaction=True)

JANUARY = {"start": dt.date(2026, 1, 1), "end": dt.date(2026, 1, 31)}


def complete(product, at, quantity=1, state=OrderState.COMPLETED):
    order = make_order(product=product, quantity=quantity, state=state)
    Order.objects.filter(pk=order.pk).update(completed_at=at)
    return order


def at(day, hour=12):
    return dt.datetime(2026, 1, day, hour, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def fee(settings):
    settings.HOLDFAST_ARTISAN_SHOP = {"FEE_PERCENT": 10.0}


def test_a_statement_adds_up_and_what_was_refunded_earns_nobody_anything(shop, ada, bowl):
    complete(bowl, at(5), quantity=3)
    complete(bowl, at(6))
    complete(bowl, at(7), quantity=2, state=OrderState.REFUNDED)
    complete(make_product(), at(5))
    make_order(product=bowl, state=OrderState.READY)

    found = selectors.payout(shop_id=shop.pk, actor_id=ada.pk, **JANUARY)

    assert (found.orders, found.refunded_orders) == (3, 1)
    assert (found.gross, found.refunded) == (Money("60.00", "EUR"), Money("20.00", "EUR"))
    assert (found.fee, found.payout) == (Money("4.00", "EUR"), Money("36.00", "EUR"))
    orders = selectors.payout_orders(shop_id=shop.pk, actor_id=ada.pk, **JANUARY)
    kept = [order for order in orders if order.state == OrderState.COMPLETED]
    assert sum(order.total_minor - order.fee_minor for order in kept) == 3600


def test_a_period_has_the_days_of_the_shop(shop, ada, bowl):
    services.change_shop(shop_id=shop.pk, actor_id=ada.pk, time_zone="Pacific/Auckland")
    complete(bowl, dt.datetime(2025, 12, 31, 11, 30, tzinfo=dt.UTC))  # half past midnight of the first of January
    complete(bowl, dt.datetime(2026, 1, 31, 11, 30, tzinfo=dt.UTC))  # of the first of February
    assert selectors.payout(shop_id=shop.pk, actor_id=ada.pk, **JANUARY).orders == 1


def test_where_nothing_was_sold_nothing_is_due(shop, ada):
    found = selectors.payout(shop_id=shop.pk, actor_id=ada.pk, **JANUARY)
    assert (found.orders, found.payout) == (0, Money("0.00", "EUR"))


def test_a_stranger_and_a_period_that_is_none_are_refused(shop, ada, bob):
    with pytest.raises(ShopNotFound):
        selectors.payout(shop_id=shop.pk, actor_id=bob.pk, **JANUARY)
    with pytest.raises(PeriodInvalid):
        selectors.payout(shop_id=shop.pk, actor_id=ada.pk, start=JANUARY["end"], end=JANUARY["start"])
