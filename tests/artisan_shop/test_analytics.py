"""Roll-ups and the dashboard: equal to what the lines say, however events come, wherever a day begins."""

import csv
import datetime as dt
import io
import random
from collections import defaultdict
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F

from holdfast.testing import drain_outbox, race
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.exceptions import PeriodInvalid, ShopNotFound
from holdfast_artisan_shop.models import Delivery, Order, OrderLine, Product, SalesDay, SalesMonth, ShopDay, Slot
from holdfast_artisan_shop.states import OrderState
from holdfast_artisan_shop.testing import make_category, make_order, make_product, make_shop, make_user

YEAR = {"start": dt.date(2026, 1, 1), "end": dt.date(2026, 12, 31)}
ENDS = (OrderState.COMPLETED, OrderState.REFUNDED, OrderState.CANCELLED, OrderState.PAID)


def complete_at(order, moment):
    """Let an order have been completed at another moment than now."""
    Order.objects.filter(pk=order.pk).update(completed_at=moment)
    Delivery.objects.filter(order=order).update(delivered_at=moment)


def completed(product, moment, **options):
    order = make_order(product=product, state=OrderState.COMPLETED, **options)
    complete_at(order, moment)
    return order


def counted(shop):
    days = {row["day"]: row for row in ShopDay.objects.filter(shop=shop).values()}
    products = {
        (row["day"], row["product_id"]): (row["orders"], row["units"], row["revenue_minor"])
        for row in SalesDay.objects.filter(shop=shop).values()
    }
    return days, products


def live(shop, start, end):
    """Return the figures of the dashboard as the lines say them, in Python."""
    zone = ZoneInfo(shop.time_zone)
    orders = [
        order
        for order in Order.objects.filter(shop=shop, state=OrderState.COMPLETED).prefetch_related("lines__product")
        if start <= order.completed_at.astimezone(zone).date() <= end
    ]
    months, categories, products = defaultdict(int), defaultdict(int), defaultdict(int)
    for order in orders:
        month = order.completed_at.astimezone(zone).date().replace(day=1)
        for line in order.lines.all():
            months[month] += line.total_minor
            categories[month, line.product.category_id] += line.total_minor
            products[line.product_id] += line.total_minor
    ever = Order.objects.filter(shop=shop, completed_at__isnull=False)
    returning = sum(
        any((one.completed_at, one.pk) < (order.completed_at, order.pk) for one in ever.filter(customer=order.customer))
        for order in orders
    )
    return {
        "orders": len(orders),
        "total_minor": sum(order.total_minor for order in orders),
        "fee_minor": sum(order.fee_minor for order in orders),
        "returning_orders": returning,
        "months": dict(months),
        "categories": dict(categories),
        "products": sorted(products.values(), reverse=True),
    }


def shown(figures):
    return {
        "orders": figures.orders,
        "total_minor": figures.total_minor,
        "fee_minor": figures.fee_minor,
        "returning_orders": figures.returning_orders,
        "months": {one.month: one.revenue_minor for one in figures.months if one.revenue_minor},
        "categories": {(one.month, one.category_id): one.revenue_minor for one in figures.categories},
        "products": [one.revenue_minor for one in figures.top_products],
    }


@pytest.mark.parametrize(("zone", "seed"), [("UTC", 1), ("America/New_York", 2), ("Pacific/Kiritimati", 3)])
def test_the_dashboard_is_what_the_lines_say(db, zone, seed, settings):
    settings.HOLDFAST_ARTISAN_SHOP = {"FEE_PERCENT": 7.5}
    chance = random.Random(seed)
    shop = make_shop(time_zone=zone)
    categories = [make_category() for _ in range(3)]
    products = [
        make_product(
            shop=shop, category=chance.choice(categories), price=f"{chance.randint(1, 90)}.{chance.randint(10, 99)}"
        )
        for _ in range(6)
    ]
    customers = [make_user() for _ in range(5)]
    for _ in range(25):
        items = [
            services.Item(product_id=one.pk, quantity=chance.randint(1, 3))
            for one in chance.sample(products, chance.randint(1, 3))
        ]
        customer = chance.choice(customers)
        order = services.place_order(customer_id=customer.pk, shop_id=shop.pk, items=items)
        services.pay_order(order_id=order.pk, customer_id=customer.pk)
        end = chance.choice(ENDS)
        if end == OrderState.CANCELLED:
            services.cancel_order(order_id=order.pk, customer_id=customer.pk)
        elif end != OrderState.PAID:
            services.finish_order(order_id=order.pk, actor_id=shop.owner_id)
            services.complete_order(order_id=order.pk, actor_id=shop.owner_id)
            # Around the turns of days and months, where zones tell.
            moment = dt.datetime(2026, chance.randint(1, 12), 1, tzinfo=dt.UTC) + dt.timedelta(
                hours=chance.randint(-30, 30)
            )
            complete_at(order, moment)
            services.roll_up_order(order_id=order.pk)
            if end == OrderState.REFUNDED:
                Order.objects.filter(pk=order.pk).update(state=OrderState.REFUNDED)
                services.roll_up_order(order_id=order.pk)
    # A customer's first order may have been completed, by these moments, after his second one was counted.
    services.rebuild_sales(shop_id=shop.pk, days=None)
    for _ in range(6):
        first = dt.date(2025, 12, 1) + dt.timedelta(days=chance.randint(0, 300))
        last = first + dt.timedelta(days=chance.randint(0, 200))
        figures = selectors.dashboard(shop_id=shop.pk, actor_id=shop.owner_id, start=first, end=last)
        assert shown(figures) == live(shop, first, last)
        assert figures.revenue_minor == sum(one.revenue_minor for one in figures.top_products)


