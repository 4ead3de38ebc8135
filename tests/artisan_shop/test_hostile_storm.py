"""A crowd of processes that do everything at once: no deadlock, no error but refusals, and the books are right."""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db.models import Sum
from django.utils import timezone

from holdfast_artisan_shop import services
from holdfast_artisan_shop.models import Coupon, FlashSale, Order, OrderLine, Payment
from holdfast_artisan_shop.states import Fulfillment, OrderState, PaymentState
from holdfast_artisan_shop.testing import make_product, make_shop, make_user
from tests.artisan_shop.books import check_books
from tests.artisan_shop.test_races import _environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres, pytest.mark.slow]

PROCESSES = int(os.environ.get("STORM_PROCESSES", "4"))
SECONDS = os.environ.get("STORM_SECONDS", "5")


def test_a_storm_of_everything_at_once_ends_with_the_books_right(category):
    shops = [make_shop() for _number in range(2)]
    weekday = (timezone.now() + dt.timedelta(days=2)).weekday()
    for shop in shops:
        for _number in range(3):
            make_product(shop=shop, category=category, stock=10)
        for kind in Fulfillment:
            services.add_slot_pattern(
                shop_id=shop.pk,
                actor_id=shop.owner_id,
                kind=kind,
                weekday=weekday,
                starts=dt.time(10),
                ends=dt.time(12),
                capacity=2,
            )
        services.create_coupon(shop_id=shop.pk, actor_id=shop.owner_id, code="SAVE", percent=10, max_uses=3)
    for number in range(6):
        make_user(username=f"buyer-{number}")

    command = [sys.executable, "-m", "tests.artisan_shop.hostile_storm"]
    crowd = [
        subprocess.Popen(
            [*command, str(seed), SECONDS, *(str(shop.pk) for shop in shops)],
            cwd=Path(__file__).parents[2],
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(PROCESSES)
    ]
    told = [process.communicate(timeout=300) for process in crowd]
    assert [process.returncode for process in crowd] == [0] * PROCESSES, told
    reports = [json.loads(out) for out, _err in told]
    sys.stdout.write(json.dumps([report["done"] for report in reports], indent=1))  # shown where it fails
    assert [line for report in reports for line in report["wrong"]] == []
    done = [sum(report["done"].get(verb, 0) for report in reports) for verb in ("order", "check_out", "move", "cancel")]
    assert all(done), reports

    services.settle_payments()
    check_books()
    check_discounts()
    check_money()


def check_discounts():
    for sale in FlashSale.objects.all():
        lines = OrderLine.objects.filter(flash_sale=sale).exclude(order__state=OrderState.CANCELLED)
        assert sale.sold == (lines.aggregate(n=Sum("quantity"))["n"] or 0)
    for coupon in Coupon.objects.all():
        orders = Order.objects.filter(coupon_use__coupon=coupon)
        assert coupon.used == orders.count()
        assert not orders.filter(state=OrderState.CANCELLED).exists()


def check_money():
    """The money of each order is where its state says."""
    law = {
        OrderState.PENDING: set(),
        OrderState.CANCELLED: {PaymentState.RELEASED},
        OrderState.COMPLETED: {PaymentState.CAPTURED},
        OrderState.REFUNDED: {PaymentState.REFUNDED},
    }
    for payment in Payment.objects.select_related("order"):
        assert payment.state in law.get(payment.order.state, {PaymentState.AUTHORIZED}), payment.order.state
        assert payment.amount_minor == payment.order.total_minor
