"""Reports: what was looked at, by the hour, the day and the month, ranked and compared."""

import datetime as dt

import pytest
from django.utils import timezone

from holdfast.money import Money
from holdfast_catalog_notify import services
from holdfast_catalog_notify.exceptions import HoursForgotten, PeriodInvalid, PeriodTooLong
from holdfast_catalog_notify.models import Brand, Category, DailyViews, Product
from holdfast_catalog_notify.selectors import reports
from holdfast_catalog_notify.states import Interval, RankingOf, ViewKind

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 11, 20)
NOON = dt.datetime(2026, 11, 20, 12, 34, 56, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def utc(settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {"REPORT_TIME_ZONE": "UTC"}


@pytest.fixture
def shop(db):
    """Two brands, a category, three products: the last one has no category."""
    acme, bolt = Brand.objects.create(name="Acme"), Brand.objects.create(name="Bolt")
    lamps = Category.objects.create(name="Lamps")

    def product(sku, brand, category=None):
        return Product.objects.create(
            sku=sku, name=sku.title(), price=Money("1.00", "EUR"), brand=brand, category=category
        )

    return [product("lamp", acme, lamps), product("torch", bolt, lamps), product("rope", bolt)]


def look(*products, times=1, at=NOON, kind=ViewKind.RETRIEVED):
    for _time in range(times):
        services.record_views(kind=kind, product_ids=[product.pk for product in products], meta={}, at=at)


def over_time(interval, start=DAY, end=DAY, **scope):
    services.count_views()
    return reports.views_over_time(interval=interval, start=start, end=end, **scope)


def ranked(of=RankingOf.PRODUCT, start=DAY, end=DAY, **options):
    services.count_views()
    return reports.ranking(of=of, start=start, end=end, **options)


def test_days_without_a_view_are_zeros(shop):
    look(shop[0], times=2)
    look(*shop, kind=ViewKind.LISTED, at=NOON - dt.timedelta(days=2))

    series = over_time(Interval.DAY, start=DAY - dt.timedelta(days=2))

    assert [(row.start.day, row.figures["retrieved"], row.figures["listed"]) for row in series.rows] == [
        (18, 0, 3),
        (19, 0, 0),
        (20, 2, 0),
    ]
    assert series.totals == {"retrieved": 2, "listed": 3, "visits": 0, "bot_retrieved": 0, "bot_listed": 0}
    assert (series.time_zone, series.pending) == ("UTC", 0)


def test_what_waits_in_the_buffer_is_said_and_not_shown(shop):
    look(shop[0], times=3)

    series = reports.views_over_time(interval=Interval.DAY, start=DAY, end=DAY)

    assert (series.pending, series.totals["retrieved"]) == (3, 0)
    assert over_time(Interval.DAY).totals["retrieved"] == 3


def test_months_are_whole_and_compared_with_as_many_months(shop):
    look(shop[0], times=4, at=NOON.replace(month=9, day=30))
    look(shop[0], times=5, at=NOON.replace(month=10, day=1))
    look(shop[0], times=6, at=NOON.replace(day=30))

    series = over_time(Interval.MONTH, start=dt.date(2026, 10, 15), end=DAY)

    assert [(row.start, row.figures["retrieved"]) for row in series.rows] == [
        (dt.date(2026, 10, 1), 5),
        (dt.date(2026, 11, 1), 6),
    ]
    assert (series.period.start, series.period.end) == (dt.date(2026, 10, 1), dt.date(2026, 11, 30))
    assert (series.former.start, series.former.end) == (dt.date(2026, 8, 1), dt.date(2026, 9, 30))
    assert series.former_totals["retrieved"] == 4
    assert series.change_percent["retrieved"] == 175.0


@pytest.mark.parametrize(
    ("start", "end", "former"),
    [
        (dt.date(2026, 1, 1), dt.date(2026, 1, 31), dt.date(2025, 12, 1)),
        (dt.date(2025, 12, 1), dt.date(2026, 1, 31), dt.date(2025, 10, 1)),
        (dt.date(2026, 12, 1), dt.date(2026, 12, 31), dt.date(2026, 11, 1)),
        (dt.date(2025, 1, 1), dt.date(2026, 12, 31), dt.date(2023, 1, 1)),
    ],
)
def test_the_former_months_end_where_the_period_begins(start, end, former):
    period = reports.Period(start=start, end=end)
    assert period.months_before() == reports.Period(start=former, end=start - dt.timedelta(days=1))


def test_the_trend_compares_as_many_days(shop):
    look(shop[0], times=3)
    look(shop[0], times=4, at=NOON - dt.timedelta(days=2))
    look(shop[0], times=9, at=NOON - dt.timedelta(days=4))

    series = over_time(Interval.DAY, start=DAY - dt.timedelta(days=1))

    assert series.former_totals["retrieved"] == 4
    assert series.change_percent == {
        "retrieved": -25.0,
        "listed": None,
        "visits": None,
        "bot_retrieved": None,
        "bot_listed": None,
    }


def test_a_day_on_which_clocks_are_set_back_has_25_hours_and_none_is_lost(shop, settings, monkeypatch):
    settings.HOLDFAST_CATALOG_NOTIFY = {"REPORT_TIME_ZONE": "Europe/Berlin", "HOURLY_VIEWS_DAYS": 36_500}
    midnight = dt.datetime(2026, 10, 24, 22, tzinfo=dt.UTC)
    for quarter in range(4 * 25):
        look(shop[0], at=midnight + dt.timedelta(minutes=15 * quarter))

    series = over_time(Interval.HOUR, start=dt.date(2026, 10, 25), end=dt.date(2026, 10, 25))

    assert [row.figures["retrieved"] for row in series.rows] == [4] * 25
    assert [row.start.isoformat() for row in series.rows[1:5]] == [
        "2026-10-25T01:00:00+02:00",
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]
    assert over_time(Interval.DAY, start=dt.date(2026, 10, 25), end=dt.date(2026, 10, 25)).totals["retrieved"] == 100


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", dt.date(2026, 3, 29), 23),
        ("Africa/Cairo", dt.date(2026, 4, 24), 23),  # its midnight does not exist
        ("America/Havana", dt.date(2026, 11, 1), 25),  # its midnight comes twice
        ("Asia/Kolkata", dt.date(2026, 11, 20), 24),
        ("Australia/Lord_Howe", dt.date(2026, 4, 5), 24),  # clocks are set by half an hour
    ],
)
def test_the_hours_of_any_day_in_any_zone_are_the_hours_that_are_counted(shop, settings, zone, day, hours):
    settings.HOLDFAST_CATALOG_NOTIFY = {"REPORT_TIME_ZONE": zone, "HOURLY_VIEWS_DAYS": 36_500}
    moment = dt.datetime.combine(day - dt.timedelta(days=1), dt.time(0), dt.UTC)
    expected = 0
    while moment.date() <= day + dt.timedelta(days=1):
        look(shop[0], at=moment)
        expected += moment.astimezone(reports.report_time_zone()).date() == day
        moment += dt.timedelta(minutes=30)

    series = over_time(Interval.HOUR, start=day, end=day)

    assert len(series.rows) == hours
    assert series.totals["retrieved"] == expected
    assert over_time(Interval.DAY, start=day, end=day).totals["retrieved"] == expected


