"""Stock: every change is a move, alerts and requests hear of it, whatever the door."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from holdfast.testing import captured_events
from holdfast_artisan_shop import events, exceptions, services
from holdfast_artisan_shop.models import BackInStockRequest, Hold, InventoryAlert, Stock, StockMove
from holdfast_artisan_shop.states import OrderState
from holdfast_artisan_shop.testing import make_order, make_user, the_variant
from tests.artisan_shop.books import check_books, figures

pytestmark = pytest.mark.django_db


@pytest.fixture
def stock(ada, bowl):
    return {"variant_id": the_variant(bowl).pk, "actor_id": ada.pk}


def test_pieces_are_received_and_corrected(bowl, stock):
    services.receive_stock(quantity=5, note="from the kiln", **stock)
    services.correct_stock(difference=-2, note="broken", **stock)
    assert figures(bowl) == (13, 0, 0)
    assert list(StockMove.objects.order_by("id").values_list("kind", "on_hand")) == [
        ("received", 10),
        ("received", 5),
        ("corrected", -2),
    ]
    check_books()


@pytest.mark.parametrize("quantity", [0, -1, 10**10, 1.5, True])
def test_what_is_received_is_a_whole_number(bowl, stock, quantity):
    with pytest.raises(exceptions.QuantityInvalid):
        services.receive_stock(quantity=quantity, **stock)
    assert figures(bowl) == (10, 0, 0)


def test_a_correction_cannot_take_what_is_sold(bob, bowl, stock):
    make_order(customer=bob, product=bowl, quantity=8)
    with pytest.raises(exceptions.StockInUse) as refusal:
        services.correct_stock(difference=-3, **stock)
    assert refusal.value.context["free"] == 2
    with pytest.raises(exceptions.CorrectionInvalid):
        services.correct_stock(difference=0, **stock)
    check_books()


def test_the_stock_of_somebody_else_is_not_found(bowl, stock):
    stranger = {**stock, "actor_id": make_user().pk}
    with pytest.raises(exceptions.VariantNotFound):
        services.receive_stock(quantity=1, **stranger)
    with pytest.raises(exceptions.VariantNotFound):
        services.set_threshold(low_at=1, **stranger)


@pytest.mark.parametrize(
    "figures", [{"on_hand": -1}, {"held": 11}, {"allocated": 11}, {"held": -1}, {"held": 6, "allocated": 5}]
)
def test_the_database_says_it_too(bowl, figures):
    with pytest.raises(IntegrityError), transaction.atomic():
        Stock.objects.filter(variant__product=bowl).update(**figures)


def opened():
    return InventoryAlert.objects.filter(resolved_at=None).count()


def test_one_alert_opens_whatever_the_door_and_is_resolved_when_there_is_enough(bob, bowl, stock):
    with captured_events() as told:
        services.correct_stock(difference=-6, **stock)
        assert opened() == 0
        order = make_order(customer=bob, product=bowl, quantity=1)
        make_order(customer=bob, product=bowl, quantity=1)
        assert opened() == 1
        services.cancel_order(order_id=order.pk, customer_id=bob.pk)
        assert opened() == 1
        services.receive_stock(quantity=3, **stock)
        assert opened() == 0
        services.set_threshold(low_at=20, **stock)
        services.set_threshold(low_at=2, **stock)
    names = [type(event) for event in told if isinstance(event, (events.StockRanLow, events.StockRecovered))]
    assert names == [events.StockRanLow, events.StockRecovered] * 2
    assert (InventoryAlert.objects.count(), opened()) == (2, 0)
    check_books()


def test_who_asked_is_told_once_that_it_is_back(bob, bowl, stock):
    variant_id = stock["variant_id"]
    order = make_order(customer=make_user(), product=bowl, quantity=10)
    for _time in range(2):
        services.request_back_in_stock(variant_id=variant_id, customer_id=bob.pk)
    with captured_events() as told:
        services.cancel_order(order_id=order.pk, customer_id=order.customer_id)
        services.receive_stock(quantity=1, **stock)
    (back,) = [event for event in told if isinstance(event, events.BackInStock)]
    assert (back.customer_ids, BackInStockRequest.objects.count()) == ([bob.pk], 0)


def hold(bob, bowl, quantity):
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk, quantity=quantity)
    services.hold_basket(customer_id=bob.pk)


def test_holds_that_are_over_are_given_back_by_the_task(bob, bowl):
    hold(bob, bowl, 4)
    assert (figures(bowl), services.expire_holds()) == ((10, 4, 0), 0)
    Hold.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert [services.expire_holds() for _time in range(2)] == [1, 0]
    assert figures(bowl) == (10, 0, 0)
    check_books()


def test_a_checkout_that_is_given_up_frees_the_stock(bob, bowl):
    hold(bob, bowl, 4)
    services.release_holds(customer_id=bob.pk)
    assert (figures(bowl), Hold.objects.count()) == ((10, 0, 0), 0)
    hold(bob, bowl, 1)
    services.empty_basket(customer_id=bob.pk)
    assert (figures(bowl), Hold.objects.count()) == ((10, 0, 0), 0)
    check_books()


def test_nobody_holds_more_than_he_may(settings, bob, bowl):
    settings.HOLDFAST_ARTISAN_SHOP = {"HOLD_MAX_PIECES": 3}
    with pytest.raises(exceptions.HoldLimitReached):
        hold(bob, bowl, 4)
    assert figures(bowl) == (10, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_the_moves_tell_the_life_of_an_order(bob, bowl):
    make_order(customer=bob, product=bowl, quantity=2, state=OrderState.COMPLETED)
    rows = StockMove.objects.order_by("id").values_list("kind", "on_hand", "held", "allocated")
    assert list(rows)[1:] == [("reserved", 0, 0, 2), ("sold", -2, 0, -2)]
