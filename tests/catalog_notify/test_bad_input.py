"""Bad input, line by line: a problem with a stable code, and nothing different."""

import pytest
from rest_framework.test import APIClient

from holdfast.testing import captured_events
from holdfast_catalog_notify.models import Brand, ChannelPreference, Product
from holdfast_catalog_notify.testing import make_admin
from tests.catalog_notify.conftest import client_of

pytestmark = pytest.mark.django_db

API = "/api/catalog"
PRODUCTS = f"{API}/products/"
# No row has it; the same in each process, for the tests are named after it.
NOBODYS = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(autouse=True)
def nothing_different(ada, lamp):
    """Whatever the test sends, the products are afterwards what they were, and nobody was told."""

    def everything():
        return list(Product.objects.order_by("pk").values()), list(Brand.objects.order_by("pk").values())

    before = everything()
    with captured_events() as events:
        yield
    assert everything() == before
    assert events == []


def said(response):
    assert response["Content-Type"] == "application/problem+json", response.content
    problem = response.json()
    return response.status_code, problem["code"], [one["pointer"] for one in problem["errors"]]


def product(acme, **values):
    given = {"sku": "B", "name": "Chair", "price": {"amount": "1.00", "currency": "EUR"}, "brand": str(acme.pk)}
    return {name: value for name, value in {**given, **values}.items() if value is not ...}


@pytest.mark.parametrize(
    ("values", "status", "code", "pointers"),
    [
        ({"sku": "LAMP-1"}, 409, "holdfast_catalog_notify.sku_taken", []),
        ({"price": {"amount": "-1.00", "currency": "EUR"}}, 422, "holdfast_catalog_notify.price_negative", []),
        ({"price": {"amount": "1.00", "currency": "USD"}}, 422, "holdfast_catalog_notify.currency_not_allowed", []),
        ({"price": {"amount": "1.00", "currency": "EURO"}}, 400, "holdfast.invalid", ["#/price/currency"]),
        ({"price": {"amount": "1.001", "currency": "EUR"}}, 400, "holdfast.invalid", ["#/price/amount"]),
        ({"price": {"amount": 1.5, "currency": "EUR"}}, 400, "holdfast.invalid", ["#/price/amount"]),
        ({"price": "1.00"}, 400, "holdfast.invalid", ["#/price"]),
        ({"price": {"amount": "9" * 16, "currency": "EUR"}}, 422, "holdfast.invalid_amount", []),
        ({"brand": NOBODYS}, 422, "holdfast_catalog_notify.brand_unknown", []),
        ({"brand": "Acme"}, 400, "holdfast.invalid", ["#/brand"]),
        ({"category": NOBODYS}, 422, "holdfast_catalog_notify.category_unknown", []),
        ({"name": "x" * 1_000_000}, 400, "holdfast.invalid", ["#/name"]),
        ({"name": "x" * 1_100_000}, 413, "holdfast.too_large", []),
        ({"name": "  "}, 400, "holdfast.invalid", ["#/name"]),
        ({"name": "a\0b"}, 400, "holdfast.parse_error", []),
        ({"name": ...}, 400, "holdfast.invalid", ["#/name"]),
        ({"colour": "red"}, 400, "holdfast.invalid", ["#/colour"]),
        ({"image_url": "javascript:alert(1)"}, 400, "holdfast.invalid", ["#/image_url"]),
        ({"version": 7}, 400, "holdfast.invalid", ["#/version"]),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_product_that_cannot_be(settings, client, acme, values, status, code, pointers):
    settings.HOLDFAST_CATALOG_NOTIFY = {"CURRENCIES": ["EUR"]}
    assert said(client.post(PRODUCTS, product(acme, **values), format="json")) == (status, code, pointers)


@pytest.mark.parametrize("header", [{}, {"If-Match": '"2"'}, {"If-Match": 'W/"1"'}, {"If-Match": "1"}])
def test_a_change_of_a_version_that_was_not_read(client, lamp, header):
    status, code, _pointers = said(client.patch(f"{PRODUCTS}{lamp.pk}/", {"name": "X"}, format="json", headers=header))
    assert (status, code) in {
        (412, "holdfast.precondition_failed"),
        (412, "holdfast_catalog_notify.version_outdated"),
        (428, "holdfast.precondition_required"),
    }


def test_a_reader_who_writes(visitor, lamp, acme):
    reader = client_of(make_admin(is_staff=False, is_superuser=False))
    # A registered user with the permission, but no admin.
    path = f"{PRODUCTS}{lamp.pk}/"
    for somebody, code in ((visitor, "holdfast.not_authenticated"), (reader, "holdfast.permission_denied")):
        for response in (
            somebody.post(PRODUCTS, product(acme), format="json"),
            somebody.patch(path, {"name": "X"}, format="json", headers={"If-Match": '"1"'}),
            somebody.delete(path, headers={"If-Match": '"1"'}),
            somebody.post(f"{PRODUCTS}prices/", {"percent": "1"}, format="json"),
            somebody.post(f"{PRODUCTS}import/", "sku\n", content_type="text/csv"),
            somebody.post(f"{API}/brands/", {"name": "X"}, format="json"),
            somebody.get(f"{PRODUCTS}export/"),
            somebody.get(f"{API}/changes/"),
            somebody.get(f"{API}/notifications/"),
            somebody.get(f"{API}/deliveries/"),
            somebody.get(f"{API}/admins/"),
        ):
            assert said(response)[:2] == (403, code)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"min_price": "1"}, "holdfast.invalid"),
        ({"min_price": "NaN", "currency": "EUR"}, "holdfast.invalid"),
        ({"brand": "x"}, "holdfast.invalid"),
        ({"ordering": "version"}, "holdfast.invalid"),
        ({"colour": "red"}, "holdfast.invalid"),
        ({"cursor": "x"}, "holdfast.invalid_cursor"),
        ({"page_size": "201"}, "holdfast.invalid_page_size"),
        ({"ordering": "price", "cursor": "WzAsIk5hTiIsInh4Il0"}, "holdfast.invalid_cursor"),
    ],
    ids=str,
)
def test_a_list_that_cannot_be(visitor, query, code):
    assert said(visitor.get(PRODUCTS, query))[:2] == (400, code)


