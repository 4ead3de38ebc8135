"""What anonymous visitors look at is counted: once, whole, and without knowing them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction

from holdfast.money import Money
from holdfast.testing import race
from holdfast_catalog_notify import services
from holdfast_catalog_notify.models import (
    FIGURES,
    Brand,
    BufferedViews,
    DailyViews,
    HourlyViews,
    Product,
    Visit,
    VisitorSalt,
)
from holdfast_catalog_notify.services import counting
from holdfast_catalog_notify.states import ViewKind

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
NOON = dt.datetime(2026, 11, 20, 12, 34, 56, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def no_salt_of_another_test(monkeypatch):
    monkeypatch.setattr(counting, "_salts", {})


@pytest.fixture
def products(db):
    return make_products(3)


def make_products(count):
    brand = Brand.objects.create(name="Holdfast")
    return [
        Product.objects.create(sku=f"sku-{number}", name=f"Lamp {number}", price=Money("10.00", "EUR"), brand=brand)
        for number in range(count)
    ]


def look(*products, kind=ViewKind.RETRIEVED, agent=FIREFOX, address="192.0.2.1", at=None, **meta):
    meta = {"HTTP_USER_AGENT": agent, "REMOTE_ADDR": address, **meta}
    services.record_views(kind=kind, product_ids=[product.pk for product in products], meta=meta, at=at)


def count(at=NOON):
    services.count_views()


def figures(product, model=DailyViews):
    """The sums of a product's figures that are not zero."""
    rows = model.objects.filter(product_id=product.pk).values(*FIGURES)
    sums = {figure: sum(row[figure] for row in rows) for figure in FIGURES}
    return {figure: value for figure, value in sums.items() if value}


def test_a_retrieval_and_a_listed_page_are_two_figures_and_a_page_is_one_row(products):
    look(products[0])
    look(*products, kind=ViewKind.LISTED)
    assert BufferedViews.objects.count() == 2

    services.count_views()

    assert BufferedViews.objects.count() == 0
    for model in (DailyViews, HourlyViews):
        assert [figures(product, model) for product in products] == [
            {"retrieved": 1, "listed": 1},
            {"listed": 1},
            {"listed": 1},
        ]


def test_what_is_counted_is_added_to_what_was_counted(products):
    for _time in range(3):
        look(products[0])
        services.count_views()

    assert figures(products[0]) == {"retrieved": 3}
    assert DailyViews.objects.count() == HourlyViews.objects.count() == 1


def test_a_batch_is_no_larger_than_it_may_be(products):
    for _time in range(5):
        look(products[0])

    assert [services.roll_up_views(limit=2) for _time in range(4)] == [2, 2, 1, 0]
    assert figures(products[0]) == {"retrieved": 5}


@pytest.mark.parametrize(
    "agent",
    [
        GOOGLEBOT,
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (compatible; YandexBot/3.0)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2)",
        "Mozilla/5.0 (compatible; Baiduspider/2.0)",
        "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0.0.0",
        "facebookexternalhit/1.1",
        "ia_archiver",
    ],
)
def test_bots_are_counted_apart(products, agent):
    look(products[0], agent=agent)
    look(products[0], kind=ViewKind.LISTED, agent=agent)

    services.count_views()

    assert figures(products[0]) == {"bot_retrieved": 1, "bot_listed": 1}


@pytest.mark.parametrize(
    "agent", [FIREFOX, "", "curl/8.5.0", "Mozilla/5.0 (Linux; CUBOT X18) Chrome/130.0", "x" * 9_999]
)
def test_whoever_does_not_say_that_he_is_a_bot_is_a_visitor(products, agent):
    look(products[0], agent=agent)

    services.count_views()

    assert figures(products[0]) == {"retrieved": 1}


def test_a_host_says_who_is_a_bot(products, settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {"BOT_PATTERN": "^curl/"}
    look(products[0], agent="curl/8.5.0")
    look(products[0], agent=GOOGLEBOT)

    services.count_views()

    assert figures(products[0]) == {"retrieved": 1, "bot_retrieved": 1}


def test_a_host_that_counts_nothing_writes_nothing(products, settings, django_assert_num_queries):
    settings.HOLDFAST_CATALOG_NOTIFY = {"COUNT_VIEWS": False}
    with django_assert_num_queries(0):
        look(products[0])


@pytest.mark.parametrize("durable", [True, False])
def test_a_request_sends_one_statement_however_many_products_it_shows(
    products, settings, durable, django_assert_num_queries
):
    settings.HOLDFAST_CATALOG_NOTIFY = {
        "VIEW_BUFFER": {
            "BACKEND": "holdfast_catalog_notify.backends.database.DatabaseBuffer",
            "OPTIONS": {"durable": durable},
        }
    }
    with django_assert_num_queries(3):  # a savepoint around it, as the test is a transaction
        look(*products, kind=ViewKind.LISTED)
    with django_assert_num_queries(0):
        look(kind=ViewKind.LISTED)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_haste_is_that_of_one_statement_and_of_nobodys_session_or_transaction():
    product = make_products(1)[0]

    def shown():
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            return cursor.fetchone()[0]

    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
    look(product)
    assert shown() == "on"
    with transaction.atomic():
        look(product)
        assert shown() == "on"
    services.count_views()
    assert figures(product) == {"retrieved": 2}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("options", "setting"), [({}, "off"), ({"durable": True}, "on")])