def test_products_are_ranked_by_a_figure_and_compared(shop):
    look(shop[0], times=2)
    look(shop[1], times=5)
    look(*shop, times=7, kind=ViewKind.LISTED)
    look(shop[1], times=4, at=NOON - dt.timedelta(days=1))

    first, second = ranked().rows

    assert (first.sku, first.name, first.figures["retrieved"], first.figures["listed"]) == ("torch", "Torch", 5, 7)
    assert (first.former, first.change_percent) == (4, 25.0)
    assert (second.sku, second.figures["retrieved"], second.former, second.change_percent) == ("lamp", 2, 0, None)
    assert {row.sku for row in ranked(by="listed").rows} == {"lamp", "torch", "rope"}
    assert [row.sku for row in ranked(limit=1).rows] == ["torch"]


def test_brands_and_categories_are_ranked_and_what_has_none_or_is_gone_is_not_left_out(shop):
    look(shop[0], times=3)
    look(shop[1], times=4)
    look(shop[2], times=5)
    look(shop[2], times=2, at=NOON - dt.timedelta(days=1))

    assert [(row.name, row.figures["retrieved"]) for row in ranked(RankingOf.BRAND).rows] == [("Bolt", 9), ("Acme", 3)]
    rows = ranked(RankingOf.CATEGORY).rows
    assert [(row.id, row.name, row.figures["retrieved"], row.former) for row in rows] == [
        (shop[0].category_id, "Lamps", 7, 0),
        (None, "", 5, 2),
    ]

    gone = shop[2].pk
    shop[2].delete()
    rows = ranked(RankingOf.BRAND).rows
    assert [(row.name, row.figures["retrieved"], row.former) for row in rows] == [
        ("", 5, 2),
        ("Bolt", 4, 0),
        ("Acme", 3, 0),
    ]
    first = ranked().rows[0]
    assert (first.id, first.sku) == (gone, "")


