"""Bad input, line by line: a problem with a stable code, and nothing different."""

import datetime as dt
import json

import pytest
from django.apps import apps
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from holdfast.money import Money
from holdfast.testing import captured_events
from holdfast_artisan_shop import services
from holdfast_artisan_shop.models import Slot
from holdfast_artisan_shop.services import Choice
from holdfast_artisan_shop.testing import make_order, make_product, make_shop, make_user, the_variant
from tests.artisan_shop.books import item
from tests.artisan_shop.test_api import client_of

pytestmark = pytest.mark.django_db

API = "/api/market"
LABEL = "holdfast_artisan_shop"
# No row has it; the same in each process, for the tests are named after it.
NOBODYS = "00000000-0000-7000-8000-000000000000"
HUGE = 10**9
IN_2030, IN_2029 = "2030-01-01T12:00:00Z", "2029-01-01T12:00:00Z"


@pytest.fixture
def world(ada, bob, shop, bowl, cup):
    """A market in which there is everything that the lines below ask for in vain."""
    cache.clear()
    now = timezone.now()

    def slot(**moments):
        times = {"starts_at": now + dt.timedelta(days=1), "ends_at": now + dt.timedelta(days=2), "closes_at": now}
        return Slot.objects.create(shop=shop, kind="delivery", capacity=1, **{**times, **moments})

    closed = make_shop(owner=ada, name="Closed")
    of_closed = make_product(shop=closed, name="Old")
    services.close_shop(shop_id=closed.pk, actor_id=ada.pk)
    coupon = services.create_coupon(shop_id=shop.pk, actor_id=ada.pk, code="TWICE", percent=10)
    used = services.place_order(
        customer_id=bob.pk, shop_id=shop.pk, items=[item(cup)], choice=Choice(coupon_code="TWICE")
    )
    gone = make_product(shop=shop, category=bowl.category, name="Gone", stock=0)
    many = make_product(
        shop=shop, category=bowl.category, name="Many", variants=[{"sku": "A"}, {"options": {"a": "b"}}]
    )
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk)
    services.change_product(product_id=bowl.pk, actor_id=ada.pk, price=Money("11.00", "EUR"))
    others_shop = make_shop(name="Another's")
    return {
        "SHOP": shop.pk,
        "BOWL": bowl.pk,
        "VARIANT": the_variant(bowl).pk,
        "GONE": gone.pk,
        "MANY": many.pk,
        "CLOSED": closed.pk,
        "OF_CLOSED": of_closed.pk,
        "OTHERS_SHOP": others_shop.pk,
        "OTHERS_PRODUCT": make_product(shop=others_shop).pk,
        "OTHERS_ORDER": make_order(product=bowl).pk,
        "ORDER": used.pk,
        "EXPIRED": slot().pk,
        "FULL": slot(closes_at=now + dt.timedelta(hours=12), booked=1).pk,
        "FREE": slot(closes_at=now + dt.timedelta(hours=12)).pk,
        "COUPON": coupon.pk,
        "CATEGORY": bowl.category_id,
    }


def everything():
    """Return all rows of the marketplace."""
    return [list(model._default_manager.order_by("pk").values()) for model in apps.get_app_config(LABEL).get_models()]


def filled(value, world):
    """Put ids in the place of their names."""
    text = json.dumps(value)
    for name in sorted(world, key=len, reverse=True):
        text = text.replace(f"<{name}>", str(world[name]))
    return json.loads(text)


def order(**values):
    body = {"shop_id": "<SHOP>", "items": [{"product_id": "<BOWL>", "quantity": 1}]}
    return {name: value for name, value in {**body, **values}.items() if value is not ...}


def one(**values):
    return order(items=[{"product_id": "<BOWL>", "quantity": 1, **values}])


def product(**values):
    body = {"shop": "<SHOP>", "category": "<CATEGORY>", "name": "X", "price": {"amount": "1.00", "currency": "EUR"}}
    return {**body, **values}


def shop(**values):
    return {"name": "X", "currency": "EUR", "lat": 1, "lng": 1, **values}


def sale(**values):
    return {"price": {"amount": "1.00", "currency": "EUR"}, "starts_at": IN_2029, "ends_at": IN_2030, **values}


def pattern(**values):
    return {"kind": "pickup", "weekday": 1, "starts": "09:00", "ends": "10:00", "capacity": 5, **values}


