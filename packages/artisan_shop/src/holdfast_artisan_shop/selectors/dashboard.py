"""What a shop sold, over any days of its own: from the roll-ups, so that the number of orders does not matter.

Sales are completed orders, by the day on which they were completed; what was refunded is none. Amounts are whole minor
units of the shop's currency.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.db import connections, router
from django.db.models import Count, F, Sum
from django.utils import timezone

from holdfast.money import from_minor
from holdfast_artisan_shop.models import Category, InventoryAlert, Order, Product, SalesDay, SalesMonth, Shop, ShopDay
from holdfast_artisan_shop.selectors.days import ONE_DAY, Period, day_bounds, day_of, month_end, period
from holdfast_artisan_shop.selectors.scopes import managed_shop
from holdfast_artisan_shop.states import OrderState

TOP = 10
LOW_STOCK_MAX = 50
DEFAULT_DAYS = 365
ENDED = (OrderState.COMPLETED, OrderState.CANCELLED, OrderState.REFUNDED)
# A spreadsheet would run it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
Listing = Literal["months", "categories", "products"]

# Whole months are read as such, and only the days of the others, of which there are at most two. The shop is said again
# of its products, or the database would read those of all shops. A product's place is by its revenue; "running" is the
# revenue of it and of all above it. The names of categories are looked up once each, and not once for each month.
_SALES = """
    WITH sold AS MATERIALIZED (
        SELECT month, product_id, orders, units, revenue_minor AS revenue
        FROM {sales_month} WHERE shop_id = %s AND month BETWEEN %s AND %s{days}
    ), ranked AS (
        SELECT product_id, SUM(orders) AS orders, SUM(units) AS units, SUM(revenue) AS revenue,
            RANK() OVER (ORDER BY SUM(revenue) DESC) AS place,
            SUM(SUM(revenue)) OVER (ORDER BY SUM(revenue) DESC, product_id ROWS UNBOUNDED PRECEDING) AS running,
            SUM(SUM(revenue)) OVER () AS whole
        FROM sold GROUP BY product_id
    )
    SELECT month, 0, product.category_id, NULL, SUM(units), SUM(revenue), 0, 0, 0
    FROM sold JOIN {product} AS product ON product.id = sold.product_id AND product.shop_id = %s
    GROUP BY month, product.category_id
    UNION ALL
    SELECT NULL, place, product.id, product.name, units, revenue, ranked.orders, running, whole
    FROM ranked JOIN {product} AS product ON product.id = ranked.product_id AND product.shop_id = %s
    WHERE place <= {top}"""
_DAYS = """
        UNION ALL
        SELECT %s, product_id, SUM(orders), SUM(units), SUM(revenue_minor)
        FROM {sales_day} WHERE shop_id = %s AND day BETWEEN %s AND %s
        GROUP BY product_id"""


@dataclass(frozen=True, kw_only=True)
class MonthFigures:
    """A month, as far as the period covers it; ``change`` is to the month before, as a share of it."""

    month: dt.date
    units: int
    revenue_minor: int
    change: float | None


@dataclass(frozen=True, kw_only=True)
class CategoryFigures:
    """What was sold of a category in a month."""

    month: dt.date
    category_id: UUID
    name: str
    units: int
    revenue_minor: int


@dataclass(frozen=True, kw_only=True)
class ProductFigures:
    """One of the best-selling products, its share of the revenue, and the share of it and all before it."""

    rank: int
    product_id: UUID
    name: str
    orders: int
    units: int
    revenue_minor: int
    share: float
    running_share: float


@dataclass(frozen=True, kw_only=True)
class LowStock:
    """A variant that is at its threshold or below it now."""

    product_id: UUID
    variant_id: UUID
    name: str
    sku: str
    left: int
    low_at: int
    since: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """The figures of a shop's period.

    ``revenue_minor`` is what the lines came to, ``total_minor`` what customers paid, with delivery and less discounts.
    ``orders_by_state`` counts open orders as they are now, completed and refunded ones by when they were
    completed, and cancelled ones by when they were cancelled.
    """

    shop_id: UUID
    currency: str
    start: dt.date
    end: dt.date
    orders: int
    units: int
    revenue_minor: int
    total_minor: int
    fee_minor: int
    average_order_minor: int | None
    new_customers: int
    returning_orders: int
    returning_share: float | None
    deliveries: int
    deliveries_on_time: int
    on_time_share: float | None
    months: list[MonthFigures]
    categories: list[CategoryFigures]
    top_products: list[ProductFigures]
    orders_by_state: dict[str, int]
    low_stock: list[LowStock]


def dashboard(*, shop_id: UUID, actor_id: Any, start: dt.date | None = None, end: dt.date | None = None) -> Dashboard:
    """Return the figures of a shop's days, both included; without them of the last year.

    Raises ``ShopNotFound``, ``PeriodInvalid``.
    """
    shop = managed_shop(shop_id=shop_id, actor_id=actor_id)
    end = end or day_of(timezone.now(), shop.time_zone)
    days = period(start=start or end - dt.timedelta(days=DEFAULT_DAYS - 1), end=end)
    categories, top_products = _sales(shop, days)
    months = _months(days, categories)
    sums = {name: Sum(name, default=0) for name in ("orders", "total_minor", "fee_minor", *_SHARES)}
    totals = ShopDay.objects.filter(shop=shop, day__range=(days.start, days.end)).aggregate(**sums)
    orders = totals["orders"]
    return Dashboard(
        shop_id=shop.pk,
        currency=shop.currency,
        start=days.start,
        end=days.end,
        units=sum(month.units for month in months),
        revenue_minor=sum(month.revenue_minor for month in months),
        average_order_minor=(2 * totals["total_minor"] + orders) // (2 * orders) if orders else None,
        new_customers=orders - totals["returning_orders"],
        returning_share=_share(totals["returning_orders"], orders),
        on_time_share=_share(totals["deliveries_on_time"], totals["deliveries"]),
        months=months,
        categories=categories,
        top_products=top_products,
        orders_by_state=_orders_by_state(shop, days, orders),
        low_stock=low_stock(shop_id=shop.pk),
        **totals,
    )


_SHARES = ("returning_orders", "deliveries", "deliveries_on_time")


def low_stock(*, shop_id: UUID) -> list[LowStock]:
    """Return the variants of a shop whose stock is low now, the lowest first."""
    alerts = InventoryAlert.objects.filter(shop_id=shop_id, resolved_at=None).annotate(
        left_now=F("stock__on_hand") - F("stock__allocated")
    )
    rows = alerts.order_by("left_now", "id").values_list(
        "stock__variant__product_id",
        "stock_id",
        "stock__variant__product__name",
        "stock__variant__sku",
        "left_now",
        "stock__low_at",
        "opened_at",
    )
    names = ("product_id", "variant_id", "name", "sku", "left", "low_at", "since")
    return [LowStock(**dict(zip(names, row, strict=True))) for row in rows[:LOW_STOCK_MAX]]


def dashboard_as_csv(figures: Dashboard, *, listing: Listing = "categories") -> Iterator[str]:
    """Yield the lines of one of the lists as CSV, the header first; amounts in the shop's currency."""
    columns, rows = _LISTINGS[listing], getattr(figures, "top_products" if listing == "products" else listing)
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow([name.removesuffix("_minor") for name in columns])
    for row in rows:
        writer.writerow([_cell(name, getattr(row, name), figures.currency) for name in columns])
    yield from line.getvalue().splitlines(keepends=True)


