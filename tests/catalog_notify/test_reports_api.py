"""Reports over HTTP: for staff who may, as JSON and CSV, and a problem for everything that is no question."""

import csv
import io
import json

import pytest
from django.contrib.auth.models import Permission

from holdfast_catalog_notify import services
from holdfast_catalog_notify.states import ViewKind
from holdfast_catalog_notify.testing import make_admin, make_product
from tests.catalog_notify.conftest import client_of

REPORTS = "/api/catalog/reports"
KINDS = ("views", "products", "brands", "categories")


@pytest.fixture(autouse=True)
def utc(settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {"REPORT_TIME_ZONE": "UTC"}


@pytest.fixture
def analyst(db):
    ada = make_admin(is_superuser=False)
    ada.user_permissions.add(Permission.objects.get(codename="view_dailyviews"))
    return client_of(type(ada).objects.get(pk=ada.pk))


def problem(response, status, code):
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert response.json()["code"] == code
    return response.json()


def test_visitors_are_counted_through_the_api_and_nobody_else(visitor, client, bob, analyst, lamp):
    for who in (visitor, client, client_of(bob), visitor):
        assert who.get(f"/api/catalog/products/{lamp.pk}/").status_code == 200
        assert who.get("/api/catalog/products/").status_code == 200
    visitor.get(f"/api/catalog/products/{lamp.pk}/", headers={"User-Agent": "Googlebot/2.1"})
    visitor.head(f"/api/catalog/products/{lamp.pk}/")
    visitor.get("/api/catalog/products/018f0000-0000-7000-8000-000000000000/")
    services.count_views()

    (row,) = analyst.get(f"{REPORTS}/products/").json()["results"]

    assert (row["id"], row["sku"]) == (str(lamp.pk), "LAMP-1")
    assert row["figures"] == {"retrieved": 2, "listed": 2, "visits": 0, "bot_retrieved": 1, "bot_listed": 0}


def test_an_answer_that_the_visitor_has_already_is_a_view_too(visitor, analyst, lamp):
    url = f"/api/catalog/products/{lamp.pk}/"
    tag = visitor.get(url)["ETag"]
    assert visitor.get(url, headers={"If-None-Match": tag}).status_code == 304
    services.count_views()

    assert analyst.get(f"{REPORTS}/views/").json()["totals"]["retrieved"] == 2


def test_a_listed_page_is_one_statement_more(visitor, acme, django_assert_max_num_queries):
    for number in range(25):
        make_product(brand=acme, sku=f"sku-{number}", name="x", price="1.00")
    with django_assert_max_num_queries(5):  # of which two are the savepoint that the test's transaction asks for
        assert len(visitor.get("/api/catalog/products/").json()["results"]) == 20


def test_a_series_says_its_zone_its_period_and_what_it_is_compared_with(analyst, lamp):
    services.record_views(kind=ViewKind.RETRIEVED, product_ids=[lamp.pk], meta={})
    services.count_views()
    services.record_views(kind=ViewKind.RETRIEVED, product_ids=[lamp.pk], meta={})

    report = analyst.get(f"{REPORTS}/views/").json()

    assert (report["interval"], report["time_zone"], report["pending"]) == ("day", "UTC", 1)
    assert len(report["results"]) == 30
    assert report["results"][-1] == {
        "start": report["end"],
        "figures": {"retrieved": 1, "listed": 0, "visits": 0, "bot_retrieved": 0, "bot_listed": 0},
    }
    assert report["former"]["end"] < report["start"]
    assert (report["former_totals"]["retrieved"], report["change_percent"]["retrieved"]) == (0, None)


@pytest.mark.parametrize(("interval", "rows"), [("hour", 48), ("day", 30), ("month", 12)])
def test_without_a_period_a_report_has_the_usual_one(analyst, interval, rows):
    report = analyst.get(f"{REPORTS}/views/", {"interval": interval}).json()

    assert len(report["results"]) == rows


@pytest.mark.parametrize("end", ["2027-01-31", "2027-12-01", "2028-02-29", "2028-03-01", "2028-03-31"])
def test_a_year_of_months_is_twelve_whichever_day_it_ends_on(analyst, end):
    report = analyst.get(f"{REPORTS}/views/", {"interval": "month", "end": end}).json()

    assert (len(report["results"]), report["results"][-1]["start"]) == (12, f"{end[:7]}-01")


def test_the_files_have_what_the_reports_have(analyst, acme):
    formula = make_product(brand=acme, sku="=1+1", name="@SUM(A1)", price="1.00")
    services.record_views(kind=ViewKind.RETRIEVED, product_ids=[formula.pk], meta={})
    services.count_views()

    def rows(kind):
        response = analyst.get(f"{REPORTS}/{kind}.csv", headers={"Accept": "text/csv"})
        assert (response.status_code, response["Content-Type"]) == (200, "text/csv; charset=utf-8")
        assert "attachment" in response["Content-Disposition"]
        return list(csv.DictReader(io.StringIO(response.content.decode())))

    assert rows("products") == [
        {
            "id": str(formula.pk),
            "sku": "'=1+1",  # a spreadsheet must not run it
            "name": "'@SUM(A1)",
            "retrieved": "1",
            "listed": "0",
            "visits": "0",
            "bot_retrieved": "0",
            "bot_listed": "0",
            "former_retrieved": "0",
            "change_percent": "",
        }
    ]
    assert [(row["name"], row["retrieved"]) for row in rows("brands")] == [("Acme", "1")]
    assert [(row["name"], row["retrieved"]) for row in rows("categories")] == [("", "1")]
    assert len(rows("views")) == 30
    assert rows("views")[-1]["retrieved"] == "1"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["/", ".csv"])