def test_a_view_waits_for_the_disk_only_where_the_host_says_so(settings, options, setting):
    buffer = {"BACKEND": "holdfast_catalog_notify.backends.database.DatabaseBuffer", "OPTIONS": options}
    settings.HOLDFAST_CATALOG_NOTIFY = {"VIEW_BUFFER": buffer}
    product, table = make_products(1)[0], BufferedViews._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        cursor.execute(
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.visitor = current_setting('synchronous_commit'); RETURN NEW; END $$"
        )
        cursor.execute(f"CREATE TRIGGER note BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION note()")
        try:
            look(product)
            look(product)
        finally:
            cursor.execute("DROP FUNCTION note CASCADE")
    assert list(BufferedViews.objects.values_list("visitor", flat=True)) == [setting] * 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_request_waits_for_nobody_who_holds_the_product_and_its_figures():
    product = make_products(1)[0]
    look(product)
    services.count_views()

    with transaction.atomic():
        Product.objects.select_for_update().get()
        list(HourlyViews.objects.select_for_update())
        list(DailyViews.objects.select_for_update())
        # From another connection: a lock that it waited for would be an error.
        outcome = race(lambda: _look_impatiently(product), times=1)

    assert outcome == [None]
    services.count_views()
    assert figures(product) == {"retrieved": 2}


def _look_impatiently(product):
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '1ms'")
    look(product)
    if BufferedViews.objects.count() != 1:
        raise AssertionError("It was not written.")


def test_a_buffer_that_fails_turns_no_reader_away(products, settings, caplog):
    settings.HOLDFAST_CATALOG_NOTIFY = {"VIEW_BUFFER": {"BACKEND": "tests.catalog_notify.test_counting.BrokenBuffer"}}

    look(*products, kind=ViewKind.LISTED)

    assert "3 view(s) could not be counted." in caplog.text
    assert Product.objects.count() == 3  # the transaction is still good


class BrokenBuffer:
    def add(self, views):
        raise ConnectionError("nobody there")


def test_an_error_of_the_database_spoils_no_transaction(products, caplog):
    look(products[0], at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), kind=_Wrong())

    assert "could not be counted" in caplog.text
    assert Product.objects.count() == 3
    assert BufferedViews.objects.count() == 0


class _Wrong:
    value = None


# Visitors


