"""Roll-ups: what a shop sold on each of its days, what is bought together, and what is popular.

A day is counted from its orders, never added to: counting it twice is counting it once, an event that comes again or
late does no harm, and a rebuild is the same count over more days. Who counts a day locks its month first and reads the
orders in a statement of its own afterwards, so that the last one to write has seen what was committed before.

A sale is a completed order, on the day on which it was completed, in the shop's time zone; a refund takes it back.
"""

import datetime as dt
import logging
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from holdfast.transactions import atomic_for
from holdfast_artisan_shop.models import CoBuy, Delivery, Order, OrderLine, Product, SalesDay, SalesMonth, Shop, ShopDay
from holdfast_artisan_shop.selectors.days import day_bounds, day_of, month_end
from holdfast_artisan_shop.services.rows import using
from holdfast_artisan_shop.states import DeliveryState, OrderState

logger = logging.getLogger("holdfast_artisan_shop")

TOGETHER_MAX = 20
TOGETHER_DAYS = 180
POPULAR_DAYS = 90
CHUNK = 1_000
SOLD = (OrderState.PAID, OrderState.PROCESSING, OrderState.READY, OrderState.OUT_FOR_DELIVERY, OrderState.COMPLETED)
FIGURES = ("orders", "units", "revenue_minor")
TOTALS = ("orders", "total_minor", "fee_minor", "returning_orders", "deliveries", "deliveries_on_time")


def roll_up_order(*, order_id: UUID) -> None:
    """Count the day of an order that was completed or refunded, as far as its products are concerned."""
    order = Order.objects.using(using()).select_related("shop").filter(pk=order_id).first()
    if order is None or order.completed_at is None:
        return
    lines = OrderLine.objects.using(using()).filter(order=order)
    products = set(lines.values_list("product_id", flat=True))
    _count_day(order.shop, day_of(order.completed_at, order.shop.time_zone), products)


def rebuild_sales(*, shop_id: UUID | None = None, days: int | None = 3) -> int:
    """Count the last days of a shop, or of all shops, anew; return how many of them had been wrong, which is logged.

    ``days`` ``None`` is from the beginning: what to do after a shop has moved to another time zone.
    """
    shops = Shop.objects.using(using()).order_by("pk")
    if shop_id is not None:
        shops = shops.filter(pk=shop_id)
    elif days is not None:
        # A day more than of any of them, wherever it is; most shops have sold nothing.
        since = timezone.now() - dt.timedelta(days=days + 2)
        sold = Order.objects.using(using()).filter(completed_at__gte=since).order_by().values("shop_id")
        counted = ShopDay.objects.using(using()).filter(day__gte=since.date()).order_by().values("shop_id")
        shops = shops.filter(Q(pk__in=sold) | Q(pk__in=counted))
    wrong = 0
    for shop in shops.iterator(CHUNK):
        for day in _days_to_count(shop, days):
            if _count_day(shop, day):
                wrong += 1
                logger.warning("The sales of shop %s on %s were counted wrong; they are right now.", shop.pk, day)
    return wrong


def refresh_together(*, since: dt.datetime | None = None, product_ids: Collection[UUID] | None = None) -> int:
    """Count anew what is bought together with products that were ordered lately, or with these; say how many they are.

    For each the most frequent companions of half a year are kept.
    """
    if product_ids is None:
        since = since or timezone.now() - dt.timedelta(days=1)
        ordered = OrderLine.objects.using(using()).filter(order__placed_at__gte=since).order_by()
        product_ids = sorted(set(ordered.values_list("product_id", flat=True)))
    ids = sorted(product_ids)
    for start in range(0, len(ids), CHUNK):
        _count_together(ids[start : start + CHUNK])
    return len(ids)


def refresh_popularity() -> int:
    """Write how many pieces of each product were sold in the last three months; return how many figures changed."""
    since = (timezone.now() - dt.timedelta(days=POPULAR_DAYS)).date()
    sold = SalesDay.objects.using(using()).filter(day__gte=since).order_by().values("product_id")
    wanted = {row["product_id"]: row["n"] for row in sold.annotate(n=Sum("units"))}
    products = Product.objects.using(using())
    known = dict(products.filter(Q(popularity__gt=0) | Q(pk__in=sold)).values_list("pk", "popularity"))
    changed = [Product(pk=pk, popularity=wanted.get(pk, 0)) for pk in sorted(known) if known[pk] != wanted.get(pk, 0)]
    return products.bulk_update(changed, ["popularity"], batch_size=CHUNK)


def _days_to_count(shop: Shop, days: int | None) -> Iterable[dt.date]:
    """Return the days on which anything was sold, by the orders or by the roll-up."""
    orders = Order.objects.using(using()).filter(shop=shop, completed_at__isnull=False)
    counted = ShopDay.objects.using(using()).filter(shop=shop)
    if days is not None:
        first = day_of(timezone.now(), shop.time_zone) - dt.timedelta(days=days)
        orders = orders.filter(completed_at__gte=day_bounds(first, first, shop.time_zone)[0])
        counted = counted.filter(day__gte=first)
    moments = orders.order_by().values_list("completed_at", flat=True).iterator(CHUNK)
    return sorted({day_of(at, shop.time_zone) for at in moments if at} | set(counted.values_list("day", flat=True)))


