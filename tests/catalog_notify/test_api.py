"""The API: everybody reads the catalog, admins write it, and what each may see is his."""

import datetime as dt
import json

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from rest_framework.test import APIClient

from holdfast.money import Money
from holdfast.testing import drain_outbox
from holdfast_catalog_notify import selectors, services
from holdfast_catalog_notify.models import Brand, BufferedViews, Category, Change, Delivery, Product
from holdfast_catalog_notify.services.messages import unsubscribe_url_of
from holdfast_catalog_notify.testing import make_admin, make_brand, make_category, make_product
from tests.catalog_notify.conftest import client_of

pytestmark = pytest.mark.django_db

API = "/api/catalog"
PRODUCTS = f"{API}/products/"


def names(response):
    return [one["name"] for one in response.json()["results"]]


def test_a_product_is_created_read_changed_and_deleted(client, visitor, acme):
    body = {"sku": "A", "name": "Lamp", "price": {"amount": "10.00", "currency": "EUR"}, "brand": str(acme.pk)}
    created = client.post(PRODUCTS, body, format="json")
    assert (created.status_code, created["ETag"].partition(".")[0]) == (201, '"1')
    path = f"{PRODUCTS}{created.json()['id']}/"
    read = visitor.get(path)
    assert read.json()["price"] == {"amount": "10.00", "currency": "EUR"}
    assert read.json()["brand"] == {"id": str(acme.pk), "name": "Acme"}

    changed = client.patch(
        path, {"price": {"amount": "12.50", "currency": "EUR"}}, format="json", headers={"If-Match": created["ETag"]}
    )
    assert (changed.status_code, changed["ETag"].partition(".")[0]) == (200, '"2')
    replaced = client.put(path, {**body, "name": "Chair"}, format="json", headers={"If-Match": '"2"'})
    assert replaced.json()["name"] == "Chair"
    assert client.delete(path, headers={"If-Match": '"2"'}).status_code == 412
    assert client.delete(path).status_code == 428
    assert client.delete(path, headers={"If-Match": '"3"'}).status_code == 204
    assert visitor.get(path).status_code == 404
    history = client.get(f"{API}/changes/", {"product": created.json()["id"]}).json()["results"]
    assert [one["action"] for one in history] == ["deleted", "changed", "changed", "created"]
    assert {(one["actor"], one["door"]) for one in history} == {("ada", "api")}
    prices = client.get(f"{API}/changes/", {"product": created.json()["id"], "prices_only": "true"}).json()["results"]
    assert len(prices) == 4


