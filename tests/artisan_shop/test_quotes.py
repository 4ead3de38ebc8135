"""What a checkout would cost: said beforehand, to the cent, by the same rules, and without a trace."""

import datetime as dt

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from holdfast.money import Money
from holdfast.testing import captured_events, race
from holdfast_artisan_shop import exceptions, services
from holdfast_artisan_shop.models import Coupon, Slot
from holdfast_artisan_shop.services import Choice
from holdfast_artisan_shop.testing import make_order, make_product, make_shop, make_user
from tests.artisan_shop.books import check_books
from tests.artisan_shop.test_api import client_of, euros, ok

pytestmark = pytest.mark.django_db

API = "/api/market"
LABEL = "holdfast_artisan_shop"
SAME = ("subtotal", "delivery_fee", "discount", "total", "lead_days", "lines")


@pytest.fixture
def spoon(db):
    """Something of another shop, made to order."""
    shop = make_shop(name="Wood")
    return make_product(shop=shop, name="Spoon", price="5.00", stock=0, made_to_order=True, lead_days=1)


@pytest.fixture
def basket(bob, bowl, cup, spoon):
    for product, quantity in ((bowl, 2), (cup, 1), (spoon, 3)):
        services.add_to_basket(customer_id=bob.pk, product_id=product.pk, quantity=quantity)


def slot_of(shop, **values):
    starts = timezone.now() + dt.timedelta(days=3)
    given = {"starts_at": starts, "ends_at": starts + dt.timedelta(hours=2), "closes_at": starts}
    return Slot.objects.create(shop=shop, **{"kind": "delivery", "capacity": 1, "fee_minor": 250, **given, **values})


def everything():
    """Return all rows of the marketplace, and of what it has to tell."""
    labels = (LABEL, "holdfast")
    return [
        list(model._default_manager.order_by("pk").values())
        for label in labels
        for model in apps.get_app_config(label).get_models()
    ]


def test_a_quote_is_what_the_checkout_then_costs(ada, bob, shop, bowl, spoon, basket):
    services.create_coupon(shop_id=shop.pk, actor_id=ada.pk, code="SPRING", percent=15)
    services.create_coupon(
        shop_id=spoon.shop_id, actor_id=spoon.shop.owner_id, code="MINUS", amount=Money("1.00", "EUR")
    )
    now = timezone.now()
    services.schedule_flash_sale(
        product_id=bowl.pk,
        actor_id=ada.pk,
        price=Money("7.77", "EUR"),
        starts_at=now,
        ends_at=now + dt.timedelta(hours=1),
        quantity=2,
    )
    services.accept_prices(customer_id=bob.pk)
    slot = slot_of(shop)
    choices = [
        {"shop_id": str(shop.pk), "slot": str(slot.pk), "address": "Torstraße 1", "coupon": "spring"},
        {"shop_id": str(spoon.shop_id), "coupon": "MINUS"},
    ]
    client = client_of(bob)
    before = everything()
    with captured_events() as events:
        quoted = ok(client.post(f"{API}/basket/quote/", {"choices": choices}, format="json"))
    assert (everything(), events) == (before, [])

    pots, wood = sorted(quoted["orders"], key=lambda one: one["shop"]["name"])
    assert (pots["subtotal"], pots["delivery_fee"], pots["discount"], pots["total"]) == (
        euros("20.04"),
        euros("2.50"),
        euros("3.01"),
        euros("19.53"),
    )
    assert (pots["slot"]["id"], wood["slot"], wood["lead_days"]) == (str(slot.pk), None, 1)
    assert [(one["name"], one["unit_price"]) for one in pots["lines"]] == [
        ("Bowl", euros("7.77")),
        ("Cup", euros("4.50")),
    ]
    assert (wood["total"], quoted["totals"]) == (euros("14.00"), [euros("33.53")])

    bought = ok(client.post(f"{API}/checkout/", {"choices": choices}, format="json"), 201)
    by_shop = {one["shop"]["id"]: one for one in bought["orders"]}
    for quote in quoted["orders"]:
        order = by_shop[quote["shop"]["id"]]
        assert {name: quote[name] for name in SAME} == {name: order[name] for name in SAME}
    check_books()


