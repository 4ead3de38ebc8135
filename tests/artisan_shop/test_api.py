"""The API: everybody looks at the market, customers buy, artisans keep their shops, and nobody touches another's."""

import datetime as dt

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from holdfast_artisan_shop import services
from holdfast_artisan_shop.models import Order, Slot, Stock
from holdfast_artisan_shop.testing import make_category, make_order, make_product, make_shop, make_user, the_variant
from tests.artisan_shop.books import check_books

pytestmark = pytest.mark.django_db

API = "/api/market"
EUR = "EUR"


def euros(amount):
    return {"amount": amount, "currency": EUR}


def client_of(user):
    """A client that is answered, whatever happens, as one over the network is."""
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def artisan(ada):
    return client_of(ada)


@pytest.fixture
def customer(bob):
    return client_of(bob)


@pytest.fixture
def visitor(db):
    return APIClient(raise_request_exception=False)


@pytest.fixture
def slot(shop):
    """A slot for delivery in three days."""
    starts = timezone.now() + dt.timedelta(days=3)
    return Slot.objects.create(
        shop=shop, kind="delivery", starts_at=starts, ends_at=starts + dt.timedelta(hours=2), closes_at=starts,
        capacity=1, fee_minor=250,
    )  # fmt: skip


def ok(response, status=200):
    assert response.status_code == status, response.content
    return response.json() if response.content else None


def names(response):
    return [one["name"] for one in ok(response)["results"]]


def order(client, product, quantity=1, **values):
    body = {"shop_id": str(product.shop_id), "items": [{"product_id": str(product.pk), "quantity": quantity}]}
    return client.post(f"{API}/orders/", {**body, **values}, format="json")


# Shops


def test_a_shop_is_opened_published_changed_and_closed(artisan, visitor, ada):
    body = {"name": "Ada's", "currency": EUR, "lat": 52.52, "lng": 13.405, "time_zone": "Europe/Berlin"}
    body["opening_hours"] = {"mon": [["09:00", "12:00"]]}
    opened = artisan.post(f"{API}/shops/", body, format="json")
    path = f"{API}/shops/{ok(opened, 201)['id']}/"
    assert visitor.get(path).status_code == 404
    assert names(artisan.get(f"{API}/shops/", {"mine": "true"})) == ["Ada's"]

    assert ok(artisan.post(f"{path}publish/"))["state"] == "open"
    assert names(visitor.get(f"{API}/shops/")) == ["Ada's"]
    read = visitor.get(path)
    assert ok(read)["opening_hours"] == body["opening_hours"]
    assert visitor.get(path, headers={"If-None-Match": read["ETag"]}).status_code == 304

    change = {"description": "Bowls", "delivery_radius_km": 5}
    assert artisan.patch(path, change, format="json").json()["code"] == "holdfast.precondition_required"
    changed = artisan.patch(path, change, format="json", headers={"If-Match": read["ETag"]})
    assert (ok(changed)["description"], changed.json()["delivery_radius_km"]) == ("Bowls", 5)
    again = artisan.patch(path, {"name": "X"}, format="json", headers={"If-Match": read["ETag"]})
    assert ok(again, 412)["code"] == "holdfast_artisan_shop.version_outdated"
    assert ok(artisan.patch(path, {"name": "Lovelace"}, format="json", headers={"If-Match": changed["ETag"]}))

    assert ok(artisan.post(f"{path}holiday/"))["state"] == "holiday"
    assert ok(artisan.post(f"{path}close/"))["state"] == "closed"
    assert visitor.get(path).status_code == 404


def test_members_act_for_a_shop_but_do_not_invite(artisan, customer, bob, shop):
    path = f"{API}/shops/{shop.pk}/"
    assert customer.get(f"{path}members/").status_code == 404
    assert ok(artisan.post(f"{path}members/", {"user": bob.pk}, format="json"), 201)["user"] == bob.pk
    assert [one["user"] for one in ok(customer.get(f"{path}members/"))["results"]] == [bob.pk]
    refused = customer.post(f"{path}members/", {"user": bob.pk}, format="json")
    assert ok(refused, 403)["code"] == "holdfast_artisan_shop.not_the_owner"
    assert artisan.delete(f"{path}members/{bob.pk}/").status_code == 204
    assert artisan.delete(f"{path}members/{bob.pk}/").status_code == 404
    assert artisan.delete(f"{path}members/nobody/").status_code == 400