def _count_day(shop: Shop, day: dt.date, products: Collection[UUID] | None = None) -> bool:
    """Count a day of a shop, all of its products or only these; say whether anything was different."""
    with atomic_for(ShopDay):
        days, month = ShopDay.objects.using(using()).filter(shop=shop), day.replace(day=1)
        empty = [ShopDay(shop=shop, day=one, **dict.fromkeys(TOTALS, 0)) for one in sorted({month, day})]
        ShopDay.objects.using(using()).bulk_create(empty, ignore_conflicts=True)
        # The row of its first day is the lock of a whole month, whose sums are written, too.
        days.select_for_update(no_key=True).get(day=month)
        row = days.get(day=day)
        different = _count_products(shop, day, products)
        totals = _totals(shop, day)
        if totals == {name: getattr(row, name) for name in TOTALS}:
            return different
        for name, value in totals.items():
            setattr(row, name, value)
        # Where nothing is left it stays, with zeros: somebody may wait for its lock.
        row.save(update_fields=TOTALS)
        return True


def _count_products(shop: Shop, day: dt.date, products: Collection[UUID] | None) -> bool:
    start, end = day_bounds(day, day, shop.time_zone)
    lines = OrderLine.objects.using(using()).filter(
        order__shop=shop, order__state=OrderState.COMPLETED, order__completed_at__gte=start, order__completed_at__lt=end
    )
    month = day.replace(day=1)
    days = SalesDay.objects.using(using()).filter(shop=shop, day__range=(month, month_end(day)))
    if products is not None:
        lines, days = lines.filter(product_id__in=products), days.filter(product_id__in=products)
    sold = lines.order_by().values_list("product_id")
    of_day = sold.annotate(Count("order_id", distinct=True), Sum("quantity"), Sum("total_minor"))
    different = _write(SalesDay, {"shop": shop, "day": day}, _by_product(of_day), products)
    of_month = days.order_by().values_list("product_id").annotate(*(Sum(name) for name in FIGURES))
    return _write(SalesMonth, {"shop": shop, "month": month}, _by_product(of_month), products) or different


def _by_product(rows: Iterable[Any]) -> dict[UUID, tuple[int, ...]]:
    return {product_id: tuple(figures) for product_id, *figures in rows}


def _write(
    model: type[SalesDay | SalesMonth],
    span: dict[str, Any],
    is_now: dict[UUID, tuple[int, ...]],
    products: Collection[UUID] | None,
) -> bool:
    """Write what is different of a day or a month; say whether anything was."""
    counted = model._default_manager.using(using()).filter(**span)  # noqa: SLF001 - documented by Django
    if products is not None:
        counted = counted.filter(product_id__in=products)
    was = _by_product(counted.values_list("product_id", *FIGURES))
    if is_now == was:
        return False
    counted.filter(product_id__in=was.keys() - is_now.keys()).delete()
    rows: list[Any] = [
        model(**span, product_id=product_id, **dict(zip(FIGURES, figures, strict=True)))
        for product_id, figures in sorted(is_now.items())
        if was.get(product_id) != figures
    ]
    model._default_manager.using(using()).bulk_create(  # noqa: SLF001 - as above
        rows, update_conflicts=True, unique_fields=[*span, "product"], update_fields=FIGURES
    )
    return True


def _totals(shop: Shop, day: dt.date) -> dict[str, int]:
    start, end = day_bounds(day, day, shop.time_zone)
    orders = Order.objects.using(using()).filter(
        shop=shop, state=OrderState.COMPLETED, completed_at__gte=start, completed_at__lt=end
    )
    # Before it by time, and by id where two have the same; one that was refunded since was a first order all the same.
    earlier = Order.objects.filter(
        Q(completed_at__lt=OuterRef("completed_at")) | Q(completed_at=OuterRef("completed_at"), pk__lt=OuterRef("pk")),
        shop=OuterRef("shop"),
        customer=OuterRef("customer"),
    )
    sums = orders.aggregate(
        orders=Count("pk"),
        total_minor=Sum("total_minor", default=0),
        fee_minor=Sum("fee_minor", default=0),
    )
    delivered = Delivery.objects.using(using()).filter(order__in=orders, state=DeliveryState.DELIVERED)
    return sums | {
        "returning_orders": orders.filter(Exists(earlier)).count(),
        "deliveries": delivered.count(),
        "deliveries_on_time": delivered.filter(delivered_at__lte=F("slot__ends_at")).count(),
    }


def _count_together(product_ids: Sequence[UUID]) -> None:
    since = timezone.now() - dt.timedelta(days=TOGETHER_DAYS)
    pairs = (
        OrderLine.objects.using(using())
        .filter(product_id__in=product_ids, order__placed_at__gte=since, order__state__in=SOLD)
        .order_by()
        .annotate(other=F("order__lines__product_id"))
        .filter(~Q(other=F("product_id")))
        .values("product_id", "other")
        .annotate(score=Count("order_id", distinct=True))
        .annotate(
            place=Window(RowNumber(), partition_by=F("product_id"), order_by=(F("score").desc(), F("other").asc()))
        )
        .filter(place__lte=TOGETHER_MAX)
    )
    found = [
        CoBuy(product_id=row["product_id"], other_id=row["other"], score=row["score"])
        for row in pairs.values("product_id", "other", "score")
    ]
    with atomic_for(CoBuy):
        # Two who count the same products wait here for each other; what the second one writes is as true.
        list(
            Product.objects.using(using())
            .select_for_update(no_key=True)
            .filter(pk__in=product_ids)
            .order_by("pk")
            .values_list("pk")
        )
        CoBuy.objects.using(using()).filter(product_id__in=product_ids).delete()
        CoBuy.objects.using(using()).bulk_create(found, batch_size=CHUNK)
