"""What the marketplace tells whoever watches."""

import datetime as dt

import pytest
from django.utils import timezone

from holdfast_artisan_shop import services
from holdfast_artisan_shop.models import Hold, Payment
from holdfast_artisan_shop.selectors.figures import figures
from holdfast_artisan_shop.states import OrderState, PaymentState
from holdfast_artisan_shop.testing import make_order, make_product

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timezone.now() - dt.timedelta(hours=1)


def told():
    return {figure.name: figure.value for figure in figures()}


def test_orders_are_counted_by_state_with_those_that_there_are_none_of(bowl):
    make_order(product=bowl, state=OrderState.PAID)
    make_order(product=bowl)

    assert told()["orders"] == dict.fromkeys(OrderState.values, 0) | {"paid": 1, "pending": 1}


def test_what_runs_out_is_told_until_there_is_enough_again(shop):
    product = make_product(shop=shop, stock=4)
    assert told()["alerts"] == 0

    make_order(product=product, quantity=2, state=OrderState.PAID)

    assert told()["alerts"] == 1


def test_what_the_gateway_has_not_answered_is_late_and_what_it_refused_waits_for_a_person(bowl):
    make_order(product=bowl, state=OrderState.PAID)
    assert (told()["payments_asked"], told()["payments_late_seconds"], told()["payments_refused"]) == (0, 0, 0)

    Payment.objects.update(state=PaymentState.CAPTURING, asked_at=LONG_AGO)
    assert told()["payments_asked"] == 1
    assert told()["payments_late_seconds"] >= 3600

    # Never asked at all: whoever was to ask has died before.
    Payment.objects.update(asked_at=None, created_at=LONG_AGO)
    assert told()["payments_late_seconds"] >= 3600

    Payment.objects.update(state=PaymentState.FAILED)
    assert (told()["payments_asked"], told()["payments_refused"]) == (0, 1)


def test_pieces_that_are_held_for_too_long_are_late(bowl, bob):
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk, quantity=2)
    services.hold_basket(customer_id=bob.pk)
    assert told()["holds_expired"] == told()["holds_late_seconds"] == 0

    Hold.objects.update(expires_at=LONG_AGO)

    assert told()["holds_expired"] == 1
    assert told()["holds_late_seconds"] >= 3600