def test_a_quote_without_choices_is_the_lines_and_a_total_for_each_currency(bob, basket):
    yen = make_product(shop=make_shop(name="Kyoto", currency="JPY"), name="Tea bowl", price="1500")
    services.add_to_basket(customer_id=bob.pk, product_id=yen.pk)
    quoted = ok(client_of(bob).post(f"{API}/basket/quote/"))
    assert len(quoted["orders"]) == 3
    assert quoted["totals"] == [euros("39.50"), {"amount": "1500", "currency": "JPY"}]


def unknown_coupon(world):
    return {"coupon": "NEVER"}


def coupon_that_is_over(world):
    coupon = services.create_coupon(shop_id=world["shop"].pk, actor_id=world["ada"].pk, code="OVER", percent=10)
    yesterday = timezone.now() - dt.timedelta(days=1)
    Coupon.objects.filter(pk=coupon.pk).update(starts_at=yesterday - dt.timedelta(days=1), ends_at=yesterday)
    return {"coupon": "OVER"}


def coupon_below_its_minimum(world):
    services.create_coupon(
        shop_id=world["shop"].pk, actor_id=world["ada"].pk, code="HIGH", percent=10, minimum=Money("24.51", "EUR")
    )
    return {"coupon": "HIGH"}


def coupon_of_another_shop(world):
    spoon = world["spoon"]
    services.create_coupon(shop_id=spoon.shop_id, actor_id=spoon.shop.owner_id, code="WOOD", percent=10)
    return {"coupon": "WOOD"}


def coupon_that_he_has_used(world):
    services.create_coupon(shop_id=world["shop"].pk, actor_id=world["ada"].pk, code="ONCE", percent=10, max_uses=1)
    make_order(customer=world["bob"], product=world["bowl"], choice=Choice(coupon_code="ONCE"))
    return {"coupon": "ONCE"}


def coupon_that_others_have_used_up(world):
    services.create_coupon(shop_id=world["shop"].pk, actor_id=world["ada"].pk, code="ONCE", percent=10, max_uses=1)
    make_order(customer=make_user(), product=world["bowl"], choice=Choice(coupon_code="ONCE"))
    return {"coupon": "ONCE"}


def closed_slot(world):
    return {"slot": str(slot_of(world["shop"], closes_at=timezone.now()).pk), "address": "A"}


def full_slot(world):
    return {"slot": str(slot_of(world["shop"], booked=1).pk), "address": "A"}


def slot_of_another_shop(world):
    return {"slot": str(slot_of(world["spoon"].shop).pk), "address": "A"}


def slot_without_an_address(world):
    return {"slot": str(slot_of(world["shop"]).pk)}


def address_too_far_away(world):
    services.change_shop(shop_id=world["shop"].pk, actor_id=world["ada"].pk, delivery_radius_km=5.0)
    return {"slot": str(slot_of(world["shop"]).pk), "address": "Far", "location": {"lat": 53.0, "lng": 13.0}}


def changed_price(world):
    services.change_product(product_id=world["bowl"].pk, actor_id=world["ada"].pk, price=Money("11.00", "EUR"))
    return {}


def retired_product(world):
    services.retire_product(product_id=world["bowl"].pk, actor_id=world["ada"].pk)
    return {}


def shop_on_holiday(world):
    services.go_on_holiday(shop_id=world["shop"].pk, actor_id=world["ada"].pk)
    return {}


def flash_sale_with_too_few_pieces(world):
    now = timezone.now()
    services.schedule_flash_sale(
        product_id=world["bowl"].pk,
        actor_id=world["ada"].pk,
        price=Money("7.00", "EUR"),
        starts_at=now,
        ends_at=now + dt.timedelta(hours=1),
        quantity=1,
    )
    services.accept_prices(customer_id=world["bob"].pk)
    return {}