_LISTINGS: dict[str, Sequence[str]] = {
    "months": ("month", "units", "revenue_minor", "change"),
    "categories": ("month", "name", "units", "revenue_minor"),
    "products": ("rank", "name", "orders", "units", "revenue_minor", "share", "running_share"),
}


def _sales(shop: Shop, days: Period) -> tuple[list[CategoryFigures], list[ProductFigures]]:
    connection = connections[router.db_for_read(SalesDay)]
    shop_id = Shop._meta.pk.get_db_prep_value(shop.pk, connection)
    sql, parameters = _statement(connection, shop_id, days)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    months, products = [], []
    for month, place, key, name, units, revenue, orders, running, whole in rows:
        row_id = key if isinstance(key, UUID) else UUID(key)
        figures: dict[str, Any] = {"units": int(units), "revenue_minor": int(revenue)}
        if month is not None:
            day = month if isinstance(month, dt.date) else dt.date.fromisoformat(month)
            months.append((day, row_id, figures))
            continue
        shares: dict[str, Any] = {
            "share": _share(revenue, whole) or 0.0,
            "running_share": _share(running, whole) or 0.0,
        }
        products.append(
            ProductFigures(rank=place, product_id=row_id, name=name, orders=int(orders), **shares, **figures)
        )
    names = dict(Category.objects.filter(pk__in={key for _, key, _ in months}).values_list("pk", "name"))
    # One that was deleted since, after its products had moved, has no name any more; its figures still count.
    categories = [
        CategoryFigures(month=day, category_id=key, name=names.get(key, ""), **figures) for day, key, figures in months
    ]
    categories.sort(key=lambda one: (one.month, -one.revenue_minor, one.name))
    products.sort(key=lambda one: (one.rank, one.name))
    return categories, products[:TOP]


