"""The staff's pages: they look, and help out in a shop's name through the services."""

import datetime as dt

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from holdfast.money import Money
from holdfast_artisan_shop import services
from holdfast_artisan_shop.models import (
    Category,
    Coupon,
    Delivery,
    FlashSale,
    InventoryAlert,
    Order,
    Payment,
    Product,
    Review,
    Shop,
    Slot,
    Stock,
)
from holdfast_artisan_shop.services import Choice
from holdfast_artisan_shop.states import DeliveryState, Fulfillment, OrderState, ShopState
from holdfast_artisan_shop.testing import make_order, make_user
from tests.artisan_shop.books import check_books

pytestmark = pytest.mark.django_db(transaction=True)

WINDOWS = [Shop, Product, Stock, InventoryAlert, Order, Payment, Delivery, Slot, FlashSale, Coupon, Review]


def page(model, row=None, step=""):
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    if row is None:
        return reverse(f"{name}_{step or 'changelist'}")
    return reverse(f"{name}_{step or 'change'}", args=[row.pk])


def enter(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def staff():
    return enter(make_user(is_staff=True, is_superuser=True))


@pytest.fixture
def slot(shop, ada):
    for weekday in range(7):
        services.add_slot_pattern(
            shop_id=shop.pk,
            actor_id=ada.pk,
            kind=Fulfillment.DELIVERY,
            weekday=weekday,
            starts=dt.time(10),
            ends=dt.time(12),
            capacity=5,
            lead_hours=0,
        )
    return Slot.objects.filter(closes_at__gt=timezone.now()).order_by("starts_at").first()


@pytest.fixture
def everything(shop, ada, bob, bowl, cup, slot):
    """One of each, with all that can hang on it."""
    services.create_coupon(shop_id=shop.pk, actor_id=ada.pk, code="SPRING", percent=10)
    now = timezone.now()
    services.schedule_flash_sale(
        product_id=cup.pk,
        actor_id=ada.pk,
        price=Money("4.00", "EUR"),
        starts_at=now - dt.timedelta(hours=1),
        ends_at=now + dt.timedelta(hours=1),
    )
    make_order(customer=bob, product=cup, quantity=8, state=OrderState.COMPLETED)
    services.write_review(product_id=cup.pk, customer_id=bob.pk, rating=5, text="<b>Good</b>")
    services.roll_up()
    return make_order(
        customer=bob,
        product=bowl,
        quantity=2,
        state=OrderState.READY,
        choice=Choice(slot_id=slot.pk, address="1 Main St", lat=52.52, lng=13.4, coupon_code="SPRING"),
    )


def said(response):
    return [str(message) for message in response.context["messages"]]


def test_each_page_shows_its_rows(staff, everything, subtests):
    for model in (*WINDOWS, Category):
        with subtests.test(model.__name__):
            shown = staff.get(page(model))
            assert shown.status_code == 200
            assert shown.context["cl"].result_count
            one = staff.get(page(model, model.objects.first()))
            assert one.status_code == 200
            assert "<b>Good</b>" not in one.content.decode()


def test_nobody_adds_edits_or_deletes_by_hand(staff, everything, subtests):
    for model in WINDOWS:
        with subtests.test(model.__name__):
            assert staff.post(page(model, step="add")).status_code == 403
            assert staff.post(page(model, model.objects.first()), {}).status_code == 403
            assert staff.post(page(model, model.objects.first(), "delete"), {"post": "yes"}).status_code == 403


def test_the_page_of_a_shop_is_its_dashboard(staff, everything, shop):
    shown = staff.get(page(Shop, shop)).content.decode()
    assert "Best sellers" in shown
    assert "€32.00" in shown.split("Payout", 1)[1]
    assert "<svg" in shown
    assert "Cup" in shown


def test_the_page_of_an_order_tells_its_story(staff, everything):
    shown = staff.get(page(Order, everything)).content.decode()
    for text in ("Bowl", "1 Main St", "€18.00", "authorized"):
        assert text.lower() in shown.lower() or text == "1 Main St"


def test_rows_are_found_by_ids(staff, everything, subtests):
    for model in (Product, Stock, Order, Payment, Delivery, FlashSale, Coupon, Review):
        with subtests.test(model.__name__):
            row = model.objects.first()
            assert staff.get(page(model), {"q": str(row.pk)}).context["cl"].result_count == 1
            nobodys = staff.get(page(model), {"q": "01936b2a-0000-7000-8000-000000000001"})
            assert nobodys.context["cl"].result_count == 0


WORDS = [(Shop, "ada's"), (Shop, "ada"), (Order, "bob"), (Review, "bob"), (Coupon, "spring"), (Product, "Cup")]


def test_rows_are_found_by_words(staff, everything, subtests):
    for model, words in WORDS:
        with subtests.test(words):
            assert staff.get(page(model), {"q": words}).context["cl"].result_count >= 1
            assert staff.get(page(model), {"q": "nobody"}).context["cl"].result_count == 0


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        (OrderState.PAID, "start", OrderState.PROCESSING),
        (OrderState.PROCESSING, "finish", OrderState.READY),
        (OrderState.READY, "complete", OrderState.COMPLETED),
        (OrderState.PAID, "decline", OrderState.CANCELLED),
        (OrderState.COMPLETED, "refund", OrderState.REFUNDED),
    ],
)
def test_an_order_is_moved_by_buttons(staff, bob, bowl, before, step, after):
    order = make_order(customer=bob, product=bowl, state=before)
    offered = [one["url"] for one in staff.get(page(Order, order)).context["steps"]]
    assert page(Order, order, step) in offered

    response = staff.post(page(Order, order, step), {"reason": "sold out"}, follow=True)

    assert Order.objects.get(pk=order.pk).state == after, said(response)
    check_books()


