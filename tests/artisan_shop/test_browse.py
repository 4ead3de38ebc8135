"""Browsing the market: what is seen, by what it is filtered, in what order, and at what price in statements."""

import datetime as dt

import pytest
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast.money import Money
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.exceptions import (
    CategoryNotFound,
    DeliveryNotFound,
    OrderNotFound,
    PriceInvalid,
    ProductNotFound,
    ShopNotFound,
)
from holdfast_artisan_shop.models import Delivery, FlashSale, Product, Slot
from holdfast_artisan_shop.states import OrderState
from holdfast_artisan_shop.testing import make_category, make_order, make_product, make_shop, make_user, the_variant


def found(**filters):
    return {one.name for one in selectors.browse(**filters)}


def sell_off(product, price="5.00", hours=(-1, 1), quantity=None, sold=0):
    now = timezone.now()
    starts, ends = (now + dt.timedelta(hours=hour) for hour in hours)
    return FlashSale.objects.create(
        product=product,
        price_minor=int(float(price) * 100),
        starts_at=starts,
        ends_at=ends,
        quantity=quantity,
        sold=sold,
    )


def test_each_offer_has_its_price_of_now_its_stock_its_picture_and_its_rating(bowl, ada):
    services.set_images(
        product_id=bowl.pk,
        actor_id=ada.pk,
        images=[("https://a.example/1.jpg", "One"), ("https://a.example/2.jpg", "")],
    )
    Product.objects.filter(pk=bowl.pk).update(rating_sum=9, rating_count=2)
    sell_off(bowl, "7.50", quantity=10, sold=4)
    services.add_variant(product_id=bowl.pk, actor_id=ada.pk, options={"color": "red"}, stock=5)
    one = selectors.browse().get()
    assert (one.sale_price_minor, one.sale_left, one.price_now_minor, one.price_minor) == (750, 6, 750, 1000)
    assert (one.free, one.image_url, one.image_alt, one.rating) == (15, "https://a.example/1.jpg", "One", 4.5)


@pytest.mark.parametrize(("hours", "quantity", "sold"), [((-2, -1), None, 0), ((1, 2), None, 0), ((-1, 1), 3, 3)])
def test_a_sale_that_is_over_not_begun_or_sold_out_is_none(bowl, hours, quantity, sold):
    sell_off(bowl, hours=hours, quantity=quantity, sold=sold)
    one = selectors.browse().get()
    assert (one.sale_price_minor, one.price_now_minor, one.rating, one.image_url) == (None, 1000, None, None)
    assert found(on_sale=True) == set()


def test_what_is_held_or_sold_is_not_free(bowl, bob):
    make_order(product=bowl, quantity=3, customer=bob)
    assert selectors.browse().get().free == 7


def test_a_category_is_one_with_all_below_it(bowl, category):
    below = make_category(name="Deep", parent=make_category(name="Below", parent=category))
    make_product(name="Deep bowl", category=below)
    make_product(name="Elsewhere")
    assert found(category_id=category.pk) == {"Bowl", "Deep bowl"}
    assert found(category_id=below.pk) == {"Deep bowl"}
    with pytest.raises(CategoryNotFound):
        selectors.browse(category_id=uuid7())


def test_the_tree_has_every_category_below_its_parent(category):
    below = make_category(name="Bowls", parent=category)
    make_category(name="Aprons")
    tree = selectors.category_tree()
    assert [node["name"] for node in tree] == ["Aprons", "Ceramics"]
    assert tree[1]["children"] == [{"id": below.pk, "name": "Bowls", "children": []}]


def test_prices_are_those_of_now(bowl, cup):
    assert found(min_price_minor=500) == {"Bowl"}
    assert found(max_price_minor=500) == {"Cup"}
    sell_off(bowl, "4.00")
    assert found(max_price_minor=400) == {"Bowl"}
    assert found(min_price_minor=401) == {"Cup"}
    assert found(min_price_minor=400, max_price_minor=450) == {"Bowl", "Cup"}
    assert found(currency="USD") == set()
    for price in (-1, 10**18):
        with pytest.raises(PriceInvalid):
            selectors.browse(max_price_minor=price)