def test_shops_near_a_point_come_with_their_distance_the_nearest_first(visitor, shop):
    make_shop(name="Potsdam", lat=52.4, lng=13.06)
    make_shop(name="Munich", lat=48.14, lng=11.58)
    make_shop(name="Hidden", published=False)
    found = visitor.get(f"{API}/shops/near/", {"lat": 52.52, "lng": 13.405, "radius": 50})
    assert names(found) == ["Ada's", "Potsdam"]
    assert [round(one["distance_km"]) for one in found.json()["results"]] == [0, 27]


# Products


def test_a_product_is_offered_changed_pictured_and_retired(artisan, visitor, shop, category):
    body = {"shop": str(shop.pk), "category": str(category.pk), "name": "Bowl", "price": euros("24.00"), "stock": 3}
    offered = artisan.post(f"{API}/products/", body, format="json")
    shown = ok(offered, 201)
    assert (shown["price"], shown["price_now"], shown["free"]) == (euros("24.00"), euros("24.00"), 3)
    path = f"{API}/products/{shown['id']}/"

    read = visitor.get(path)
    changed = artisan.patch(
        path,
        {"price": euros("20.00"), "location": {"lat": 1, "lng": 2}},
        format="json",
        headers={"If-Match": read["ETag"]},
    )
    assert (ok(changed)["price"], changed.json()["lat"], changed.json()["own_location"]) == (euros("20.00"), 1.0, True)
    assert artisan.patch(path, {"name": "X"}, format="json", headers={"If-Match": read["ETag"]}).status_code == 412

    images = {"images": [{"url": "https://pictures.example/1.jpg", "alt": "A bowl"}]}
    assert ok(artisan.put(f"{path}images/", images, format="json"))["image"] == images["images"][0]
    said = {"options": {"color": "blue"}, "extra": euros("1.50"), "stock": 5}
    blue = artisan.post(f"{path}variants/", said, format="json")
    assert (ok(blue, 201)["extra"], blue.json()["free"]) == (euros("1.50"), 5)
    variant = f"{API}/variants/{blue.json()['id']}/"
    hidden = artisan.patch(variant, {"active": False}, format="json", headers={"If-Match": blue["ETag"]})
    assert (ok(hidden)["active"], hidden.json()["free"]) == (False, 5)
    assert (
        artisan.patch(variant, {"active": True}, format="json", headers={"If-Match": blue["ETag"]}).status_code == 412
    )
    assert len(ok(visitor.get(path))["variants"]) == 1
    assert len(ok(artisan.get(path))["variants"]) == 2

    tag = artisan.get(path)["ETag"]
    assert artisan.delete(path, headers={"If-Match": read["ETag"]}).status_code == 412
    assert artisan.delete(path, headers={"If-Match": tag}).status_code == 204
    assert visitor.get(path).status_code == 404
    assert ok(artisan.get(path))["active"] is False
    assert names(artisan.get(f"{API}/shops/{shop.pk}/products/")) == ["Bowl"]


def test_a_flash_sale_makes_the_price_while_it_runs(artisan, visitor, bowl):
    now = timezone.now()
    body = {"price": euros("8.00"), "starts_at": now.isoformat(), "ends_at": (now + dt.timedelta(hours=1)).isoformat()}
    path = f"{API}/products/{bowl.pk}/"
    sale = ok(artisan.post(f"{path}flash-sales/", {**body, "quantity": 2}, format="json"), 201)
    shown = ok(visitor.get(path))
    assert (shown["price"], shown["price_now"], shown["flash_sale"]["left"]) == (euros("10.00"), euros("8.00"), 2)
    assert [one["id"] for one in ok(artisan.get(f"{path}flash-sales/"))["results"]] == [sale["id"]]
    assert names(visitor.get(f"{API}/products/", {"on_sale": "true"})) == ["Bowl"]
    assert artisan.delete(f"{API}/flash-sales/{sale['id']}/").status_code == 204
    assert ok(visitor.get(path))["flash_sale"] is None


def test_browsing_filters_and_orders(visitor, shop, category, bowl, cup):
    below = make_category(name="Porcelain", parent=category)
    make_product(shop=shop, category=below, name="Plate", price="30.00", stock=0)
    market = f"{API}/products/"
    assert names(visitor.get(market)) == ["Plate", "Cup", "Bowl"]
    assert names(visitor.get(market, {"ordering": "price"})) == ["Cup", "Bowl", "Plate"]
    assert names(visitor.get(market, {"in_stock": "true", "ordering": "-price"})) == ["Bowl", "Cup"]
    assert names(visitor.get(market, {"currency": EUR, "min_price": "5", "max_price": "10"})) == ["Bowl"]
    assert names(visitor.get(market, {"category": str(below.pk)})) == ["Plate"]
    assert len(names(visitor.get(market, {"category": str(category.pk), "shop": str(shop.pk)}))) == 3
    assert names(visitor.get(market, {"search": "bowl"})) == ["Bowl"]