BUY, SELL = "bob", "ada"
LINES = [
    # What is bought
    (BUY, "orders/", one(quantity=0), 422, f"{LABEL}.quantity_invalid"),
    (BUY, "orders/", one(quantity=-1), 422, f"{LABEL}.quantity_invalid"),
    (BUY, "orders/", one(quantity=HUGE), 422, f"{LABEL}.quantity_invalid"),
    (BUY, "orders/", one(quantity=10**40), 422, f"{LABEL}.quantity_invalid"),
    (BUY, "orders/", one(quantity="2"), 400, "holdfast.invalid"),
    (BUY, "orders/", one(quantity=2.0), 400, "holdfast.invalid"),
    (BUY, "orders/", one(quantity=True), 400, "holdfast.invalid"),
    (BUY, "orders/", one(quantity=None), 400, "holdfast.invalid"),
    (BUY, "orders/", one(price=1), 400, "holdfast.invalid"),
    (BUY, "orders/", order(total=1), 400, "holdfast.invalid"),
    (BUY, "orders/", order(items=[]), 422, f"{LABEL}.order_empty"),
    (BUY, "orders/", order(items=...), 400, "holdfast.invalid"),
    (BUY, "orders/", order(items="bowl"), 400, "holdfast.invalid"),
    (BUY, "orders/", order(items=[{"quantity": 1}]), 400, "holdfast.invalid"),
    (BUY, "orders/", order(items=[{"product_id": "<BOWL>", "quantity": 1}] * 101), 422, f"{LABEL}.too_many_lines"),
    (BUY, "orders/", order(items=[{"product_id": "<BOWL>", "quantity": 10_000}] * 2), 422, f"{LABEL}.quantity_invalid"),
    (BUY, "orders/", one(product_id=NOBODYS), 404, f"{LABEL}.product_not_found"),
    (BUY, "orders/", one(product_id="bowl"), 400, "holdfast.invalid"),
    (BUY, "orders/", one(variant_id=NOBODYS), 404, f"{LABEL}.variant_not_found"),
    (BUY, "orders/", one(product_id="<GONE>", variant_id="<VARIANT>"), 404, f"{LABEL}.variant_not_found"),
    (BUY, "orders/", one(product_id="<MANY>"), 422, f"{LABEL}.variant_required"),
    (BUY, "orders/", one(product_id="<OTHERS_PRODUCT>"), 422, f"{LABEL}.product_of_another_shop"),
    (BUY, "orders/", {**one(product_id="<OF_CLOSED>"), "shop_id": "<CLOSED>"}, 409, f"{LABEL}.shop_not_open"),
    (BUY, "orders/", order(shop_id=NOBODYS), 422, f"{LABEL}.product_of_another_shop"),
    (BUY, "orders/", one(product_id="<GONE>"), 409, f"{LABEL}.sold_out"),
    (BUY, "orders/", one(quantity=11), 409, f"{LABEL}.sold_out"),
    (BUY, "orders/", order(slot="<EXPIRED>", address="A"), 409, f"{LABEL}.slot_closed"),
    (BUY, "orders/", order(slot="<FULL>", address="A"), 409, f"{LABEL}.slot_full"),
    (BUY, "orders/", order(slot=NOBODYS), 404, f"{LABEL}.slot_not_found"),
    (BUY, "orders/", order(slot="<FREE>"), 422, f"{LABEL}.address_required"),
    (
        BUY,
        "orders/",
        order(slot="<FREE>", address="A", location={"lat": 91, "lng": 0}),
        422,
        f"{LABEL}.location_invalid",
    ),
    (BUY, "orders/", order(location={"lat": 52.5}), 400, "holdfast.invalid"),
    (BUY, "orders/", order(coupon="TWICE"), 409, f"{LABEL}.coupon_used"),
    (BUY, "orders/", order(coupon="UNKNOWN"), 422, f"{LABEL}.coupon_invalid"),
    (BUY, "orders/", order(note="x" * 1_000_000), 400, "holdfast.invalid"),
    (BUY, "orders/", order(note="x" * 1_100_000), 413, "holdfast.too_large"),
    (BUY, "orders/", order(note="a\0b"), 400, "holdfast.parse_error"),
    (BUY, "orders/", [], 400, "holdfast.invalid"),
    # The basket: the price has changed since
    (BUY, "checkout/", {}, 409, f"{LABEL}.price_changed"),
    (BUY, "basket/hold/", {}, 409, f"{LABEL}.price_changed"),
    (BUY, "checkout/", {"choices": [{"shop_id": "<SHOP>"}] * 2}, 400, "holdfast.invalid"),
    (SELL, "checkout/", {}, 409, f"{LABEL}.basket_empty"),
    (BUY, "basket/quote/", {}, 409, f"{LABEL}.price_changed"),
    (BUY, "basket/quote/", {"choices": [{"shop_id": "<SHOP>"}] * 2}, 400, "holdfast.invalid"),
    (BUY, "basket/quote/", {"total": 1}, 400, "holdfast.invalid"),
    (SELL, "basket/quote/", {}, 409, f"{LABEL}.basket_empty"),
    (BUY, "basket/", {"product_id": "<BOWL>", "quantity": 0}, 422, f"{LABEL}.quantity_invalid"),
    (BUY, "basket/", {"product_id": "<BOWL>", "quantity": HUGE}, 422, f"{LABEL}.quantity_invalid"),
    (BUY, "basket/", {"product_id": "<BOWL>", "quantity": "2"}, 400, "holdfast.invalid"),
    (BUY, "basket/", {"product_id": "<OF_CLOSED>"}, 409, f"{LABEL}.shop_not_open"),
    (BUY, "basket/", {}, 404, f"{LABEL}.product_not_found"),
    (BUY, "PUT basket/<VARIANT>/", {"quantity": -1}, 422, f"{LABEL}.quantity_invalid"),
    # Somebody else's
    (BUY, "orders/<OTHERS_ORDER>/pay/", {}, 404, f"{LABEL}.order_not_found"),
    (BUY, "orders/<OTHERS_ORDER>/cancel/", {}, 404, f"{LABEL}.order_not_found"),
    (BUY, "orders/<ORDER>/retry-payment/", {}, 404, f"{LABEL}.order_not_found"),
    (BUY, "DELETE variants/<VARIANT>/back-in-stock/", {}, 404, f"{LABEL}.back_in_stock_request_not_found"),
    (BUY, "PATCH shops/<SHOP>/", {"name": "Mine"}, 404, f"{LABEL}.shop_not_found"),
    (SELL, "orders/<ORDER>/cancel/", {}, 404, f"{LABEL}.order_not_found"),
    (SELL, "shops/<OTHERS_SHOP>/publish/", {}, 404, f"{LABEL}.shop_not_found"),
    (SELL, "products/", product(shop="<OTHERS_SHOP>"), 404, f"{LABEL}.shop_not_found"),
    # Illegal transitions
    (SELL, "orders/<ORDER>/start/", {}, 409, f"{LABEL}.order_step_not_allowed"),
    (SELL, "orders/<ORDER>/complete/", {}, 409, f"{LABEL}.order_step_not_allowed"),
    (SELL, "orders/<ORDER>/refund/", {}, 409, f"{LABEL}.order_step_not_allowed"),
    (SELL, "orders/<ORDER>/retry-payment/", {}, 409, f"{LABEL}.payment_step_not_allowed"),
    (SELL, "orders/<ORDER>/send/", {}, 404, f"{LABEL}.delivery_not_found"),
    (SELL, "shops/<CLOSED>/close/", {}, 409, f"{LABEL}.shop_step_not_allowed"),
    (SELL, "orders/<ORDER>/start/", {"state": "completed"}, 400, "holdfast.invalid"),
    (BUY, "orders/<ORDER>/cancel/", {"reason": "x" * 501}, 400, "holdfast.invalid"),
    # Shops
    (SELL, "shops/", shop(lat=91), 422, f"{LABEL}.location_invalid"),
    (SELL, "shops/", shop(lng=-181), 422, f"{LABEL}.location_invalid"),
    (SELL, "shops/", shop(lat="52"), 400, "holdfast.invalid"),
    (SELL, "shops/", shop(lat=10**400), 422, f"{LABEL}.location_invalid"),
    (SELL, "shops/", shop(delivery_radius_km=-1), 422, f"{LABEL}.radius_invalid"),
    (SELL, "shops/", shop(delivery_radius_km=HUGE), 422, f"{LABEL}.radius_invalid"),
    (SELL, "shops/", shop(currency="EURO"), 400, "holdfast.invalid"),
    (SELL, "shops/", shop(currency="QQQ"), 422, "holdfast.unknown_currency"),
    (SELL, "shops/", shop(time_zone="../../etc/passwd"), 422, f"{LABEL}.time_zone_unknown"),
    (SELL, "shops/", shop(opening_hours={"mon": [["12:00", "09:00"]]}), 422, f"{LABEL}.hours_invalid"),
    (SELL, "shops/", shop(opening_hours={"monday": []}), 422, f"{LABEL}.hours_invalid"),
    (SELL, "shops/", shop(name="ada's"), 409, f"{LABEL}.shop_name_taken"),
    (SELL, "shops/", shop(name=" "), 400, "holdfast.invalid"),
    (SELL, "shops/", shop(state="open"), 400, "holdfast.invalid"),
    (SELL, "shops/<SHOP>/members/", {"user": HUGE}, 422, f"{LABEL}.user_unknown"),
    (SELL, "shops/<SHOP>/members/", {"user": 10**30}, 400, "holdfast.invalid"),
    (SELL, "shops/<SHOP>/members/", {"user": "nobody"}, 400, "holdfast.invalid"),
    # Products
    (SELL, "products/", product(price={"amount": "-1.00", "currency": "EUR"}), 422, f"{LABEL}.price_invalid"),
    (SELL, "products/", product(price={"amount": "1.00", "currency": "USD"}), 422, f"{LABEL}.price_invalid"),
    (SELL, "products/", product(price={"amount": "1.001", "currency": "EUR"}), 400, "holdfast.invalid"),
    (SELL, "products/", product(price={"amount": 1.5, "currency": "EUR"}), 400, "holdfast.invalid"),
    (SELL, "products/", product(price={"amount": "9" * 15, "currency": "EUR"}), 422, f"{LABEL}.price_invalid"),
    (SELL, "products/", product(category=NOBODYS), 422, f"{LABEL}.category_unknown"),
    (SELL, "products/", product(stock=-1), 422, f"{LABEL}.quantity_invalid"),
    (SELL, "products/", product(stock="2"), 400, "holdfast.invalid"),
    (SELL, "products/", product(lead_days=366), 422, f"{LABEL}.lead_time_invalid"),
    (SELL, "products/", product(location={"lat": 91, "lng": 0}), 422, f"{LABEL}.location_invalid"),
    (SELL, "products/", product(variants=[{"options": {"": "x"}}]), 422, f"{LABEL}.options_invalid"),
    (SELL, "products/", product(variants=[{}, {}]), 422, f"{LABEL}.options_invalid"),
    (SELL, "products/", product(sku="A"), 409, f"{LABEL}.sku_taken"),
    (SELL, "products/", product(name="x" * 201), 400, "holdfast.invalid"),
    (SELL, "products/", product(popularity=9), 400, "holdfast.invalid"),
    (SELL, "PUT products/<BOWL>/images/", {"images": [{"url": "javascript:x"}]}, 400, "holdfast.invalid"),
    (SELL, "products/<BOWL>/flash-sales/", sale(ends_at=IN_2029), 422, f"{LABEL}.period_invalid"),
    (SELL, "products/<BOWL>/flash-sales/", sale(ends_at="9999-12-31T23:59:59-12:00"), 400, "holdfast.invalid"),
    (SELL, "products/<BOWL>/flash-sales/", sale(quantity=0), 422, f"{LABEL}.quantity_invalid"),
    (
        SELL,
        "products/<BOWL>/flash-sales/",
        sale(price={"amount": "99", "currency": "EUR"}),
        422,
        f"{LABEL}.discount_invalid",
    ),
    (BUY, "products/<BOWL>/reviews/", {"rating": 6}, 422, f"{LABEL}.rating_invalid"),
    (BUY, "products/<BOWL>/reviews/", {"rating": "5"}, 400, "holdfast.invalid"),
    (BUY, "products/<BOWL>/reviews/", {"rating": 5}, 409, f"{LABEL}.not_bought"),
    # Stock
    (SELL, "variants/<VARIANT>/stock/receive/", {"quantity": 0}, 422, f"{LABEL}.quantity_invalid"),
    (SELL, "variants/<VARIANT>/stock/receive/", {"quantity": "2"}, 400, "holdfast.invalid"),
    (SELL, "variants/<VARIANT>/stock/correct/", {"difference": 0}, 422, f"{LABEL}.correction_invalid"),
    (SELL, "variants/<VARIANT>/stock/correct/", {"difference": -11}, 409, f"{LABEL}.stock_in_use"),
    (SELL, "PATCH variants/<VARIANT>/stock/", {"low_at": -1}, 422, f"{LABEL}.threshold_invalid"),
    (SELL, "PATCH variants/<VARIANT>/stock/", {"on_hand": 99}, 400, "holdfast.invalid"),
    # Delivery and coupons
    (SELL, "shops/<SHOP>/slot-patterns/", pattern(weekday=7), 422, f"{LABEL}.period_invalid"),
    (SELL, "shops/<SHOP>/slot-patterns/", pattern(capacity=0), 422, f"{LABEL}.capacity_invalid"),
    (SELL, "shops/<SHOP>/slot-patterns/", pattern(ends="08:00"), 422, f"{LABEL}.period_invalid"),
    (
        SELL,
        "shops/<SHOP>/slot-patterns/",
        pattern(fee={"amount": "1", "currency": "USD"}),
        422,
        f"{LABEL}.price_invalid",
    ),
    (
        SELL,
        "shops/<SHOP>/closures/",
        {"first_day": "2030-01-02", "last_day": "2030-01-01"},
        422,
        f"{LABEL}.period_invalid",
    ),
    (SELL, "shops/<SHOP>/closures/", {"first_day": "9999-12-31", "last_day": "9999-12-31"}, 400, "holdfast.invalid"),
    (SELL, "shops/<SHOP>/coupons/", {"code": "TWICE", "percent": 10}, 409, f"{LABEL}.code_taken"),
    (SELL, "shops/<SHOP>/coupons/", {"code": "X", "percent": 101}, 422, f"{LABEL}.discount_invalid"),
    (SELL, "shops/<SHOP>/coupons/", {"code": "X", "percent": "10"}, 400, "holdfast.invalid"),
]