@pytest.fixture
def hourly_visits(settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {"VISIT_SECONDS": 3600}


def test_the_same_visitor_within_a_window_is_one_visit_and_every_retrieval_is_counted(products, hourly_visits):
    for minute in (0, 5, 59):
        look(products[0], at=NOON.replace(minute=minute, second=0))
        services.roll_up_views()
    look(products[1], at=NOON)
    look(products[0], at=NOON + dt.timedelta(hours=1))
    look(products[0], at=NOON, address="192.0.2.2")
    look(products[0], at=NOON, agent="another")
    look(products[0], at=NOON, agent=GOOGLEBOT)
    look(products[0], at=NOON, kind=ViewKind.LISTED)

    services.count_views()

    assert figures(products[0]) == {"retrieved": 6, "visits": 4, "listed": 1, "bot_retrieved": 1}
    assert figures(products[1]) == {"retrieved": 1, "visits": 1}


def test_without_a_window_nobody_is_told_apart(products):
    look(products[0])

    assert BufferedViews.objects.get().visitor == ""
    assert VisitorSalt.objects.count() == 0


def test_no_address_and_no_user_agent_is_kept(products, hourly_visits):
    look(products[0])
    row = BufferedViews.objects.values().get()
    services.count_views()

    kept = [row, *HourlyViews.objects.values(), *DailyViews.objects.values(), *Visit.objects.values()]
    assert "192.0.2.1" not in str(kept)
    assert "Firefox" not in str(kept)


def test_the_hash_is_another_one_with_each_window_and_each_day_and_its_salt_goes_with_the_day(products, hourly_visits):
    for at in (NOON, NOON + dt.timedelta(hours=1), NOON + dt.timedelta(days=1)):
        look(products[0], at=at)

    assert len(set(BufferedViews.objects.values_list("visitor", flat=True))) == 3
    assert len({bytes(salt) for salt in VisitorSalt.objects.values_list("salt", flat=True)}) == 2

    services.forget_visitors(now=NOON + dt.timedelta(days=1))
    assert VisitorSalt.objects.get().day == dt.date(2026, 11, 21)


def test_what_waits_in_the_buffer_over_midnight_is_still_told_apart(products, hourly_visits):
    look(products[0], at=NOON)
    services.roll_up_views()
    look(products[0], at=NOON)
    services.forget_visitors(now=NOON + dt.timedelta(days=1))
    services.roll_up_views()

    assert figures(products[0]) == {"retrieved": 2, "visits": 1}
    services.forget_visitors(now=NOON + dt.timedelta(days=2))
    assert Visit.objects.count() == 0


@pytest.mark.parametrize(
    ("proxies", "forwarded", "others"),
    [
        (0, "198.51.100.1", "198.51.100.2"),  # nobody of ours has written it
        (1, "203.0.113.9, 192.0.2.7", "203.0.113.10, 192.0.2.7"),  # the first one is whatever a client says
        (2, "203.0.113.9, 192.0.2.7, 10.0.0.1", "203.0.113.8, 192.0.2.7, 10.0.0.2"),
    ],
)
def test_a_visitor_cannot_become_many_by_what_he_says(products, settings, proxies, forwarded, others):
    settings.HOLDFAST_CATALOG_NOTIFY = {"VISIT_SECONDS": 3600, "TRUSTED_PROXIES": proxies}
    look(products[0], at=NOON, HTTP_X_FORWARDED_FOR=forwarded)
    look(products[0], at=NOON, HTTP_X_FORWARDED_FOR=others)

    services.count_views()

    assert figures(products[0]) == {"retrieved": 2, "visits": 1}


def test_behind_a_proxy_two_visitors_are_two(products, settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {"VISIT_SECONDS": 3600, "TRUSTED_PROXIES": 1}
    look(products[0], at=NOON, HTTP_X_FORWARDED_FOR="192.0.2.7")
    look(products[0], at=NOON, HTTP_X_FORWARDED_FOR="192.0.2.8")
    look(products[0], at=NOON)  # it came past the proxy

    services.count_views()

    assert figures(products[0]) == {"retrieved": 3, "visits": 3}


# Time


def days_and_hours():
    return (
        list(DailyViews.objects.order_by("day").values_list("day", "retrieved")),
        list(HourlyViews.objects.order_by("hour").values_list("hour", "retrieved")),
    )


def test_a_day_begins_at_midnight_where_the_reports_are_read(products, settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {"REPORT_TIME_ZONE": "Africa/Lagos"}  # an hour before UTC
    look(products[0], at=dt.datetime(2026, 11, 20, 22, 59, 59, tzinfo=dt.UTC))
    look(products[0], at=dt.datetime(2026, 11, 20, 23, 0, tzinfo=dt.UTC))

    services.count_views()

    days, hours = days_and_hours()
    assert days == [(dt.date(2026, 11, 20), 1), (dt.date(2026, 11, 21), 1)]
    assert [hour for hour, _count in hours] == [
        dt.datetime(2026, 11, 20, 22, tzinfo=dt.UTC),
        dt.datetime(2026, 11, 20, 23, tzinfo=dt.UTC),
    ]


def test_the_hour_that_comes_twice_is_two_hours_of_one_day(products, settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {"REPORT_TIME_ZONE": "Europe/Berlin"}
    # 25 October 2026: at 3:00 the clocks go back to 2:00, at 1:00 UTC.
    for minute in range(0, 180, 30):
        look(products[0], at=dt.datetime(2026, 10, 24, 23, 59, tzinfo=dt.UTC) + dt.timedelta(minutes=minute + 1))

    services.count_views()

    days, hours = days_and_hours()
    assert days == [(dt.date(2026, 10, 25), 6)]
    berlin = ZoneInfo("Europe/Berlin")
    assert [(hour.astimezone(berlin).isoformat(), count) for hour, count in hours] == [
        ("2026-10-25T02:00:00+02:00", 2),
        ("2026-10-25T02:00:00+01:00", 2),
        ("2026-10-25T03:00:00+01:00", 2),
    ]


def test_hours_may_begin_at_half_past(products, settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {"REPORT_TIME_ZONE": "Asia/Kolkata"}
    look(products[0], at=dt.datetime(2026, 11, 20, 18, 29, tzinfo=dt.UTC))
    look(products[0], at=dt.datetime(2026, 11, 20, 18, 30, tzinfo=dt.UTC))

    services.count_views()

    days, hours = days_and_hours()
    assert [day for day, _count in days] == [dt.date(2026, 11, 20), dt.date(2026, 11, 21)]
    assert [hour.minute for hour, _count in hours] == [30, 30]


def test_old_hours_go_and_days_stay(products, settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {"HOURLY_VIEWS_DAYS": 2}
    look(products[0], at=NOON - dt.timedelta(days=3))
    look(products[0], at=NOON)
    services.roll_up_views()

    services.forget_visitors(now=NOON)

    assert HourlyViews.objects.count() == 1
    assert figures(products[0]) == {"retrieved": 2}


def test_what_was_seen_stays_seen_when_the_product_goes(products):
    look(products[0])
    services.count_views()
    look(products[0])
    products[0].delete()

    services.count_views()

    assert list(DailyViews.objects.values_list("retrieved", flat=True)) == [2]