def test_an_event_that_comes_again_or_too_late_does_no_harm(bowl, shop, bob):
    moment = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
    one, other = (completed(bowl, moment, customer=bob, quantity=2) for _ in range(2))
    for order in (one, one, other, one):
        services.roll_up_order(order_id=order.pk)
    days, products = counted(shop)
    assert days[dt.date(2026, 5, 4)]["orders"] == 2
    assert products == {(dt.date(2026, 5, 4), bowl.pk): (2, 4, 4000)}
    Order.objects.filter(pk=one.pk).update(state=OrderState.REFUNDED)
    services.roll_up_order(order_id=one.pk)
    days, products = counted(shop)
    assert (days[dt.date(2026, 5, 4)]["orders"], days[dt.date(2026, 5, 4)]["total_minor"]) == (1, 2000)
    assert products == {(dt.date(2026, 5, 4), bowl.pk): (1, 2, 2000)}


def test_the_last_order_refunded_leaves_a_day_without_sales(bowl, shop):
    order = completed(bowl, dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC))
    services.roll_up_order(order_id=order.pk)
    Order.objects.filter(pk=order.pk).update(state=OrderState.REFUNDED)
    services.roll_up_order(order_id=order.pk)
    days, products = counted(shop)
    assert (days[dt.date(2026, 5, 4)]["orders"], products) == (0, {})


def test_a_completed_order_is_counted_when_its_event_is_delivered_and_a_refund_takes_it_back(bowl, shop, ada):
    order = make_order(product=bowl, state=OrderState.COMPLETED, quantity=2)
    assert counted(shop) == ({}, {})
    drain_outbox()
    assert list(counted(shop)[1].values()) == [(1, 2, 2000)]
    services.settle_payments()  # asked once everything is committed, which here it never is
    services.refund_order(order_id=order.pk, actor_id=ada.pk)
    drain_outbox()
    assert counted(shop)[1] == {}


def test_an_order_that_is_not_completed_is_no_sale(bowl, shop):
    services.roll_up_order(order_id=make_order(product=bowl, state=OrderState.PAID).pk)
    assert counted(shop) == ({}, {})


def test_a_rebuild_puts_right_whatever_is_wrong_and_says_so(bowl, cup, shop, caplog):
    order = completed(bowl, dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC))
    services.roll_up_order(order_id=order.pk)
    right = counted(shop)
    assert services.rebuild_sales(days=None) == 0
    SalesDay.objects.update(units=F("units") + 1)
    SalesMonth.objects.update(units=F("units") + 5)
    ShopDay.objects.update(total_minor=7)
    SalesDay.objects.create(shop=shop, day=dt.date(2026, 5, 4), product=cup, orders=1, units=1, revenue_minor=1)
    ShopDay.objects.create(shop=shop, day=dt.date(2026, 5, 5), orders=3, total_minor=1, fee_minor=0)
    assert services.rebuild_sales(days=None) == 3  # the two, and the first, with which the month is counted
    days, products = counted(shop)
    assert products == right[1]
    assert days[dt.date(2026, 5, 4)] == right[0][dt.date(2026, 5, 4)]
    assert days[dt.date(2026, 5, 5)]["orders"] == 0
    assert "were counted wrong" in caplog.text
    assert SalesMonth.objects.get().units == 1
    SalesMonth.objects.all().delete()
    assert services.rebuild_sales(days=None) == 1
    assert SalesMonth.objects.get().units == 1
    assert services.rebuild_sales(days=None) == 0