def test_what_a_client_has_already_is_not_sent_again(visitor, lamp):
    for path in (f"{PRODUCTS}{lamp.pk}/", PRODUCTS):
        first = visitor.get(path)
        again = visitor.get(path, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        services.change_product(product_id=lamp.pk, name=f"At {path}")
        assert visitor.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 200


def at(path, group, visitor, product):
    """Rename the product's brand or category; return what a cache that has asked before gets for its validators."""
    first = visitor.get(path)
    getattr(services, f"rename_{group}")(**{f"{group}_id": getattr(product, f"{group}_id"), "name": f"New {group}"})
    return {
        name: visitor.get(path, headers={header: first[validator]}).status_code
        for name, header, validator in (
            ("tag", "If-None-Match", "ETag"),
            ("time", "If-Modified-Since", "Last-Modified"),
        )
        if validator in first
    }


@pytest.mark.parametrize("group", ["brand", "category"])
def test_no_cache_keeps_the_old_name_of_a_brand_or_category(visitor, acme, group):
    product = make_product(brand=acme, category_id=make_category().pk)
    an_hour_ago = timezone.now() - dt.timedelta(hours=1)
    for model in (Product, Brand, Category):
        model.objects.update(**{"updated_at": an_hour_ago, **({"created_at": an_hour_ago} if model is Product else {})})
    assert at(f"{PRODUCTS}{product.pk}/", group, visitor, product) == {"tag": 200, "time": 200}
    product = Product.objects.get()
    assert visitor.get(PRODUCTS).json()["results"][0][group]["name"] == f"New {group}"


def test_a_page_is_another_one_when_a_brand_is_called_otherwise(visitor, lamp):
    assert at(PRODUCTS, "brand", visitor, lamp) == {"tag": 200}


def test_what_was_not_modified_since_is_not_sent_again(visitor, lamp):
    path = f"{PRODUCTS}{lamp.pk}/"
    since = visitor.get(path)["Last-Modified"]
    assert visitor.get(path, headers={"If-Modified-Since": since}).status_code == 304
    assert BufferedViews.objects.count() == 2


def test_the_version_that_was_read_is_changed_although_its_brand_has_a_new_name_by_now(client, lamp, acme):
    path = f"{PRODUCTS}{lamp.pk}/"
    tag = client.get(path)["ETag"]
    services.rename_brand(brand_id=acme.pk, name="Bolt")
    assert client.patch(path, {"name": "Big"}, format="json", headers={"If-Match": tag}).status_code == 200
    assert client.patch(path, {"name": "Huge"}, format="json", headers={"If-Match": tag}).status_code == 412


def test_visitors_see_active_products_and_admins_all(client, visitor, lamp, acme):
    hidden = make_product(brand=acme, name="Hidden", active=False)
    assert names(visitor.get(PRODUCTS, {"active": "false"})) == ["Lamp"]
    assert visitor.get(f"{PRODUCTS}{hidden.pk}/").status_code == 404
    assert set(names(client.get(PRODUCTS))) == {"Lamp", "Hidden"}
    assert names(client.get(PRODUCTS, {"active": "false"})) == ["Hidden"]
    assert client.get(f"{PRODUCTS}{hidden.pk}/").status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "amp"}, ["Lamp"]),
        ({"search": "cha"}, ["Chair"]),
        ({"search": "S-2"}, ["Chair"]),
        ({"search": "-2"}, []),
        ({"min_price": "11", "currency": "EUR"}, ["Chair"]),
        ({"max_price": "10", "currency": "EUR"}, ["Lamp"]),
        ({"currency": "USD"}, ["Table"]),
        ({"ordering": "name"}, ["Chair", "Lamp", "Table"]),
        ({"ordering": "-price"}, ["Table", "Chair", "Lamp"]),
        ({"ordering": "created_at"}, ["Lamp", "Chair", "Table"]),
    ],
    ids=str,
)
def test_filters_and_orders(visitor, acme, query, found):
    for number, (name, price, currency) in enumerate(
        [("Lamp", "10", "EUR"), ("Chair", "20", "EUR"), ("Table", "30", "USD")], start=1
    ):
        make_product(brand=acme, sku=f"S-{number}", name=name, price=price, currency=currency)
    assert names(visitor.get(PRODUCTS, query)) == found


def test_brand_and_category_filter(visitor, acme):
    lights = make_category(name="Lights")
    make_product(brand=acme, name="Lamp", category_id=lights.pk)
    make_product(brand=make_brand(), name="Chair")
    assert names(visitor.get(PRODUCTS, {"brand": acme.pk})) == ["Lamp"]
    assert names(visitor.get(PRODUCTS, {"category": lights.pk})) == ["Lamp"]


@pytest.mark.parametrize("ordering", ["price", "-price", "name", "-name", "created_at", "-created_at"])
def test_pages_show_each_product_once_in_either_direction(visitor, acme, ordering):
    for number in range(7):
        make_product(brand=acme, name=f"Lamp {number % 3}", price=str(number % 2))
    page = visitor.get(PRODUCTS, {"ordering": ordering, "page_size": "3"})
    forward = page.json()["results"]
    while page.json()["next"]:
        page = visitor.get(page.json()["next"])
        forward += page.json()["results"]
    backward = page.json()["results"]
    while page.json()["previous"]:
        page = visitor.get(page.json()["previous"])
        backward = page.json()["results"] + backward
    assert len({one["id"] for one in forward}) == len(forward) == 7
    assert [one["id"] for one in backward] == [one["id"] for one in forward]


def test_a_page_takes_at_most_four_statements_counting_included(visitor, acme, django_assert_max_num_queries):
    for _number in range(25):
        make_product(brand=acme, category_id=make_category().pk)
    with django_assert_max_num_queries(4):
        assert len(visitor.get(PRODUCTS).json()["results"]) == 20
    assert BufferedViews.objects.count() == 1