def test_a_step_that_is_not_allowed_any_more_says_why(staff, bob, bowl):
    order = make_order(customer=bob, product=bowl, state=OrderState.PAID)
    services.cancel_order(order_id=order.pk, customer_id=bob.pk)
    response = staff.post(page(Order, order, "start"))
    assert response.status_code == 200
    assert len(said(response)) == 1
    assert Order.objects.get().state == OrderState.CANCELLED


def test_a_delivery_is_sent_comes_back_and_is_delivered(staff, everything):
    delivery = Delivery.objects.get()
    staff.post(page(Delivery, delivery, "send"))
    assert Delivery.objects.get().state == DeliveryState.OUT_FOR_DELIVERY
    staff.post(page(Delivery, delivery, "deliver"))
    assert Delivery.objects.get().state == DeliveryState.DELIVERED
    assert Order.objects.get(pk=everything.pk).state == OrderState.COMPLETED
    check_books()


def test_nobody_was_there(staff, everything):
    delivery = Delivery.objects.get()
    staff.post(page(Delivery, delivery, "fail"), {"reason": "The bell is broken."})
    assert Delivery.objects.get().state == DeliveryState.FAILED
    assert "The bell is broken." in staff.get(page(Delivery, delivery)).content.decode()
    check_books()


def test_stock_is_received_and_corrected(staff, bowl):
    stock = Stock.objects.get(variant__product=bowl)
    staff.post(page(Stock, stock, "receive"), {"quantity": 5, "note": "From the kiln"})
    staff.post(page(Stock, stock, "correct"), {"difference": -2, "note": "Broken"})
    staff.post(page(Stock, stock, "threshold"), {"low_at": 13})
    stock.refresh_from_db()
    assert (stock.on_hand, stock.low_at) == (13, 13)
    assert InventoryAlert.objects.filter(resolved_at=None).count() == 1
    assert "From the kiln" in staff.get(page(Stock, stock)).content.decode()
    check_books()