def test_the_nightly_rebuild_finds_an_order_of_which_nobody_was_told(bowl, shop):
    make_order(product=bowl, state=OrderState.COMPLETED)
    assert services.rebuild_sales() == 1
    assert [row.orders for row in ShopDay.objects.filter(shop=shop) if row.orders] == [1]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_who_counts_one_day_at_the_same_time_counts_it_right():
    product = make_product()
    moment = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
    orders = [make_order(product=product, state=OrderState.READY) for _ in range(4)]
    waiting = list(orders)

    def complete_and_count():
        order = waiting.pop()
        services.complete_order(order_id=order.pk, actor_id=product.shop.owner_id)
        complete_at(order, moment)
        services.roll_up_order(order_id=order.pk)

    outcomes = race(complete_and_count, times=4)
    assert [one for one in outcomes if isinstance(one, BaseException)] == []
    days, products = counted(product.shop)
    assert days[moment.date()]["orders"] == 4
    assert products == {(moment.date(), product.pk): (4, 4, 4000)}


def test_deliveries_are_on_time_until_their_slot_ends(bowl, shop, ada):
    ends = dt.datetime(2026, 5, 4, 14, tzinfo=dt.UTC)
    for minutes in (-5, 0, 5):
        slot = Slot.objects.create(
            shop=shop,
            kind="pickup",
            starts_at=ends - dt.timedelta(hours=2),
            ends_at=ends,
            closes_at=ends - dt.timedelta(hours=2),
            capacity=5,
        )
        order = make_order(product=bowl, state=OrderState.READY)
        Delivery.objects.create(order=order, slot=slot, kind="pickup")
        services.deliver(order_id=order.pk, actor_id=ada.pk)
        complete_at(order, ends + dt.timedelta(minutes=minutes))
        services.roll_up_order(order_id=order.pk)
    figures = selectors.dashboard(shop_id=shop.pk, actor_id=ada.pk, **YEAR)
    assert (figures.deliveries, figures.deliveries_on_time, figures.on_time_share) == (3, 2, 0.6667)


def test_first_orders_and_those_of_customers_who_came_back(bowl, ada, shop, bob):
    first = completed(bowl, dt.datetime(2026, 1, 5, tzinfo=dt.UTC), customer=bob)
    completed(bowl, dt.datetime(2026, 2, 5, tzinfo=dt.UTC), customer=bob)
    completed(bowl, dt.datetime(2026, 2, 6, tzinfo=dt.UTC))
    services.rebuild_sales(days=None)
    figures = selectors.dashboard(shop_id=shop.pk, actor_id=ada.pk, **YEAR)
    assert (figures.new_customers, figures.returning_orders, figures.returning_share) == (2, 1, 0.3333)
    # Refunded, it still was his first.
    Order.objects.filter(pk=first.pk).update(state=OrderState.REFUNDED)
    services.rebuild_sales(days=None)
    figures = selectors.dashboard(shop_id=shop.pk, actor_id=ada.pk, **YEAR)
    assert (figures.new_customers, figures.returning_orders) == (1, 1)


def test_the_dashboard_of_a_period_in_full(bowl, cup, shop, ada, bob):
    completed(bowl, dt.datetime(2026, 1, 5, tzinfo=dt.UTC), quantity=3)
    completed(cup, dt.datetime(2026, 3, 5, tzinfo=dt.UTC), quantity=2)
    make_order(product=cup, customer=bob, quantity=6)
    services.rebuild_sales(days=None)
    start, end = dt.date(2026, 1, 1), dt.date(2026, 3, 31)
    figures = selectors.dashboard(shop_id=shop.pk, actor_id=ada.pk, start=start, end=end)
    assert [(one.month.month, one.units, one.revenue_minor, one.change) for one in figures.months] == [
        (1, 3, 3000, None),
        (2, 0, 0, -1.0),
        (3, 2, 900, None),
    ]
    assert [(one.rank, one.name, one.units, one.share, one.running_share) for one in figures.top_products] == [
        (1, "Bowl", 3, 0.7692, 0.7692),
        (2, "Cup", 2, 0.2308, 1.0),
    ]
    assert (figures.orders, figures.average_order_minor, figures.units) == (2, 1950, 5)
    assert figures.orders_by_state["completed"] == 2
    assert figures.orders_by_state["pending"] == 1
    assert [one.name for one in figures.low_stock] == ["Cup"]


def test_products_with_the_same_revenue_have_the_same_rank(bowl, cup, shop, ada, category):
    vase = make_product(shop=shop, category=category, name="Vase", price="2.00")
    for product, quantity in ((bowl, 1), (vase, 5), (cup, 1)):
        completed(product, dt.datetime(2026, 1, 5, tzinfo=dt.UTC), quantity=quantity)
    services.rebuild_sales(days=None)
    figures = selectors.dashboard(shop_id=shop.pk, actor_id=ada.pk, **YEAR)
    assert sorted((one.rank, one.name) for one in figures.top_products) == [(1, "Bowl"), (1, "Vase"), (3, "Cup")]