def test_visitors_are_counted_and_who_is_logged_in_is_not(client, visitor, lamp):
    visitor.get(PRODUCTS)
    visitor.get(f"{PRODUCTS}{lamp.pk}/")
    tag = visitor.get(f"{PRODUCTS}{lamp.pk}/")["ETag"]
    visitor.get(f"{PRODUCTS}{lamp.pk}/", headers={"If-None-Match": tag})
    visitor.get(f"{PRODUCTS}{acme_of(lamp)}/")
    client.get(PRODUCTS)
    client.get(f"{PRODUCTS}{lamp.pk}/")
    client_of(make_admin(is_staff=False, is_superuser=False)).get(f"{PRODUCTS}{lamp.pk}/")
    kinds = sorted(BufferedViews.objects.values_list("kind", flat=True))
    assert kinds == ["listed", "retrieved", "retrieved", "retrieved"]


def acme_of(product):
    return product.brand_id  # no product's id


def test_brands_and_categories_are_public_and_admins_write_them(client, visitor, acme):
    for path, group in ((f"{API}/brands/", "Bolt"), (f"{API}/categories/", "Lights")):
        assert visitor.post(path, {"name": group}, format="json").status_code == 403
        created = client.post(path, {"name": group}, format="json")
        assert created.status_code == 201
        one = f"{path}{created.json()['id']}/"
        assert visitor.get(one).json()["name"] == group
        assert client.patch(one, {"name": f"{group} 2"}, format="json").json()["name"] == f"{group} 2"
        assert f"{group} 2" in names(visitor.get(path))
        assert client.delete(one).status_code == 204
        assert visitor.get(one).status_code == 404


def test_many_prices_at_once(client, acme):
    for _number in range(3):
        make_product(brand=acme)
    answer = client.post(f"{PRODUCTS}prices/", {"percent": "-10", "brand": str(acme.pk)}, format="json")
    assert answer.json() == {"count": 3}
    assert {one.price for one in Product.objects.all()} == {Money("9", "EUR")}
    assert Change.objects.filter(action="changed").values("change_set").distinct().count() == 1


def test_a_file_goes_in_and_comes_out(client, acme):
    text = "sku,name,price,currency,brand\nA,Lamp,10.00,EUR,Acme\n"
    dry = client.post(f"{PRODUCTS}import/?dry_run=true", text, content_type="text/csv")
    assert (dry.json()["created"], Product.objects.count()) == (1, 0)
    done = client.post(f"{PRODUCTS}import/", text, content_type="text/csv")
    assert done.json() == {"created": 1, "changed": 0, "unchanged": 0, "broken": []}
    exported = client.get(f"{PRODUCTS}export/", headers={"Accept": "text/csv"})
    assert exported["Content-Type"].startswith("text/csv")
    lines = b"".join(exported.streaming_content).decode().splitlines()
    assert lines[1] == "A,Lamp,10.00,EUR,Acme,,,,true"


def test_the_inbox_over_the_api(client, bob, lamp):
    services.change_product(product_id=lamp.pk, price=Money("12", "EUR"), actor_id=bob.pk)
    drain_outbox()
    services.Worker().run()
    page = client.get(f"{API}/notifications/").json()["results"]
    assert [(one["actor"], one["total"]) for one in page] == [("bob", 1), ("", 1)]
    assert page[0]["changes"][0]["values"] == {"price": {"old": "10.00 EUR", "new": "12.00 EUR"}}
    assert client.get(f"{API}/notifications/unread/").json() == {"count": 2}
    assert client.post(f"{API}/notifications/{page[0]['id']}/read/").json()["read_at"]
    assert client.get(f"{API}/notifications/", {"unread": "true"}).json()["results"] == page[1:]
    assert client.post(f"{API}/notifications/read/").json() == {"count": 1}
    other = client_of(bob).post(f"{API}/notifications/{page[0]['id']}/read/")
    assert other.json()["code"] == "holdfast_catalog_notify.notification_not_found"


def test_an_entry_of_the_inbox_shows_the_first_of_many_changes_and_how_many_there_are(client, ada, bob, acme):
    with services.change_set(actor_id=bob.pk):
        products = [make_product(brand=acme) for _number in range(25)]
    drain_outbox()
    services.Worker().run()
    (entry,) = client.get(f"{API}/notifications/").json()["results"]
    assert (entry["total"], [one["product"] for one in entry["changes"]]) == (
        25,
        [str(one.pk) for one in products[:20]],
    )
    (row,) = selectors.inbox(user_id=ada.pk)
    assert len(row.change_set.first_changes) == 20, "No more are read."


def test_a_page_of_the_inbox_takes_few_statements(client, ada, bob, lamp, django_assert_max_num_queries):
    for amount in range(11, 16):
        services.change_product(product_id=lamp.pk, price=Money(amount, "EUR"), actor_id=bob.pk)
    drain_outbox()
    services.Worker().run()
    with django_assert_max_num_queries(3):
        assert len(client.get(f"{API}/notifications/").json()["results"]) == 6


