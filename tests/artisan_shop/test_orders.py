"""Orders: placed at once and out of a basket, with what is chosen for them."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast.money import Money
from holdfast.testing import captured_events
from holdfast_artisan_shop import exceptions, services
from holdfast_artisan_shop.events import OrderPlaced
from holdfast_artisan_shop.models import BasketLine, Coupon, Hold, Order, Purchase, Slot, StockMove
from holdfast_artisan_shop.services import Choice, Item
from holdfast_artisan_shop.states import CouponKind, Fulfillment, OrderState
from holdfast_artisan_shop.testing import make_product, make_shop, make_user, the_variant
from tests.artisan_shop.books import check_books, figures, item

pytestmark = pytest.mark.django_db


def place(bob, shop, *items, **options):
    return services.place_order(customer_id=bob.pk, shop_id=shop.pk, items=items, **options)


def test_an_order_freezes_names_and_prices_and_reserves_its_stock(bob, shop, bowl, cup):
    with captured_events() as events:
        order = place(bob, shop, item(bowl, 2), item(cup))

    order = Order.objects.get(pk=order.pk)
    assert (order.state, order.subtotal_minor, order.total_minor) == (OrderState.PENDING, 2450, 2450)
    assert sorted(order.lines.values_list("name", "quantity", "unit_minor", "total_minor")) == [
        ("Bowl", 2, 1000, 2000),
        ("Cup", 1, 450, 450),
    ]
    assert (figures(bowl), figures(cup)) == ((10, 0, 2), (10, 0, 1))
    assert [type(event) for event in events] == [OrderPlaced]
    assert events[0].total_minor == 2450
    check_books()


def test_an_item_that_is_named_twice_is_one_line(bob, shop, bowl):
    order = place(bob, shop, item(bowl), Item(variant_id=the_variant(bowl).pk, quantity=2))
    assert [line.quantity for line in order.lines.all()] == [3]


@pytest.mark.parametrize("quantity", [0, -1, 10**9, 2.5, True, "2"])
def test_a_quantity_is_a_whole_number_within_limits(bob, shop, bowl, quantity):
    with pytest.raises(exceptions.QuantityInvalid):
        place(bob, shop, item(bowl, quantity))
    assert (Purchase.objects.count(), figures(bowl)) == (0, (10, 0, 0))


def test_what_is_of_another_shop_unknown_off_or_of_a_closed_shop_is_refused(bob, ada, shop, bowl):
    other = make_product(shop=make_shop(owner=ada))
    with pytest.raises(exceptions.ProductOfAnotherShop):
        place(bob, shop, item(bowl), item(other))
    with pytest.raises(exceptions.ProductNotFound):
        place(bob, shop, item(bowl), Item(product_id=uuid7(), quantity=1))
    with pytest.raises(exceptions.OrderEmpty):
        place(bob, shop)
    services.retire_product(product_id=bowl.pk, actor_id=ada.pk)
    with pytest.raises(exceptions.NotOnSale):
        place(bob, shop, item(bowl))
    services.change_product(product_id=bowl.pk, actor_id=ada.pk, active=True)
    services.go_on_holiday(shop_id=shop.pk, actor_id=ada.pk)
    with pytest.raises(exceptions.ShopNotOpen):
        place(bob, shop, item(bowl))
    assert (Purchase.objects.count(), StockMove.objects.filter(order_id__isnull=False).count()) == (0, 0)


def test_a_line_that_is_sold_out_refuses_the_whole_order(bob, shop, bowl, cup):
    with captured_events() as events, pytest.raises(exceptions.SoldOut) as refusal:
        place(bob, shop, item(bowl, 11), item(cup))
    variant_id = str(the_variant(bowl).pk)
    assert refusal.value.context == {"lines": [{"variant_id": variant_id, "wanted": 11, "available": 10}]}
    assert (Purchase.objects.count(), figures(cup), list(events)) == (0, (10, 0, 0), [])
    check_books()


def test_a_key_makes_an_order_once(bob, shop, bowl):
    first, second = (place(bob, shop, item(bowl), key="k") for _time in range(2))
    assert first.pk == second.pk
    assert figures(bowl) == (10, 0, 1)


def test_what_is_made_to_order_needs_no_stock(bob, shop, category):
    chair = make_product(shop=shop, category=category, stock=0, made_to_order=True, lead_days=14)
    order = place(bob, shop, item(chair, 3))
    assert (order.lead_days, figures(chair)) == (14, (0, 0, 0))


def test_a_basket_over_two_shops_becomes_one_purchase_with_an_order_for_each(bob, shop, bowl, cup):
    other = make_product(price="7.00")
    for product, quantity in ((bowl, 1), (other, 2), (cup, 1)):
        services.add_to_basket(customer_id=bob.pk, product_id=product.pk, quantity=quantity)
    purchase = services.checkout(customer_id=bob.pk)
    assert sorted(order.total_minor for order in purchase.orders.all()) == [1400, 1450]
    assert not BasketLine.objects.exists()
    with pytest.raises(exceptions.BasketEmpty):
        services.checkout(customer_id=bob.pk)
    check_books()


def test_a_price_that_changed_since_the_basket_refuses_until_it_is_accepted(bob, ada, shop, bowl):
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk)
    services.change_product(product_id=bowl.pk, actor_id=ada.pk, price=Money("12.00", "EUR"))
    with pytest.raises(exceptions.PriceChanged) as refusal:
        services.checkout(customer_id=bob.pk)
    assert refusal.value.context["lines"] == [
        {"variant_id": str(the_variant(bowl).pk), "was_minor": 1000, "is_minor": 1200}
    ]
    services.accept_prices(customer_id=bob.pk)
    assert services.checkout(customer_id=bob.pk).orders.get().total_minor == 1200


def test_what_is_held_is_for_its_holder_only_and_his_order_uses_it(bob, shop, bowl):
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk, quantity=10)
    services.hold_basket(customer_id=bob.pk)
    services.hold_basket(customer_id=bob.pk)
    assert figures(bowl) == (10, 10, 0)
    with pytest.raises(exceptions.SoldOut):
        place(make_user(), shop, item(bowl))
    services.checkout(customer_id=bob.pk)
    assert (figures(bowl), Hold.objects.count()) == ((10, 0, 10), 0)
    check_books()


def test_holds_that_are_over_are_taken_back_by_whoever_needs_them(bob, shop, bowl):
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk, quantity=10)
    services.hold_basket(customer_id=bob.pk)
    Hold.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    place(make_user(), shop, item(bowl, 9))
    assert figures(bowl) == (10, 0, 9)
    with pytest.raises(exceptions.SoldOut):
        services.checkout(customer_id=bob.pk)
    check_books()


def test_a_flash_sale_makes_the_price_until_its_pieces_are_gone(bob, ada, shop, bowl):
    now = timezone.now()
    services.schedule_flash_sale(
        product_id=bowl.pk,
        actor_id=ada.pk,
        price=Money("6.00", "EUR"),
        starts_at=now,
        ends_at=now + dt.timedelta(hours=1),
        quantity=3,
    )
    assert place(bob, shop, item(bowl, 2)).total_minor == 1200
    with pytest.raises(exceptions.FlashSaleSoldOut):
        place(bob, shop, item(bowl, 2))
    order = place(bob, shop, item(bowl, 1))
    assert place(bob, shop, item(bowl, 1)).total_minor == 1000
    services.cancel_order(order_id=order.pk, customer_id=bob.pk)
    assert place(bob, shop, item(bowl, 1)).total_minor == 600
    check_books()


def test_a_coupon_is_used_once_by_each_customer(bob, shop, bowl):
    Coupon.objects.create(shop=shop, code="SPRING", kind=CouponKind.PERCENT, percent=15, max_uses=1)
    choice = Choice(coupon_code=" spring ")
    order = place(bob, shop, item(bowl), choice=choice)
    assert (order.discount_minor, order.total_minor) == (150, 850)
    with pytest.raises(exceptions.CouponUsed):
        place(bob, shop, item(bowl), choice=choice)
    with pytest.raises(exceptions.CouponExhausted):
        place(make_user(), shop, item(bowl), choice=choice)
    services.cancel_order(order_id=order.pk, customer_id=bob.pk)
    assert place(bob, shop, item(bowl), choice=choice).total_minor == 850
    with pytest.raises(exceptions.CouponInvalid):
        place(bob, shop, item(bowl), choice=Choice(coupon_code="WINTER"))
    check_books()


def slot_of(shop, ada, **values):
    tomorrow = timezone.now() + dt.timedelta(days=2)
    given = {"capacity": 2, "lead_hours": 1, "fee_minor": 300, **values}
    services.add_slot_pattern(
        shop_id=shop.pk,
        actor_id=ada.pk,
        kind=Fulfillment.DELIVERY,
        weekday=tomorrow.weekday(),
        starts=dt.time(10),
        ends=dt.time(12),
        **given,
    )
    return Slot.objects.order_by("starts_at").first()


def test_a_slot_is_booked_with_its_order_and_given_back_with_it(bob, ada, shop, bowl):
    slot = slot_of(shop, ada)
    choice = Choice(slot_id=slot.pk, address="Main Street 1")
    orders = [place(bob, shop, item(bowl), choice=choice) for _time in range(2)]
    assert orders[0].total_minor == 1300
    with pytest.raises(exceptions.SlotFull):
        place(bob, shop, item(bowl), choice=choice)
    assert figures(bowl) == (10, 0, 2)
    services.cancel_order(order_id=orders[0].pk, customer_id=bob.pk)
    place(bob, shop, item(bowl), choice=choice)
    check_books()


def test_a_slot_that_cannot_be_is_refused(bob, ada, shop, bowl, category):
    slot = slot_of(shop, ada)
    chair = make_product(shop=shop, category=category, made_to_order=True, lead_days=200)
    refusals = {
        exceptions.AddressRequired: (bowl, Choice(slot_id=slot.pk)),
        exceptions.SlotTooSoon: (chair, Choice(slot_id=slot.pk, address="Main Street 1")),
        exceptions.SlotNotFound: (bowl, Choice(slot_id=uuid7(), address="Main Street 1")),
        exceptions.LocationInvalid: (bowl, Choice(slot_id=slot.pk, address="Main Street 1", lat=91.0, lng=0.0)),
    }
    for refusal, (product, choice) in refusals.items():
        with pytest.raises(refusal):
            place(bob, shop, item(product), choice=choice)
    Slot.objects.filter(pk=slot.pk).update(closes_at=timezone.now())
    with pytest.raises(exceptions.SlotClosed):
        place(bob, shop, item(bowl), choice=Choice(slot_id=slot.pk, address="Main Street 1"))
    services.change_shop(shop_id=shop.pk, actor_id=ada.pk, delivery_radius_km=5.0)
    Slot.objects.filter(pk=slot.pk).update(closes_at=slot.closes_at)
    with pytest.raises(exceptions.OutOfRange):
        place(bob, shop, item(bowl), choice=Choice(slot_id=slot.pk, address="Far", lat=53.0, lng=13.0))
    assert Purchase.objects.count() == 0


def statements_of(verb):
    with CaptureQueriesContext(connection) as queries:
        verb()
    # The relay's bell rings once in a while, not once for each order.
    return sum("pg_notify" not in query["sql"].lower() for query in queries)


@pytest.mark.django_db(transaction=True)
def test_an_order_takes_few_statements_however_many_lines_it_has(bob, shop, category):
    products = [make_product(shop=shop, category=category, stock=100) for _number in range(10)]
    variants = [the_variant(product).pk for product in products]

    def buy(count):
        for variant_id in variants[:count]:
            services.add_to_basket(customer_id=bob.pk, variant_id=variant_id)
        services.checkout(customer_id=bob.pk)

    two, ten = statements_of(lambda: buy(2)), statements_of(lambda: buy(10))
    # SQLite writes the rows of each table by a statement of its own.
    assert two <= (12 if connection.vendor == "postgresql" else 13)
    assert ten - two <= 8
    direct = statements_of(lambda: place(bob, shop, *map(item, products[:2])))
    assert direct == statements_of(lambda: place(bob, shop, *map(item, products)))