def test_only_what_can_be_bought(bowl, cup, shop, category, ada):
    make_product(shop=shop, category=category, name="Vase", stock=0, made_to_order=True)
    make_product(shop=shop, category=category, name="Gone", stock=0)
    services.change_variant(variant_id=the_variant(cup).pk, actor_id=ada.pk, active=False)
    assert found(in_stock=True) == {"Bowl", "Vase"}


def test_nobody_sees_hidden_products_or_those_of_drafts_and_closed_shops(bowl, shop, ada):
    draft = make_shop(published=False)
    make_product(shop=draft, name="Secret")
    assert found() == {"Bowl"}
    services.go_on_holiday(shop_id=shop.pk, actor_id=ada.pk)
    assert found() == {"Bowl"}
    services.close_shop(shop_id=shop.pk, actor_id=ada.pk)
    assert found() == set()
    with pytest.raises(ProductNotFound):
        selectors.get_offer(product_id=bowl.pk)
    assert selectors.get_offer(product_id=bowl.pk, actor_id=ada.pk) == bowl
    with pytest.raises(ShopNotFound):
        selectors.get_shop(shop_id=shop.pk, actor_id=make_user().pk)
    assert selectors.get_shop(shop_id=shop.pk, actor_id=ada.pk) == shop
    assert list(selectors.shops()) == []


@pytest.mark.parametrize("order", sorted(selectors.ORDERS))
def test_every_order_is_that_of_its_keys(db, order):
    shop, category = make_shop(), make_category()
    for number, price in enumerate(["3.00", "1.00", "2.00", "1.00"]):
        product = make_product(shop=shop, category=category, name=f"Bowl {number}", price=price)
        Product.objects.filter(pk=product.pk).update(popularity=number % 2)
    rows = list(selectors.browse(order=order, text="bowl"))
    keys = [tuple(getattr(one, term.lstrip("-")) for term in selectors.order_of(order, text="bowl")) for one in rows]
    assert keys == sorted(keys, reverse=selectors.order_of(order, text="bowl")[0].startswith("-"))


def test_relevance_without_words_is_the_newest_first(bowl, cup):
    assert [one.name for one in selectors.browse(order="relevance")] == ["Cup", "Bowl"]
    assert selectors.order_of("relevance") == ("-id",)


def test_a_page_of_twenty_takes_at_most_three_statements(shop, category, django_assert_max_num_queries):
    for number in range(25):
        make_product(shop=shop, category=category, name=f"Bowl {number}", location=(52.5, 13.4))
    with django_assert_max_num_queries(1):
        page = list(selectors.browse()[:20])
        assert [(one.shop.name, one.category.name, one.free, one.price_now_minor) for one in page]
    with django_assert_max_num_queries(3):
        list(selectors.browse(category_id=category.pk, in_stock=True, on_sale=False, text="bowl", order="price")[:20])
    with django_assert_max_num_queries(3):
        assert len(selectors.products_near(lat=52.5, lng=13.4, category_id=category.pk)) == 20


def test_a_customer_sees_his_orders_and_an_artisan_those_of_his_shop(bowl, shop, ada, bob):
    order = make_order(product=bowl, customer=bob, state=OrderState.PAID)
    stranger = make_user()
    assert list(selectors.orders_of_customer(customer_id=bob.pk)) == [order]
    assert list(selectors.orders_of_customer(customer_id=bob.pk, state=OrderState.PENDING)) == []
    assert list(selectors.orders_of_customer(customer_id=stranger.pk)) == []
    assert list(selectors.orders_of_shops(actor_id=ada.pk, shop_id=shop.pk)) == [order]
    assert list(selectors.orders_of_shops(actor_id=stranger.pk)) == []
    assert {selectors.get_order(order_id=order.pk, user_id=user.pk) for user in (ada, bob)} == {order}
    for refused in (
        lambda: selectors.orders_of_shops(actor_id=bob.pk, shop_id=shop.pk),
        lambda: selectors.alerts_of_shops(actor_id=bob.pk, shop_id=shop.pk),
        lambda: selectors.day_plan(shop_id=shop.pk, actor_id=bob.pk, day=dt.date(2026, 1, 1)),
    ):
        with pytest.raises(ShopNotFound):
            refused()
    with pytest.raises(OrderNotFound):
        selectors.get_order(order_id=order.pk, user_id=stranger.pk)
    with pytest.raises(OrderNotFound):
        selectors.get_purchase(purchase_id=order.purchase_id, customer_id=ada.pk)
    assert selectors.get_purchase(purchase_id=order.purchase_id, customer_id=bob.pk).orders.get() == order
    with pytest.raises(DeliveryNotFound):
        selectors.tracking(order_id=order.pk)


