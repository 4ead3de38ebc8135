"""What is done now and then: by commands, and by Celery tasks that do the same."""

import datetime as dt

import pytest
from django.core.management import call_command
from django.utils import timezone

from holdfast_artisan_shop import services
from holdfast_artisan_shop.models import Hold, Order, Product, Slot, Word
from holdfast_artisan_shop.states import Fulfillment, OrderState
from holdfast_artisan_shop.testing import make_order
from tests.artisan_shop.books import check_books, figures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def left_alone(bowl, bob):
    """An order that nobody paid for, and pieces held for a basket, both over their time."""
    long_ago = timezone.now() - dt.timedelta(days=1)
    make_order(customer=bob, product=bowl)
    Order.objects.update(placed_at=long_ago)
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk, quantity=2)
    services.hold_basket(customer_id=bob.pk)
    Hold.objects.update(expires_at=long_ago)
    assert figures(bowl) == (10, 2, 1)


def check_tidy(bowl):
    assert figures(bowl) == (10, 0, 0)
    assert Order.objects.get().state == OrderState.CANCELLED
    check_books()


def test_what_nobody_paid_for_in_time_comes_back(left_alone, bowl, capsys):
    call_command("shop_tidy")
    assert capsys.readouterr().out == "1 hold(s) expired, 1 order(s) cancelled, 0 payment(s) asked for.\n"
    check_tidy(bowl)
    call_command("shop_tidy")
    assert capsys.readouterr().out == "0 hold(s) expired, 0 order(s) cancelled, 0 payment(s) asked for.\n"


def test_the_task_does_the_same(left_alone, bowl, tasks):
    tasks.tidy()
    check_tidy(bowl)


@pytest.fixture
def tasks():
    pytest.importorskip("celery", reason="Celery is an extra.")
    return pytest.importorskip("holdfast_artisan_shop.tasks")


@pytest.fixture
def open_every_day(shop, ada):
    for weekday in range(7):
        services.add_slot_pattern(
            shop_id=shop.pk,
            actor_id=ada.pk,
            kind=Fulfillment.PICKUP,
            weekday=weekday,
            starts=dt.time(10),
            ends=dt.time(12),
            capacity=5,
        )
    Slot.objects.all().delete()


def test_slots_are_made_for_the_coming_weeks_and_once(open_every_day, capsys, tasks):
    call_command("shop_remind")
    made = Slot.objects.count()
    assert made >= 26  # of 28 days, without those that are closed by this time of the day
    assert capsys.readouterr().out == f"{made} slot(s) made, 0 delivery(ies) told of.\n"
    assert tasks.remind() == 0
    assert Slot.objects.count() == made


def test_the_sales_are_counted_again_and_the_words_to_search(bowl, bob, capsys, tasks):
    make_order(customer=bob, product=bowl, quantity=3, state=OrderState.COMPLETED)
    call_command("shop_roll_up", "--days", "1")
    assert capsys.readouterr().out.endswith("1 product(s), 1 word(s).\n")
    assert Product.objects.get(pk=bowl.pk).popularity == 3
    assert Word.objects.filter(word="bowl").exists()
    tasks.roll_up()
    assert Product.objects.get(pk=bowl.pk).popularity == 3