def test_reports_are_for_staff_who_may_see_them(visitor, db, analyst, kind, form):
    url = f"{REPORTS}/{kind}{form}"
    assert analyst.get(url).status_code == 200
    assert visitor.get(url).status_code == 403
    assert client_of(make_admin(is_superuser=False)).get(url).status_code == 403


@pytest.mark.parametrize("form", ["/", ".csv"])
@pytest.mark.parametrize(
    ("kind", "query", "status", "code"),
    [
        ("views", {"start": "2026-02-30"}, 400, "holdfast.invalid"),
        ("views", {"start": "yesterday"}, 400, "holdfast.invalid"),
        ("views", {"interval": "second"}, 400, "holdfast.invalid"),
        ("views", {"product": "7"}, 400, "holdfast.invalid"),
        ("views", {"from": "2026-01-01"}, 400, "holdfast.invalid"),
        ("products", {"limit": "0"}, 400, "holdfast.invalid"),
        ("products", {"limit": "101"}, 400, "holdfast.invalid"),
        ("products", {"by": "price"}, 400, "holdfast.invalid"),
        ("brands", {"by": "retrieved; DROP TABLE"}, 400, "holdfast.invalid"),
        ("views", {"start": "2026-02-02", "end": "2026-02-01"}, 422, "holdfast_catalog_notify.period_invalid"),
        ("views", {"start": "0001-01-01"}, 422, "holdfast_catalog_notify.period_invalid"),
        ("views", {"end": "0001-01-01"}, 422, "holdfast_catalog_notify.period_invalid"),
        ("views", {"end": "9999-12-31"}, 422, "holdfast_catalog_notify.period_invalid"),
        ("views", {"start": "2020-01-01", "end": "2026-01-01"}, 422, "holdfast_catalog_notify.period_too_long"),
        ("categories", {"start": "2020-01-01", "end": "2026-01-01"}, 422, "holdfast_catalog_notify.period_too_long"),
        (
            "views",
            {"interval": "hour", "start": "2020-01-01", "end": "2020-01-02"},
            422,
            "holdfast_catalog_notify.hours_forgotten",
        ),
    ],
)
def test_a_question_that_makes_no_sense_is_a_problem(analyst, kind, form, query, status, code):
    response = analyst.get(f"{REPORTS}/{kind}{form}", query)

    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert json.loads(response.content)["code"] == code