def test_a_member_sees_what_the_owner_sees(bowl, shop, ada):
    helper = make_user()
    services.invite_member(shop_id=shop.pk, actor_id=ada.pk, user_id=helper.pk)
    assert list(selectors.shops_of(actor_id=helper.pk)) == [shop]
    assert list(selectors.products_of_shop(shop_id=shop.pk, actor_id=helper.pk)) == [bowl]


def test_a_list_of_orders_takes_as_many_statements_for_ten_as_for_one(bowl, ada, bob, django_assert_num_queries):
    for _ in range(3):
        make_order(product=bowl, customer=bob)
    with django_assert_num_queries(3):
        for order in selectors.orders_of_customer(customer_id=bob.pk):
            assert order.shop.name
            assert list(order.lines.all())
            assert list(order.payments.all()) == []


def test_alerts_are_listed_open_and_resolved(bowl, cup, shop, ada, bob):
    make_order(product=bowl, customer=bob, quantity=8)
    make_order(product=cup, customer=bob, quantity=9)
    services.receive_stock(variant_id=the_variant(bowl).pk, actor_id=ada.pk, quantity=10)
    names = {
        opened: [one.stock.variant.product.name for one in selectors.alerts_of_shops(actor_id=ada.pk, opened=opened)]
        for opened in (None, True, False)
    }
    assert names == {None: ["Cup", "Bowl"], True: ["Cup"], False: ["Bowl"]}
    (low,) = selectors.low_stock(shop_id=shop.pk)
    assert (low.name, low.left, low.low_at) == ("Cup", 1, 3)


def test_the_plan_of_a_day_is_a_short_way_within_each_slot(shop, bowl, ada):
    def slot(hour):
        starts = dt.datetime(2027, 3, 1, hour, tzinfo=dt.UTC)
        return Slot.objects.create(
            shop=shop,
            kind="delivery",
            starts_at=starts,
            ends_at=starts + dt.timedelta(hours=2),
            closes_at=starts,
            capacity=9,
        )

    early, late = slot(8), slot(12)

    def stop(at, place):
        order = make_order(product=bowl)
        lat, lng = place or (None, None)
        Delivery.objects.create(order=order, slot=at, kind="delivery", address=f"{place}", lat=lat, lng=lng)

    for place in [(52.60, 13.405), None, (52.53, 13.405), (52.56, 13.405)]:
        stop(early, place)
    stop(late, (52.52, 13.405))
    plan = selectors.day_plan(shop_id=shop.pk, actor_id=ada.pk, day=dt.date(2027, 3, 1))
    assert [one.lat for one in plan] == [52.53, 52.56, 52.60, None, 52.52]
    assert selectors.day_plan(shop_id=shop.pk, actor_id=ada.pk, day=dt.date(2027, 3, 2)) == []
    assert selectors.tracking(order_id=plan[0].order_id).slot == early


def test_slots_that_are_full_closed_or_too_soon_are_not_free(shop):
    now = timezone.now()

    def slot(hours, capacity=1, booked=0):
        starts = now + dt.timedelta(hours=hours)
        return Slot.objects.create(
            shop=shop,
            kind="pickup",
            starts_at=starts,
            ends_at=starts + dt.timedelta(hours=1),
            closes_at=starts - dt.timedelta(hours=2),
            capacity=capacity,
            booked=booked,
        )

    _closed, _full, soon, later = slot(1), slot(5, booked=1), slot(6), slot(48)
    assert list(selectors.free_slots(shop_id=shop.pk)) == [soon, later]
    assert list(selectors.free_slots(shop_id=shop.pk, lead_days=1)) == [later]
    assert list(selectors.free_slots(shop_id=shop.pk, kind="delivery")) == []


def test_the_price_that_is_shown_is_the_price_that_is_paid(bowl, bob):
    sell_off(bowl, "7.50")
    shown = selectors.get_offer(product_id=bowl.pk).price_now_minor
    assert make_order(product=bowl, customer=bob).total == Money(shown, "EUR") / 100