@pytest.mark.parametrize("percent", ["-100", "1001", "ten", "NaN"])
def test_a_price_change_that_makes_no_sense(client, percent):
    status, code, _pointers = said(client.post(f"{PRODUCTS}prices/", {"percent": percent}, format="json"))
    assert (status, code) in {(422, "holdfast_catalog_notify.percent_out_of_range"), (400, "holdfast.invalid")}


def test_a_file_with_broken_rows_is_told_by_line(client):
    text = (
        "sku,name,price,currency,brand\nGOOD,Good,1,EUR,Acme\nLAMP-1,Lamp,-1,EUR,Acme\nC,Chair,1,EUR,Nobody\nD,short\n"
    )
    response = client.post(f"{PRODUCTS}import/", text, content_type="text/csv")
    assert said(response)[:2] == (422, "holdfast_catalog_notify.rows_broken")
    rows = response.json()["context"]["rows"]
    assert [(row["line"], row["sku"], row["code"].rpartition(".")[2]) for row in rows] == [
        (3, "LAMP-1", "price_negative"),
        (4, "C", "brand_unknown"),
        (5, "", "file_unreadable"),
    ]


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"\xff\xfe", "text/csv", 422, "holdfast_catalog_notify.file_unreadable"),
        (b"name\n", "text/csv", 422, "holdfast_catalog_notify.file_unreadable"),
        (b"x" * 2_000, "text/csv", 413, "holdfast.too_large"),
        (b"{}", "application/json", 415, "holdfast.unsupported_media_type"),
    ],
)
def test_a_file_that_is_none(settings, client, content, content_type, status, code):
    settings.HOLDFAST_CATALOG_NOTIFY = {"IMPORT_MAX_BYTES": 1_000}
    response = client.post(f"{PRODUCTS}import/", content, content_type=content_type)
    assert said(response)[:2] == (status, code)


def test_a_preference_for_an_unknown_channel(client):
    response = client.put(f"{API}/notifications/channels/pigeon/", {"mode": "immediate"}, format="json")
    assert said(response)[:2] == (422, "holdfast_catalog_notify.channel_unknown")
    assert response.json()["context"] == {"channel": "pigeon", "channels": ["email", "inbox"]}
    response = client.put(f"{API}/notifications/channels/email/", {"mode": "hourly"}, format="json")
    assert said(response) == (400, "holdfast.invalid", ["#/mode"])
    assert not ChannelPreference.objects.exists()


@pytest.mark.parametrize("token", ["x", "eyJ1c2VyIjoxfQ:1abc:forged", "%00", "a" * 5_000])
def test_a_forged_link_to_unsubscribe(token):
    mailbox = APIClient(raise_request_exception=False)
    for response in (mailbox.get(f"{API}/unsubscribe/{token}/"), mailbox.post(f"{API}/unsubscribe/{token}/")):
        assert said(response)[:2] == (403, "holdfast_catalog_notify.unsubscribe_link_invalid")
    assert not ChannelPreference.objects.exists()


def test_the_last_admin_who_deletes_himself(client, ada):
    for response in (
        client.delete(f"{API}/admins/{ada.pk}/"),
        client.post(f"{API}/admins/{ada.pk}/deactivate/"),
        client.patch(f"{API}/admins/{ada.pk}/", {"active": False}, format="json"),
    ):
        assert said(response)[:2] == (409, "holdfast_catalog_notify.last_admin")
    ada.refresh_from_db()
    assert ada.is_active


@pytest.mark.parametrize(
    ("values", "status", "code"),
    [
        ({"username": "ada"}, 409, "holdfast_catalog_notify.login_taken"),
        ({"username": "a b"}, 422, "holdfast_catalog_notify.admin_invalid"),
        ({"email": "nobody"}, 400, "holdfast.invalid"),
        ({"email": ...}, 400, "holdfast.invalid"),
        ({"password": "12345678"}, 422, "holdfast_catalog_notify.password_too_weak"),
        ({"is_superuser": True}, 400, "holdfast.invalid"),
    ],
    ids=str,
)
def test_an_admin_who_cannot_be(settings, client, values, status, code):
    validator = "django.contrib.auth.password_validation.NumericPasswordValidator"
    settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": validator}]
    given = {"username": "carol", "email": "carol@example.com", "password": "correct horse battery", **values}
    body = {name: value for name, value in given.items() if value is not ...}
    assert said(client.post(f"{API}/admins/", body, format="json"))[:2] == (status, code)


@pytest.mark.parametrize("admin_id", ["0", "x", "9" * 40, "%00"])
def test_an_admin_who_is_not(client, admin_id):
    for response in (client.get(f"{API}/admins/{admin_id}/"), client.delete(f"{API}/admins/{admin_id}/")):
        assert said(response)[:2] == (404, "holdfast_catalog_notify.admin_not_found")