def shop_that_is_not_in_the_basket(world):
    return {"shop_id": str(make_shop().pk)}


def empty_basket(world):
    services.empty_basket(customer_id=world["bob"].pk)
    return {}


@pytest.mark.parametrize(
    ("spoil", "status", "code"),
    [
        (unknown_coupon, 422, "coupon_invalid"),
        (coupon_that_is_over, 422, "coupon_invalid"),
        (coupon_below_its_minimum, 422, "coupon_invalid"),
        (coupon_of_another_shop, 422, "coupon_invalid"),
        (coupon_that_he_has_used, 409, "coupon_used"),
        (coupon_that_others_have_used_up, 409, "coupon_exhausted"),
        (closed_slot, 409, "slot_closed"),
        (full_slot, 409, "slot_full"),
        (slot_of_another_shop, 404, "slot_not_found"),
        (slot_without_an_address, 422, "address_required"),
        (address_too_far_away, 422, "out_of_range"),
        (changed_price, 409, "price_changed"),
        (retired_product, 409, "not_on_sale"),
        (shop_on_holiday, 409, "shop_not_open"),
        (flash_sale_with_too_few_pieces, 409, "flash_sale_sold_out"),
        (shop_that_is_not_in_the_basket, 422, "shop_not_in_basket"),
        (empty_basket, 409, "basket_empty"),
    ],
)
def test_what_the_checkout_would_refuse_is_not_quoted(ada, bob, shop, bowl, spoon, basket, spoil, status, code):
    choice = {"shop_id": str(shop.pk), **spoil({"ada": ada, "bob": bob, "shop": shop, "bowl": bowl, "spoon": spoon})}
    body, client = {"choices": [choice]}, client_of(bob)
    before = everything()
    for door in ("basket/quote", "checkout"):
        problem = ok(client.post(f"{API}/{door}/", body, format="json"), status)
        assert problem["code"] == f"{LABEL}.{code}", door
    assert everything() == before


def test_a_quote_is_ones_own(bob, basket):
    stranger = client_of(make_user())
    assert ok(stranger.post(f"{API}/basket/quote/"), 409)["code"] == f"{LABEL}.basket_empty"
    with pytest.raises(exceptions.BasketEmpty):
        services.quote_checkout(customer_id=None)


def test_a_quote_over_five_shops_takes_as_many_statements_as_one_over_two(bob):
    choices = {}

    def fill(count):
        for number in range(count):
            product, code = make_product(), f"C{number}"
            services.create_coupon(shop_id=product.shop_id, actor_id=product.shop.owner_id, code=code, percent=10)
            now = timezone.now()
            services.schedule_flash_sale(
                product_id=product.pk,
                actor_id=product.shop.owner_id,
                price=product.price / 2,
                starts_at=now,
                ends_at=now + dt.timedelta(hours=1),
                quantity=9,
            )
            services.add_to_basket(customer_id=bob.pk, product_id=product.pk)
            choices[product.shop_id] = Choice(slot_id=slot_of(product.shop).pk, address="A", coupon_code=code)

    def statements():
        with CaptureQueriesContext(connection) as asked:
            drafts = services.quote_checkout(customer_id=bob.pk, choices=choices)
            assert all(draft.order.shop.name and draft.order.discount_minor for draft in drafts)
        return len(asked)

    fill(2)
    few = statements()
    assert few <= 5  # the basket, slots, coupons, flash sales, shops
    fill(3)
    assert statements() == few


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_quote_waits_for_nobody_who_checks_out(bob, basket):
    with transaction.atomic():
        services.hold_basket(customer_id=bob.pk)  # the lines are locked
        (drafts,) = race(lambda: services.quote_checkout(customer_id=bob.pk), times=1)
    assert sum(draft.order.total_minor for draft in drafts) == 3950