def test_preferences_over_the_api(client, ada, acme):
    channels = f"{API}/notifications/channels/"
    assert [one["mode"] for one in client.get(channels).json()] == ["immediate", "immediate"]
    answer = client.put(f"{channels}email/", {"mode": "digest"}, format="json")
    assert answer.json() == {"channel": "email", "mode": "digest", "address": ""}
    muted = f"{API}/notifications/muted-brands/"
    assert client.put(f"{muted}{acme.pk}/").status_code == 204
    assert client.get(muted).json() == {"brands": [str(acme.pk)]}
    assert client.delete(f"{muted}{acme.pk}/").status_code == 204
    assert client.get(muted).json() == {"brands": []}


def test_one_click_ends_a_channel_and_looking_does_not(settings, visitor, bob):
    settings.HOLDFAST_CATALOG_NOTIFY = {"BASE_URL": "http://testserver"}
    url = unsubscribe_url_of(user_id=bob.pk, channel="email")
    assert "One-Click" in visitor.get(url).content.decode()
    told = client_of(bob).get(f"{API}/notifications/channels/").json()
    assert [one["mode"] for one in told] == ["immediate", "immediate"]

    # As a mailbox posts it (RFC 8058, section 3.1), with no cookie and no token.
    mailbox = APIClient(enforce_csrf_checks=True)
    done = mailbox.post(url, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert done.status_code == 200
    assert "email" in done.content.decode()
    told = client_of(bob).get(f"{API}/notifications/channels/").json()
    assert [one["mode"] for one in told] == ["immediate", "off"]


def test_the_log_and_the_replay_of_what_is_dead(client, ada, bob, lamp):
    bob.email = ""
    bob.save()
    services.change_product(product_id=lamp.pk, price=Money("12", "EUR"), actor_id=ada.pk)
    drain_outbox()
    services.Worker().run()
    (dead,) = client.get(f"{API}/deliveries/", {"state": "dead"}).json()["results"][:1]
    assert (dead["channel"], dead["recipient"]) == ("email", str(bob.pk))
    assert dead["tries"][0]["error"] == "The admin has no e-mail address."
    bob.email = "bob@example.com"
    bob.save()
    replayed = client.post(f"{API}/deliveries/{dead['id']}/replay/")
    assert replayed.json()["state"] == "pending"
    services.Worker().run()
    assert Delivery.objects.get(pk=dead["id"]).state == "sent"
    again = client.post(f"{API}/deliveries/{dead['id']}/replay/")
    assert (again.status_code, again.json()["code"]) == (409, "holdfast_catalog_notify.delivery_not_dead")


def test_staff_may_what_their_permissions_say(lamp, acme):
    clerk = make_admin(is_superuser=False)
    clerk.user_permissions.set(Permission.objects.filter(codename="change_product"))
    client = client_of(clerk)
    body = {"sku": "B", "name": "B", "price": {"amount": "1", "currency": "EUR"}, "brand": str(acme.pk)}
    assert client.post(PRODUCTS, body, format="json").status_code == 403
    path = f"{PRODUCTS}{lamp.pk}/"
    assert client.patch(path, {"name": "Big"}, format="json", headers={"If-Match": '"1"'}).status_code == 200
    assert client.delete(path, headers={"If-Match": '"2"'}).status_code == 403
    assert client.post(f"{PRODUCTS}import/", "sku\n", content_type="text/csv").status_code == 403
    assert client.get(f"{API}/admins/").status_code == 403
    assert client.get(f"{API}/deliveries/").status_code == 403
    assert client.get(f"{API}/changes/").status_code == 403


def test_the_openapi_document_says_all_of_it(client):
    from drf_spectacular.generators import SchemaGenerator

    document = SchemaGenerator().get_schema(request=None, public=True)
    paths = document["paths"]
    assert {f"{API}/products/", f"{API}/admins/", f"{API}/unsubscribe/{{token}}/"} <= paths.keys()
    assert json.dumps(document)
    operations = [one["operationId"] for path in paths.values() for one in path.values()]
    assert len(operations) == len(set(operations))
    assert not [name for name in operations if name.endswith("_2")], "drf-spectacular tells two of one name apart so."
    assert "412" in paths[f"{API}/products/{{product_id}}/"]["patch"]["responses"]