def test_what_cannot_be_is_a_problem_and_changes_nothing(ada, bob, world, subtests):
    clients, before = {"ada": client_of(ada), "bob": client_of(bob)}, everything()
    for number, (who, where, body, status, code) in enumerate(LINES):
        method, _space, path = where.rpartition(" ")
        send = getattr(clients[who], (method or "post").lower())
        with subtests.test(f"{number}: {where} {str(body)[:50]}"):
            with captured_events() as events:
                response = send(
                    f"{API}/{filled(path, world)}", filled(body, world), format="json", headers={"If-Match": "*"}
                )
            assert response["Content-Type"] == "application/problem+json", response.content
            problem = response.json()
            assert (response.status_code, problem["code"]) == (status, code), problem
            assert bool(problem["errors"]) == (code == "holdfast.invalid")
            assert everything() == before
            assert events == []


QUESTIONS = [
    ("products/geosearch/", {"lat": 91, "lng": 0}, 422, f"{LABEL}.location_invalid"),
    ("products/geosearch/", {"lat": "nan", "lng": 0}, 400, "holdfast.invalid"),
    ("products/geosearch/", {"lat": 0, "lng": "inf"}, 400, "holdfast.invalid"),
    ("products/geosearch/", {"lat": 0, "lng": 0, "radius": -1}, 422, f"{LABEL}.radius_invalid"),
    ("products/geosearch/", {"lat": 0, "lng": 0, "radius": 0}, 422, f"{LABEL}.radius_invalid"),
    ("products/geosearch/", {"lat": 0, "lng": 0, "radius": HUGE}, 422, f"{LABEL}.radius_invalid"),
    ("products/geosearch/", {"lat": 0, "lng": 0, "category": NOBODYS}, 404, f"{LABEL}.category_not_found"),
    ("products/geosearch/", {"lat": "north", "lng": 0}, 400, "holdfast.invalid"),
    ("products/geosearch/", {"lat": 0}, 400, "holdfast.invalid"),
    ("products/geosearch/", {"lat": 0, "lng": 0, "cursor": "x"}, 400, "holdfast.invalid_cursor"),
    ("products/geosearch/", {"lat": 0, "lng": 0, "cursor": "W05hTiwieCJd"}, 400, "holdfast.invalid_cursor"),
    ("products/geosearch/", {"lat": 0, "lng": 0, "page_size": 201}, 400, "holdfast.invalid_page_size"),
    ("shops/near/", {"lat": -91, "lng": 0}, 422, f"{LABEL}.location_invalid"),
    ("shops/near/", {"lat": 0, "lng": 0, "radius": HUGE}, 422, f"{LABEL}.radius_invalid"),
    ("products/", {"colour": "blue"}, 400, "holdfast.invalid"),
    ("products/", {"ordering": "name"}, 400, "holdfast.invalid"),
    ("products/", {"min_price": "1"}, 400, "holdfast.invalid"),
    ("products/", {"min_price": "-1", "currency": "EUR"}, 422, f"{LABEL}.price_invalid"),
    ("products/", {"min_price": "1.001", "currency": "EUR"}, 422, "holdfast.invalid_amount"),
    ("products/", {"max_price": "1", "currency": "QQQ"}, 422, "holdfast.unknown_currency"),
    ("products/", {"search": "x" * 201}, 400, "holdfast.invalid"),
    ("products/", {"search": "a\0b"}, 400, "holdfast.invalid"),
    ("products/", {"search": "bowl", "cursor": "WzAsIk5hTiIsInh4Il0"}, 400, "holdfast.invalid_cursor"),
    (f"categories/{NOBODYS}/", {}, 404, f"{LABEL}.category_not_found"),
    ("back-in-stock/", {}, 403, "holdfast.not_authenticated"),
    ("products/", {"category": NOBODYS}, 404, f"{LABEL}.category_not_found"),
    ("products/<BOWL>/recommendations/", {"limit": 0}, 422, f"{LABEL}.limit_invalid"),
    ("products/<BOWL>/recommendations/", {"limit": HUGE}, 422, f"{LABEL}.limit_invalid"),
    ("products/<BOWL>/recommendations/", {"limit": "five"}, 400, "holdfast.invalid"),
    (f"products/{NOBODYS}/recommendations/", {}, 404, f"{LABEL}.product_not_found"),
    (f"products/{NOBODYS}/reviews/", {}, 404, f"{LABEL}.product_not_found"),
    ("shops/<CLOSED>/slots/", {}, 404, f"{LABEL}.shop_not_found"),
    ("shops/<SHOP>/slots/", {"kind": "post"}, 400, "holdfast.invalid"),
    ("tracking/not-made-here/", {}, 403, f"{LABEL}.tracking_link_invalid"),
    ("orders/", {}, 403, "holdfast.not_authenticated"),
    ("shops/", {"mine": "true"}, 403, "holdfast.not_authenticated"),
]