def _statement(connection: Any, shop_id: Any, days: Period) -> tuple[str, list[Any]]:
    adapt = connection.ops.adapt_datefield_value
    spans = [(month, max(month, days.start), min(month_end(month), days.end)) for month in days.months()]
    whole = [month for month, first, last in spans if (first, last) == (month, month_end(month))]
    parts = [span for span in spans if span[0] not in whole]
    between = (whole[0], whole[-1]) if whole else (days.end, days.start - ONE_DAY)
    parameters = [shop_id, *map(adapt, between)]
    for month, first, last in parts:
        parameters += [adapt(month), shop_id, adapt(first), adapt(last)]
    tables = {"sales_day": SalesDay, "sales_month": SalesMonth, "product": Product}
    names = {name: connection.ops.quote_name(model._meta.db_table) for name, model in tables.items()}
    sql = _SALES.format(days=_DAYS.format(**names) * len(parts), top=TOP, **names)
    return sql, [*parameters, shop_id, shop_id]


def _months(days: Period, categories: Sequence[CategoryFigures]) -> list[MonthFigures]:
    """Return every month of the period, also those in which nothing was sold."""
    found: list[MonthFigures] = []
    for month in days.months():
        own = [one for one in categories if one.month == month]
        revenue, before = sum(one.revenue_minor for one in own), found[-1].revenue_minor if found else 0
        found.append(
            MonthFigures(
                month=month,
                units=sum(one.units for one in own),
                revenue_minor=revenue,
                change=_share(revenue - before, before),
            )
        )
    return found


def _orders_by_state(shop: Shop, days: Period, completed: int) -> dict[str, int]:
    start, end = day_bounds(days.start, days.end, shop.time_zone)
    orders = Order.objects.filter(shop=shop).order_by()
    opened = orders.filter(state__in=[state for state in OrderState if state not in ENDED])
    found = dict(opened.values_list("state").annotate(Count("pk")))
    # Each of them by itself: an index answers it without the orders.
    cancelled = orders.filter(state=OrderState.CANCELLED, cancelled_at__gte=start, cancelled_at__lt=end)
    refunded = orders.filter(state=OrderState.REFUNDED, completed_at__gte=start, completed_at__lt=end)
    ended = {"completed": completed, "cancelled": cancelled.count(), "refunded": refunded.count()}
    return {str(state): found.get(state, 0) for state in OrderState} | ended


def _share(part: Any, whole: Any) -> float | None:
    return round(float(part) / float(whole), 4) if whole else None


def _cell(name: str, value: Any, currency: str) -> str:
    if value is None:
        return ""
    if name.endswith("_minor"):
        return str(from_minor(value, currency).amount)
    if name == "month":
        return f"{value:%Y-%m}"
    text = str(value)
    return f"'{text}" if name == "name" and text.startswith(FORMULA) else text