@pytest.mark.parametrize("ordering", ["newest", "price", "-price", "popular", "relevance"])
def test_every_ordering_pages_to_its_end_and_back(visitor, shop, category, ordering):
    for number in range(5):
        make_product(shop=shop, category=category, name=f"Bowl {number % 2}", price=f"{number % 3 + 1}.00")
    first = ok(visitor.get(f"{API}/products/", {"search": "bowl", "ordering": ordering, "page_size": 2}))
    pages, page = [first], first
    while page["next"]:
        page = ok(visitor.get(page["next"]))
        pages.append(page)
    assert [len(one["results"]) for one in pages] == [2, 2, 1]
    assert len({one["id"] for page in pages for one in page["results"]}) == 5
    assert ok(visitor.get(pages[1]["previous"]))["results"] == first["results"]


def test_what_a_client_has_already_is_not_sent_again(visitor, artisan, bowl):
    for path in (f"{API}/products/", f"{API}/products/{bowl.pk}/", f"{API}/categories/"):
        first = visitor.get(path)
        again = visitor.get(path, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    services.correct_stock(variant_id=the_variant(bowl).pk, actor_id=bowl.shop.owner_id, difference=-1)
    fresh = visitor.get(f"{API}/products/{bowl.pk}/", headers={"If-None-Match": first["ETag"]})
    assert ok(fresh)["free"] == 9


def test_geosearch_finds_the_nearest_within_the_radius(visitor, shop, category, bowl):
    far = make_shop(name="Potsdam", lat=52.4, lng=13.06)
    make_product(shop=far, category=make_category(name="Wood"), name="Spoon")
    here = {"lat": 52.52, "lng": 13.405}
    assert names(visitor.get(f"{API}/products/geosearch/", here)) == ["Bowl"], "10 km unless told otherwise"
    found = visitor.get(f"{API}/products/geosearch/", {**here, "radius": 50})
    assert [(one["name"], round(one["distance_km"])) for one in ok(found)["results"]] == [("Bowl", 0), ("Spoon", 27)]
    only = {**here, "radius": 50, "category": str(category.pk)}
    assert names(visitor.get(f"{API}/products/geosearch/", only)) == ["Bowl"]
    first = ok(visitor.get(f"{API}/products/geosearch/", {**here, "radius": 50, "page_size": 1}))
    assert [one["name"] for one in ok(visitor.get(first["next"]))["results"]] == ["Spoon"]
    assert ok(visitor.get(first["next"]))["next"] is None


def test_recommendations_are_never_the_product_itself_nor_sold_out(visitor, shop, category, bowl, cup):
    make_product(shop=make_shop(), category=category, name="Gone", stock=0)
    make_product(shop=make_shop(), category=category, name="Plate")
    found = ok(visitor.get(f"{API}/products/{bowl.pk}/recommendations/", {"limit": 5}))
    assert sorted(one["name"] for one in found) == ["Cup", "Plate"]
    assert len(ok(visitor.get(f"{API}/products/{bowl.pk}/recommendations/", {"limit": 1}))) == 1


def test_categories_are_a_tree_that_staff_keeps(visitor, artisan, category):
    keeper = make_user(is_staff=True)
    keeper.user_permissions.set(Permission.objects.filter(content_type__model="category"))
    staff = client_of(keeper)
    path = f"{API}/categories/"
    assert artisan.post(path, {"name": "Wood"}, format="json").status_code == 403
    bowls = ok(staff.post(path, {"name": "Bowls", "parent": str(category.pk)}, format="json"), 201)
    tree = ok(visitor.get(path))
    assert [(one["name"], [child["name"] for child in one["children"]]) for one in tree] == [("Ceramics", ["Bowls"])]
    assert ok(visitor.get(f"{path}{bowls['id']}/")) == {**bowls, "parent": str(category.pk)}
    assert ok(staff.patch(f"{path}{bowls['id']}/", {"parent": None}, format="json"))["parent"] is None
    assert staff.delete(f"{path}{bowls['id']}/").status_code == 204
    assert ok(visitor.get(f"{path}{bowls['id']}/"), 404)["code"] == "holdfast_artisan_shop.category_not_found"
    assert artisan.delete(f"{path}{category.pk}/").status_code == 403


# Orders


@pytest.mark.django_db(transaction=True)
def test_an_order_is_placed_paid_made_and_handed_over(customer, artisan, bowl, shop):
    placed = order(customer, bowl, 2, note="Blue, please")
    shown = ok(placed, 201)
    assert (shown["state"], shown["total"], shown["note"]) == ("pending", euros("20.00"), "Blue, please")
    assert [(one["name"], one["quantity"], one["unit_price"]) for one in shown["lines"]] == [
        ("Bowl", 2, euros("10.00"))
    ]
    path = placed["Location"]
    assert path.endswith(f"{API}/orders/{shown['id']}/")
    path = f"{API}/orders/{shown['id']}/"
    states = [ok(customer.post(f"{path}pay/"))["state"]]
    states += [ok(artisan.post(f"{path}{step}/"))["state"] for step in ("start", "finish", "complete", "refund")]
    assert states == ["paid", "processing", "ready", "completed", "refunded"]
    assert ok(customer.get(path))["payment"]["state"] == "refunded"
    assert [one["id"] for one in ok(customer.get(f"{API}/orders/"))["results"]] == [shown["id"]]
    assert ok(artisan.get(f"{API}/orders/"))["results"] == []
    of_shop = artisan.get(f"{API}/orders/", {"shop": str(shop.pk), "state": "refunded"})
    assert [one["id"] for one in ok(of_shop)["results"]] == [shown["id"]]
    check_books()


def test_a_customer_cancels_and_an_artisan_declines(customer, artisan, bowl):
    for client, step in ((customer, "cancel"), (artisan, "decline")):
        placed = ok(order(customer, bowl), 201)
        moved = ok(client.post(f"{API}/orders/{placed['id']}/{step}/", {"reason": "Changed"}, format="json"))
        assert (moved["state"], moved["cancel_reason"]) == ("cancelled", "Changed")
    assert Stock.objects.get().allocated == 0
    check_books()


def test_an_order_that_is_sent_twice_with_one_key_is_one(customer, bowl):
    headers = {"Idempotency-Key": "mine"}
    body = {"shop_id": str(bowl.shop_id), "items": [{"product_id": str(bowl.pk), "quantity": 1}]}
    first, second = [customer.post(f"{API}/orders/", body, format="json", headers=headers) for _time in range(2)]
    assert ok(first, 201) == ok(second, 201)
    assert Order.objects.count() == 1
    body["items"][0]["quantity"] = 2
    other = customer.post(f"{API}/orders/", body, format="json", headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "holdfast.idempotency_key_reused")
    assert Order.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_step_that_is_sent_twice_with_one_key_is_taken_once_and_answered_twice(customer, artisan, bowl):
    path = f"{API}/orders/{ok(order(customer, bowl), 201)['id']}/"
    for client, step, state in (
        (customer, "pay", "paid"),
        (artisan, "finish", "ready"),
        (artisan, "complete", "completed"),
        (artisan, "refund", "refunded"),
    ):
        twins = [client.post(f"{path}{step}/", headers={"Idempotency-Key": step}) for _time in range(2)]
        assert [ok(one)["state"] for one in twins] == [state, state]
        assert ok(client.post(f"{path}{step}/"), 409)["code"] == "holdfast_artisan_shop.order_step_not_allowed"
    other = customer.post(f"{path}cancel/", headers={"Idempotency-Key": "pay"})
    assert ok(other, 409)["code"] == "holdfast_artisan_shop.order_step_not_allowed", "a key is of one step"
    check_books()


def test_a_basket_over_two_shops_becomes_a_purchase_of_two_orders(customer, artisan, visitor, bowl, slot):
    spoon = make_product(shop=make_shop(name="Wood"), name="Spoon", price="5.00")
    basket = f"{API}/basket/"
    assert visitor.get(basket).status_code == 403
    ok(customer.post(basket, {"product_id": str(bowl.pk), "quantity": 2}, format="json"))
    added = ok(customer.post(basket, {"product_id": str(spoon.pk)}, format="json"))
    assert [(one["name"], one["shop"]["name"], one["quantity"]) for one in added["lines"]] == [
        ("Bowl", "Ada's", 2),
        ("Spoon", "Wood", 1),
    ]
    assert added["totals"] == [euros("25.00")]
    line = f"{basket}{the_variant(spoon).pk}/"
    assert ok(customer.put(line, {"quantity": 3}, format="json"))["totals"] == [euros("35.00")]
    assert ok(artisan.get(basket))["lines"] == []

    services.change_product(product_id=spoon.pk, actor_id=spoon.shop.owner_id, price=spoon.price * 2)
    assert customer.post(f"{API}/checkout/").json()["code"] == "holdfast_artisan_shop.price_changed"
    changed = ok(customer.get(basket))["lines"][1]
    assert (changed["unit_price_seen"], changed["unit_price"]) == (euros("5.00"), euros("10.00"))
    assert ok(customer.post(f"{basket}accept-prices/"))["totals"] == [euros("50.00")]
    assert "held_until" in ok(customer.post(f"{basket}hold/"))

    choices = [{"shop_id": str(bowl.shop_id), "slot": str(slot.pk), "address": "Torstraße 1"}]
    headers = {"Idempotency-Key": "once"}
    bought = [
        ok(customer.post(f"{API}/checkout/", {"choices": choices}, format="json", headers=headers), 201)
        for _time in range(2)
    ]
    assert bought[0] == bought[1]
    assert sorted(one["total"]["amount"] for one in bought[0]["orders"]) == ["22.50", "30.00"]
    assert ok(customer.get(basket)) == {"lines": [], "totals": []}
    path = f"{API}/purchases/{bought[0]['id']}/"
    assert {one["state"] for one in ok(customer.post(f"{path}pay/"))["orders"]} == {"paid"}
    assert artisan.get(path).status_code == 404
    check_books()


def test_a_purchase_costs_the_same_however_many_shops_it_is_over(customer, bob):
    def statements(shops):
        for _number in range(shops):
            services.add_to_basket(customer_id=bob.pk, product_id=make_product().pk)
        purchase = services.checkout(customer_id=bob.pk)
        with CaptureQueriesContext(connection) as asked:
            assert len(ok(customer.get(f"{API}/purchases/{purchase.pk}/"))["orders"]) == shops
        return len(asked)

    assert statements(2) == statements(5)


def test_a_basket_is_emptied_and_lets_go_of_what_was_held(customer, bowl):
    basket = f"{API}/basket/"
    ok(customer.post(basket, {"product_id": str(bowl.pk), "quantity": 2}, format="json"))
    assert ok(customer.get(f"{basket}hold/")) == {"held_until": None}
    begun = ok(customer.post(f"{basket}hold/"))
    assert Stock.objects.get().held == 2
    assert ok(customer.get(f"{basket}hold/")) == begun
    assert ok(client_of(make_user()).get(f"{basket}hold/")) == {"held_until": None}
    assert customer.delete(f"{basket}hold/").status_code == 204
    assert ok(customer.get(f"{basket}hold/")) == {"held_until": None}
    assert ok(customer.delete(f"{basket}{the_variant(bowl).pk}/"))["lines"] == []
    ok(customer.post(basket, {"product_id": str(bowl.pk)}, format="json"))
    ok(customer.post(f"{basket}hold/"))
    assert customer.delete(basket).status_code == 204
    assert Stock.objects.get().held == 0


# Stock


def test_stock_is_received_corrected_and_watched(artisan, customer, shop, bowl):
    path = f"{API}/variants/{the_variant(bowl).pk}/stock/"
    headers = {"Idempotency-Key": "a-delivery"}
    for _time in range(2):
        received = artisan.post(f"{path}receive/", {"quantity": 5, "note": "Kiln"}, format="json", headers=headers)
        assert ok(received)["on_hand"] == 15
    assert ok(artisan.post(f"{path}correct/", {"difference": -12}, format="json"))["free"] == 3
    (alert,) = ok(artisan.get(f"{API}/inventory-alerts/", {"shop": str(shop.pk)}))["results"]
    assert (alert["name"], alert["left"], alert["resolved_at"]) == ("Bowl", 3, None)
    assert ok(artisan.patch(path, {"low_at": 2}, format="json"))["low_at"] == 2
    assert ok(artisan.get(f"{API}/inventory-alerts/"))["results"] == []
    assert len(ok(artisan.get(f"{API}/inventory-alerts/", {"open": "false"}))["results"]) == 1
    moves = ok(artisan.get(f"{path}moves/"))["results"]
    assert [(one["kind"], one["on_hand"], one["note"]) for one in moves] == [
        ("corrected", -12, ""),
        ("received", 5, "Kiln"),
        ("received", 10, ""),
    ]
    assert ok(artisan.get(path))["on_hand"] == 3
    first = ok(artisan.get(f"{API}/shops/{shop.pk}/stock/", {"page_size": 1}))
    assert [one["name"] for one in first["results"]] == ["Bowl"]
    assert customer.get(f"{API}/inventory-alerts/", {"shop": str(shop.pk)}).status_code == 404


def test_the_stock_of_a_shop_has_pages(artisan, shop, bowl, cup):
    first = ok(artisan.get(f"{API}/shops/{shop.pk}/stock/", {"page_size": 1}))
    second = ok(artisan.get(first["next"]))
    assert [one["name"] for one in (*first["results"], *second["results"])] == ["Bowl", "Cup"]


def test_a_customer_asks_to_be_told_when_something_is_back_and_thinks_better_of_it(customer, visitor, bowl, cup):
    def path(product):
        return f"{API}/variants/{the_variant(product).pk}/back-in-stock/"

    def awaited(client):
        return [(one["name"], one["shop"]["name"]) for one in ok(client.get(f"{API}/back-in-stock/"))["results"]]

    assert [visitor.post(path(bowl)).status_code, visitor.get(f"{API}/back-in-stock/").status_code] == [403, 403]
    assert [customer.post(path(product)).status_code for product in (bowl, bowl, cup)] == [204] * 3
    assert awaited(customer) == [("Cup", "Ada's"), ("Bowl", "Ada's")]
    stranger = client_of(make_user())
    assert awaited(stranger) == []
    not_waiting = "holdfast_artisan_shop.back_in_stock_request_not_found"
    assert ok(stranger.delete(path(bowl)), 404)["code"] == not_waiting
    assert customer.delete(path(bowl)).status_code == 204
    assert ok(customer.delete(path(bowl)), 404)["code"] == not_waiting
    assert awaited(customer) == [("Cup", "Ada's")]


def test_nobody_waits_for_what_is_not_shown(customer, artisan, bowl, shop):
    path = f"{API}/variants/{the_variant(bowl).pk}/back-in-stock/"
    ok(artisan.post(f"{API}/shops/{shop.pk}/close/"))
    assert ok(customer.post(path), 404)["code"] == "holdfast_artisan_shop.variant_not_found"


# Delivery


def test_slots_are_opened_every_week_and_closed_for_days(artisan, visitor, shop):
    path = f"{API}/shops/{shop.pk}/"
    body = {"kind": "delivery", "weekday": 4, "starts": "16:00", "ends": "18:00", "capacity": 5, "fee": euros("3.50")}
    pattern = ok(artisan.post(f"{path}slot-patterns/", body, format="json"), 201)
    assert pattern["fee"] == euros("3.50")
    slots = ok(visitor.get(f"{path}slots/"))["results"]
    assert len(slots) in (3, 4)
    assert slots[0]["fee"] == euros("3.50")
    assert ok(visitor.get(f"{path}slots/", {"kind": "pickup"}))["results"] == []
    assert ok(visitor.get(f"{path}slots/", {"lead_days": 60}))["results"] == []
    day = slots[0]["starts_at"][:10]
    ok(artisan.post(f"{path}closures/", {"first_day": day, "last_day": day}, format="json"), 201)
    assert len(ok(artisan.get(f"{path}slots/", {"mine": "true"}))["results"]) == len(slots) - 1
    assert [one["first_day"] for one in ok(artisan.get(f"{path}closures/"))["results"]] == [day]
    assert [one["id"] for one in ok(artisan.get(f"{path}slot-patterns/"))["results"]] == [pattern["id"]]
    assert artisan.delete(f"{API}/slot-patterns/{pattern['id']}/").status_code == 204
    assert ok(visitor.get(f"{path}slots/"))["results"] == []


def test_an_order_is_brought_and_tracked_also_by_a_link_without_login(customer, artisan, visitor, shop, bowl, slot):
    choice = {"slot": str(slot.pk), "address": "Torstraße 1", "location": {"lat": 52.53, "lng": 13.4}}
    placed = ok(order(customer, bowl, **choice), 201)
    assert (placed["delivery"]["address"], placed["delivery_fee"]) == ("Torstraße 1", euros("2.50"))
    full = order(customer, bowl, **choice)
    assert ok(full, 409)["code"] == "holdfast_artisan_shop.slot_full"
    path = f"{API}/orders/{placed['id']}/"
    ok(customer.post(f"{path}pay/"))
    for step in ("start", "finish", "send"):
        ok(artisan.post(f"{path}{step}/"))
    day = slot.starts_at.date().isoformat()
    (stop,) = ok(artisan.get(f"{API}/shops/{shop.pk}/day-plan/", {"day": day}))
    assert (stop["address"], [one["name"] for one in stop["lines"]]) == ("Torstraße 1", ["Bowl"])

    failed = ok(artisan.post(f"{path}fail/", {"note": "Nobody there"}, format="json"))
    assert (failed["state"], failed["delivery"]["state"]) == ("ready", "failed")
    assert ok(customer.post(f"{path}reschedule/", {"slot": str(slot.pk)}, format="json"))["delivery"]["state"] == (
        "scheduled"
    )
    tracked = ok(customer.get(f"{path}tracking/"))
    assert [one["state"] for one in tracked["timeline"]] == ["scheduled", "out_for_delivery", "failed", "scheduled"]
    by_link = ok(visitor.get(tracked.pop("link")))
    assert by_link == tracked
    assert "address" not in by_link
    assert visitor.get(f"{path}tracking/").status_code == 403
    assert ok(artisan.post(f"{path}deliver/", {"note": "Neighbor"}, format="json"))["state"] == "completed"
    assert ok(artisan.get(f"{API}/shops/{shop.pk}/day-plan/")) == []


# Figures


def test_a_dashboard_tells_what_a_shop_sold_as_json_and_as_csv(artisan, customer, shop, bowl, bob):
    placed = make_order(customer=bob, product=bowl, quantity=2, state="completed")
    services.roll_up_order(order_id=placed.pk)
    figures = ok(artisan.get(f"{API}/shops/{shop.pk}/dashboard/"))
    assert (figures["orders"], figures["revenue"], figures["average_order"]) == (1, euros("20.00"), euros("20.00"))
    assert [(one["name"], one["revenue"]) for one in figures["top_products"]] == [("Bowl", euros("20.00"))]
    assert figures["orders_by_state"]["completed"] == 1
    for listing, header in (("products", "rank,name"), ("months", "month,units"), ("categories", "month,name")):
        file = artisan.get(f"{API}/shops/{shop.pk}/dashboard.csv", {"listing": listing}, headers={"Accept": "text/csv"})
        assert file["Content-Type"] == "text/csv; charset=utf-8"
        assert file.content.decode().startswith(header)
        assert "20.00" in file.content.decode()
    for name in ("dashboard/", "dashboard.csv"):
        refused = customer.get(f"{API}/shops/{shop.pk}/{name}")
        assert ok(refused, 404)["code"] == "holdfast_artisan_shop.shop_not_found"


def test_reviews_coupons_and_the_payout_statement(artisan, customer, visitor, shop, bowl, bob):
    reviews = f"{API}/products/{bowl.pk}/reviews/"
    assert customer.post(reviews, {"rating": 5}, format="json").json()["code"] == "holdfast_artisan_shop.not_bought"
    make_order(customer=bob, product=bowl, state="completed")
    assert ok(customer.post(reviews, {"rating": 4, "text": "Good"}, format="json"), 201)["rating"] == 4
    assert customer.post(reviews, {"rating": 1}, format="json").json()["code"] == "holdfast_artisan_shop.review_exists"
    assert [one["text"] for one in ok(visitor.get(reviews))["results"]] == ["Good"]
    assert ok(visitor.get(f"{API}/products/{bowl.pk}/"))["rating"] == 4.0

    coupons = f"{API}/shops/{shop.pk}/coupons/"
    given = ok(artisan.post(coupons, {"code": "welcome", "percent": 10}, format="json"), 201)
    assert (given["code"], given["percent"]) == ("WELCOME", 10)
    assert ok(order(customer, bowl, coupon="WELCOME"), 201)["discount"] == euros("1.00")
    again = ok(order(customer, bowl, coupon="WELCOME"), 409)
    assert again["code"] == "holdfast_artisan_shop.coupon_used"
    assert [one["used"] for one in ok(artisan.get(coupons))["results"]] == [1]
    assert artisan.delete(f"{API}/coupons/{given['id']}/").status_code == 204

    day = timezone.now().date().isoformat()
    statement = ok(artisan.get(f"{API}/shops/{shop.pk}/payout/", {"start": day, "end": day}))
    assert (statement["orders"], statement["payout"]) == (1, euros("10.00"))


# Whose


def test_nobody_sees_or_touches_what_is_anothers(bob, bowl, shop, slot):
    """Each address of something of a shop, an order or a basket, asked by somebody who has nothing to do with it."""
    placed = make_order(customer=bob, product=bowl)
    sale = services.schedule_flash_sale(
        product_id=bowl.pk, actor_id=shop.owner_id, price=bowl.price / 2, starts_at=timezone.now(),
        ends_at=timezone.now() + dt.timedelta(days=1),
    )  # fmt: skip
    pattern = services.add_slot_pattern(
        shop_id=shop.pk, actor_id=shop.owner_id, kind="pickup", weekday=1, starts=dt.time(9), ends=dt.time(10),
        capacity=1,
    )  # fmt: skip
    coupon = services.create_coupon(shop_id=shop.pk, actor_id=shop.owner_id, code="X", percent=10)
    variant, stranger = the_variant(bowl), client_of(make_user())
    of_shop, of_order = f"{API}/shops/{shop.pk}/", f"{API}/orders/{placed.pk}/"
    of_product, of_variant = f"{API}/products/{bowl.pk}/", f"{API}/variants/{variant.pk}/"
    today, any_version = timezone.now().date().isoformat(), {"If-Match": "*"}
    asked = [
        *(stranger.get(f"{of_shop}{name}") for name in (
            "members/", "products/", "stock/", "dashboard/", "dashboard.csv", "slot-patterns/", "closures/",
            "day-plan/", "coupons/", f"payout/?start={today}&end={today}", "slots/?mine=true",
        )),
        *(stranger.post(f"{of_shop}{name}/") for name in ("publish", "holiday", "close")),
        stranger.patch(of_shop, {"name": "Mine"}, format="json", headers=any_version),
        stranger.post(f"{of_shop}members/", {"user": bob.pk}, format="json"),
        stranger.delete(f"{of_shop}members/{bob.pk}/"),
        stranger.post(f"{of_shop}closures/", {"first_day": today, "last_day": today}, format="json"),
        stranger.post(f"{of_shop}coupons/", {"code": "Y", "percent": 50}, format="json"),
        stranger.post(
            f"{of_shop}slot-patterns/",
            {"kind": "pickup", "weekday": 1, "starts": "09:00", "ends": "10:00", "capacity": 1},
            format="json",
        ),
        stranger.delete(f"{API}/slot-patterns/{pattern.pk}/"),
        stranger.delete(f"{API}/flash-sales/{sale.pk}/"),
        stranger.delete(f"{API}/coupons/{coupon.pk}/"),
        stranger.get(f"{API}/inventory-alerts/", {"shop": str(shop.pk)}),
        stranger.get(f"{API}/orders/", {"shop": str(shop.pk)}),
        stranger.post(
            f"{API}/products/",
            {"shop": str(shop.pk), "category": str(bowl.category_id), "name": "X", "price": euros("1.00")},
            format="json",
        ),
        stranger.patch(of_product, {"name": "Mine"}, format="json", headers=any_version),
        stranger.delete(of_product, headers=any_version),
        stranger.put(f"{of_product}images/", {"images": []}, format="json"),
        stranger.post(f"{of_product}variants/", {"options": {"a": "b"}}, format="json"),
        stranger.get(f"{of_product}flash-sales/"),
        stranger.patch(of_variant, {"sku": "X"}, format="json"),
        stranger.get(f"{of_variant}stock/"),
        stranger.get(f"{of_variant}stock/moves/"),
        stranger.patch(f"{of_variant}stock/", {"low_at": 1}, format="json"),
        stranger.post(f"{of_variant}stock/receive/", {"quantity": 1}, format="json"),
        stranger.post(f"{of_variant}stock/correct/", {"difference": -1}, format="json"),
        stranger.get(of_order),
        stranger.get(f"{of_order}tracking/"),
        *(stranger.post(f"{of_order}{step}/") for step in (
            "pay", "cancel", "start", "finish", "complete", "decline", "refund", "retry-payment", "send", "deliver",
            "fail",
        )),
        stranger.post(f"{of_order}reschedule/", {"slot": str(slot.pk)}, format="json"),
        stranger.get(f"{API}/purchases/{placed.purchase_id}/"),
        stranger.post(f"{API}/purchases/{placed.purchase_id}/pay/"),
        stranger.delete(f"{API}/basket/{variant.pk}/"),
        stranger.delete(f"{of_variant}back-in-stock/"),
    ]  # fmt: skip
    assert {(one.request["PATH_INFO"], one.status_code) for one in asked if one.status_code != 404} == set()
    assert ok(stranger.get(f"{API}/orders/"))["results"] == []
    assert ok(stranger.get(f"{API}/shops/", {"mine": "true"}))["results"] == []


def test_a_page_costs_the_same_however_many_rows_it_has(customer, artisan, visitor, bob, shop, category, bowl, cup):
    """Statements of one page with two rows, and with five."""
    pages = [
        (visitor, f"{API}/products/?category={category.pk}", 3),
        (visitor, f"{API}/products/geosearch/?lat=52.52&lng=13.405", 5),  # three rings where little is near
        (artisan, f"{API}/shops/{shop.pk}/stock/", 2),
        (customer, f"{API}/orders/", 3),
        (customer, f"{API}/basket/", 2),
        (customer, f"{API}/back-in-stock/", 1),
    ]

    def statements(client, path):
        cache.clear()
        with CaptureQueriesContext(connection) as asked:
            ok(client.get(path))
        return len(asked)

    def fill(products):
        for product in products:
            services.add_to_basket(customer_id=bob.pk, product_id=product.pk)
            services.request_back_in_stock(variant_id=the_variant(product).pk, customer_id=bob.pk)
            make_order(customer=bob, product=product)

    fill([bowl, cup])
    few = [statements(client, path) for client, path, _most in pages]
    fill(make_product(shop=shop, category=category, name=f"Plate {number}") for number in range(3))
    assert [statements(client, path) for client, path, _most in pages] == few
    assert [most for (*_page, most), asked in zip(pages, few, strict=True) if asked > most] == [], few