def test_a_shop_without_a_sale_has_zeros(shop, ada):
    figures = selectors.dashboard(shop_id=shop.pk, actor_id=ada.pk)
    assert (figures.orders, figures.revenue_minor, figures.average_order_minor) == (0, 0, None)
    assert len(figures.months) in {12, 13}  # a year from the last of a month touches no thirteenth
    assert figures.top_products == []


def test_the_dashboard_takes_few_statements_however_long_the_period(shop, ada, django_assert_max_num_queries):
    with django_assert_max_num_queries(7):
        selectors.dashboard(shop_id=shop.pk, actor_id=ada.pk, start=dt.date(2020, 1, 1), end=dt.date(2026, 12, 31))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (dt.date(2026, 2, 1), dt.date(2026, 1, 1)),
        (dt.date(2006, 1, 1), dt.date(2026, 1, 1)),
        (dt.date.min, dt.date.min),
        (dt.date.max, dt.date.max),
    ],
)
def test_periods_that_are_none_are_refused(shop, ada, start, end):
    with pytest.raises(PeriodInvalid):
        selectors.dashboard(shop_id=shop.pk, actor_id=ada.pk, start=start, end=end)


def test_nobody_sees_the_dashboard_of_somebody_else(shop, bob):
    with pytest.raises(ShopNotFound):
        selectors.dashboard(shop_id=shop.pk, actor_id=bob.pk)


def test_a_day_begins_at_the_shops_midnight_also_where_clocks_change():
    start, end = selectors.day_bounds(dt.date(2026, 3, 29), dt.date(2026, 3, 29), "Europe/Berlin")
    assert end - start == dt.timedelta(hours=23)
    start, end = selectors.day_bounds(dt.date(2026, 10, 25), dt.date(2026, 10, 25), "Europe/Berlin")
    assert end - start == dt.timedelta(hours=25)
    # Where midnight itself does not exist.
    start, end = selectors.day_bounds(dt.date(2018, 11, 4), dt.date(2018, 11, 4), "America/Sao_Paulo")
    assert end - start == dt.timedelta(hours=23)
    assert selectors.day_of(start, "America/Sao_Paulo") == dt.date(2018, 11, 4)


def test_each_list_comes_as_csv_and_no_spreadsheet_runs_it(shop, ada, category):
    product = make_product(shop=shop, category=category, name='=HYPERLINK("http://evil")', price="12.34")
    completed(product, dt.datetime(2026, 1, 5, tzinfo=dt.UTC))
    services.rebuild_sales(days=None)
    figures = selectors.dashboard(shop_id=shop.pk, actor_id=ada.pk, start=dt.date(2026, 1, 1), end=dt.date(2026, 1, 31))

    def rows(listing):
        return list(csv.reader(io.StringIO("".join(selectors.dashboard_as_csv(figures, listing=listing)))))

    assert rows("months") == [["month", "units", "revenue", "change"], ["2026-01", "1", "12.34", ""]]
    assert rows("categories") == [["month", "name", "units", "revenue"], ["2026-01", "Ceramics", "1", "12.34"]]
    assert rows("products")[1] == ["1", '\'=HYPERLINK("http://evil")', "1", "1", "12.34", "1.0", "1.0"]


def test_popularity_is_what_was_sold_in_three_months(bowl, cup):
    make_order(product=bowl, quantity=3, state=OrderState.COMPLETED)
    Product.objects.filter(pk=cup.pk).update(popularity=9)
    services.rebuild_sales()
    assert services.refresh_popularity() == 2
    assert dict(Product.objects.values_list("name", "popularity")) == {"Bowl": 3, "Cup": 0}
    assert services.refresh_popularity() == 0


def test_two_variants_of_a_product_in_one_order_are_one_order_of_it(bowl, shop, ada, bob):
    red = services.add_variant(product_id=bowl.pk, actor_id=ada.pk, options={"color": "red"}, stock=5)
    plain = bowl.variants.exclude(pk=red.pk).get()
    items = [services.Item(variant_id=one.pk, quantity=1) for one in (plain, red)]
    order = services.place_order(customer_id=bob.pk, shop_id=shop.pk, items=items)
    services.pay_order(order_id=order.pk, customer_id=bob.pk)
    services.finish_order(order_id=order.pk, actor_id=ada.pk)
    services.complete_order(order_id=order.pk, actor_id=ada.pk)
    services.roll_up_order(order_id=order.pk)
    assert OrderLine.objects.count() == 2
    row = SalesDay.objects.get()
    assert (row.orders, row.units, row.revenue_minor) == (1, 2, 2000)