def test_the_page_of_a_stock_says_for_whom_pieces_are_held(staff, bob, bowl):
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk, quantity=3)
    services.hold_basket(customer_id=bob.pk)
    shown = staff.get(page(Stock, Stock.objects.get())).content.decode()
    assert "bob" in shown.split("Reservations", 1)[1].split("Movements", 1)[0]


def test_what_is_reserved_cannot_be_corrected_away(staff, bob, bowl):
    make_order(customer=bob, product=bowl, quantity=9)
    stock = Stock.objects.get(variant__product=bowl)
    response = staff.post(page(Stock, stock, "correct"), {"difference": -2, "note": "Broken"})
    assert len(said(response)) == 1
    check_books()


def test_shops_coupons_sales_and_products_are_ended(staff, everything, shop, bowl):
    staff.post(page(Coupon, Coupon.objects.get(), "end"))
    staff.post(page(FlashSale, FlashSale.objects.get(), "end"))
    staff.post(page(Product, bowl, "retire"))
    assert not Coupon.objects.get().active
    assert FlashSale.objects.get().ends_at <= timezone.now()
    assert not Product.objects.get(pk=bowl.pk).active
    for step, state in (("holiday", ShopState.HOLIDAY), ("publish", ShopState.OPEN), ("close", ShopState.CLOSED)):
        staff.post(page(Shop, shop, step))
        assert Shop.objects.get().state == state


def test_a_payment_without_an_answer_is_asked_for_again(staff, bob, bowl, settings):
    order = make_order(customer=bob, product=bowl, state=OrderState.PAID)
    services.start_order(order_id=order.pk, actor_id=bowl.shop.owner_id)
    payment = Payment.objects.get()
    assert staff.get(page(Payment, payment)).context["steps"] == []
    Payment.objects.update(state="capturing")
    staff.post(page(Payment, payment, "ask-again"))
    assert Payment.objects.get().state == "captured"


def test_a_payment_that_the_gateway_refused_is_tried_again(staff, bob, bowl):
    make_order(customer=bob, product=bowl, state=OrderState.COMPLETED)
    Payment.objects.update(state="failed")
    payment = Payment.objects.get()
    assert [one["url"] for one in staff.get(page(Payment, payment)).context["steps"]] == [
        page(Payment, payment, "retry")
    ]
    staff.post(page(Payment, payment, "retry"))
    assert Payment.objects.get().state == "captured"


def test_the_tree_of_categories_is_edited_through_the_services(staff, category, bowl):
    staff.post(page(Category, step="add"), {"name": "Bowls", "parent": category.pk})
    child = Category.objects.get(name="Bowls")
    assert child.path.startswith(category.path)

    staff.post(page(Category, child), {"name": "Deep bowls", "parent": ""})
    child.refresh_from_db()
    assert (child.name, child.parent) == ("Deep bowls", None)

    for response in (
        staff.post(page(Category, step="add"), {"name": "Deep bowls", "parent": ""}, follow=True),
        staff.post(page(Category, category), {"name": "Ceramics", "parent": category.pk}, follow=True),
        staff.post(page(Category, category, "delete"), {"post": "yes"}, follow=True),
    ):
        assert response.status_code == 200
    assert Category.objects.count() == 2
    staff.post(page(Category, child, "delete"), {"post": "yes"})
    assert Category.objects.get() == category


def test_who_may_only_look_takes_no_step(everything):
    looker = make_user(is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = enter(looker)
    for model, step in ((Order, "complete"), (Shop, "close"), (Stock, "receive"), (Coupon, "end"), (Delivery, "send")):
        row = model.objects.first()
        assert client.get(page(model, row)).context["steps"] == []
        assert client.post(page(model, row, step), {"quantity": 1}).status_code == 403
    assert Order.objects.get(pk=everything.pk).state == OrderState.READY


def test_who_may_nothing_sees_nothing(everything):
    client = enter(make_user(is_staff=True))
    for model in WINDOWS:
        assert client.get(page(model)).status_code == 403