def test_a_report_may_be_of_one_product_brand_or_category(shop):
    for number, product in enumerate(shop):
        look(product, times=10**number)

    def total(**scope):
        return over_time(Interval.DAY, **scope).totals["retrieved"]

    assert total() == 111
    assert total(product_id=shop[2].pk) == 100
    assert total(brand_id=shop[1].brand_id) == 110
    assert total(category_id=shop[0].category_id) == 11
    assert [row.sku for row in ranked(brand_id=shop[0].brand_id).rows] == ["lamp"]


@pytest.mark.parametrize(("interval", "days"), [(Interval.HOUR, 31), (Interval.DAY, 366), (Interval.MONTH, 3_660)])
def test_a_report_is_no_longer_than_it_may_be(interval, days, settings):
    settings.HOLDFAST_CATALOG_NOTIFY |= {"HOURLY_VIEWS_DAYS": 40_000}
    over_time(interval, start=DAY - dt.timedelta(days=days - 1))
    with pytest.raises(PeriodTooLong) as refusal:
        over_time(interval, start=DAY - dt.timedelta(days=days))
    assert refusal.value.context == {"days": days + 1, "maximum": days}
    with pytest.raises(PeriodTooLong):
        ranked(start=DAY - dt.timedelta(days=366))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (DAY, DAY - dt.timedelta(days=1)),
        (dt.date(1969, 12, 31), dt.date(1970, 1, 1)),
        (dt.date.min, dt.date.min),
        (dt.date.max, dt.date.max),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(start, end):
    for ask in (lambda: over_time(Interval.DAY, start, end), lambda: ranked(start=start, end=end)):
        with pytest.raises(PeriodInvalid):
            ask()


@pytest.mark.parametrize("interval", [Interval.DAY, Interval.MONTH])
@pytest.mark.parametrize("day", [reports.EARLIEST, reports.LATEST])
def test_the_first_and_the_last_day_have_a_report(interval, day):
    assert over_time(interval, day, day).totals["retrieved"] == 0


def test_hours_that_are_no_longer_kept_are_refused_not_shown_as_zeros(settings):
    settings.HOLDFAST_CATALOG_NOTIFY |= {"HOURLY_VIEWS_DAYS": 5}
    today = timezone.now().date()
    with pytest.raises(HoursForgotten):
        over_time(Interval.HOUR, today - dt.timedelta(days=5), today)
    over_time(Interval.HOUR, today - dt.timedelta(days=4), today)
    assert DailyViews.objects.count() == 0