def test_a_question_that_cannot_be(world, subtests):
    visitor = APIClient(raise_request_exception=False)
    for where, query, status, code in QUESTIONS:
        with subtests.test(f"{where} {str(query)[:50]}"):
            response = visitor.get(f"{API}/{filled(where, world)}", query)
            assert response["Content-Type"] == "application/problem+json", response.content
            assert (response.status_code, response.json()["code"]) == (status, code), response.json()


REPORTS = [
    ("dashboard/", {"start": "2026-02-01", "end": "2026-01-01"}, f"{LABEL}.period_invalid"),
    ("dashboard/", {"start": "0001-01-01", "end": "2026-01-01"}, "holdfast.invalid"),
    ("dashboard.csv", {"listing": "customers"}, "holdfast.invalid"),
    ("payout/", {"start": "2001-01-01", "end": "2026-01-01"}, f"{LABEL}.period_invalid"),
    ("payout/", {}, "holdfast.invalid"),
    ("day-plan/", {"day": "9999-12-31"}, "holdfast.invalid"),
]


def test_a_report_that_cannot_be(ada, world, subtests):
    for where, query, code in REPORTS:
        with subtests.test(f"{where} {query}"):
            response = client_of(ada).get(f"{API}/shops/{world['SHOP']}/{where}", query)
            assert (response["Content-Type"], response.json()["code"]) == ("application/problem+json", code)


def test_a_stranger_who_is_no_artisan_opens_no_shop(settings):
    settings.HOLDFAST_ARTISAN_SHOP = {"ARTISANS": {"BACKEND": "tests.artisan_shop.test_bad_input.Nobody"}}
    response = client_of(make_user()).post(f"{API}/shops/", shop(), format="json")
    assert (response.status_code, response.json()["code"]) == (403, f"{LABEL}.not_an_artisan")


class Nobody:
    """A port that knows no artisan."""

    def may_open_shop(self, user_id):
        return False
