"""Stories of checking out: what it comes to is said before it is ordered, and it is what is paid. And of waiting."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from holdfast.money import Money
from holdfast.testing import drain_outbox
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.testing import make_category, make_order, make_product, make_shop, the_variant
from people.selectors import find_person
from tests.journeys.visitor import Visitor

# The gateway is asked outside any transaction.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("flushable")]

Newcomer = Callable[..., Visitor]
CHECKOUT = "/checkout/"


@pytest.fixture
def ada(newcomer: Newcomer, greta: Visitor, bowls: Any) -> Visitor:
    """A customer with money and two bowls in her basket; they are brought for a fee, or fetched for nothing."""
    slots, every_day = f"/workshop/{bowls.shop_id}/slots/", [str(day) for day in range(7)]
    for kind, fee in (("delivery", "4"), ("pickup", "")):
        greta.open(slots).submit(
            action=slots, kind=kind, weekdays=every_day, starts="08:00", ends="20:00", capacity="3", fee=fee
        )
    services.create_coupon(shop_id=bowls.shop_id, actor_id=bowls.shop.owner_id, code="TEN", percent=10)
    visitor = newcomer("ada")
    visitor.open("/wallet/top-up/").submit(amount="200")
    ware = f"/market/products/{bowls.pk}/"
    return visitor.open(ware).submit(action=f"{ware}basket/", quantity="2")


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace(" .", ".")


def sum_of(visitor: Visitor, **chosen: str) -> str:
    """Ask for the sum alone, as the page's script does."""
    fields = visitor.open(CHECKOUT).form(CHECKOUT)["fields"] | {"quote": "yes"} | chosen
    answer = visitor.client.post(CHECKOUT, fields, headers={"X-Part": "sum"})
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    return words(answer.content.decode())


def orders_of(visitor: Visitor) -> Any:
    return selectors.orders_of_customer(customer_id=find_person(visitor.username).pk)


def test_what_it_comes_to_is_said_at_once_and_is_what_is_paid(ada: Visitor):
    page = words(ada.open(CHECKOUT).text)
    assert "Goods 80.00 EUR" in page
    assert "4.00 EUR You pay 84.00 EUR" in page

    # Without a script there is a button for it; nothing is ordered by it, and what was chosen stays chosen.
    ada.submit(action=CHECKOUT, quote="yes", coupon_0="ten", address="27 Rue Brûlée")
    assert "Coupon TEN −8.00 EUR You pay 76.00 EUR" in words(ada.text).replace("− ", "−")
    assert orders_of(ada).count() == 0
    assert ada.form(CHECKOUT)["fields"]["coupon_0"] == "ten"

    ada.submit(action=CHECKOUT)
    assert orders_of(ada).get().total == Money(76, "EUR")


def test_with_each_choice_the_sum_is_another(ada: Visitor, bowls: Any):
    (pickup,) = selectors.free_slots(shop_id=bowls.shop_id, kind="pickup")[:1]

    assert "You pay 84.00 EUR" in sum_of(ada)
    assert "Fetched by you" in sum_of(ada, slot_0=str(pickup.pk))
    assert "free You pay 80.00 EUR" in sum_of(ada, slot_0=str(pickup.pk))
    assert "Called for, without a slot free You pay 80.00 EUR" in sum_of(ada, slot_0="none")
    assert "You pay 72.00 EUR" in sum_of(ada, slot_0="none", coupon_0="TEN")
    assert orders_of(ada).count() == 0


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"coupon_0": "NOSUCH"}, "This coupon does not hold for this order."),
        ({"place": "trouville"}, "The shop does not deliver that far."),
        ({"slot_0": "not-a-slot"}, "Look again at what is marked"),
        ({"coupon_0": "X" * 99}, "Look again at what is marked"),
    ],
)
def test_what_cannot_be_said_is_explained_beside_the_price_of_the_goods(
    ada: Visitor, chosen: dict[str, str], said: str
):
    page = sum_of(ada, **chosen)

    assert said in page
    assert "Goods 80.00 EUR" in page
    assert "You pay" not in page


def test_the_fee_counts_when_the_wallet_is_looked_into(ada: Visitor):
    ada.open("/wallet/pay-out/").submit(amount="118")

    assert "Your balance does not suffice" in sum_of(ada)
    assert "2.00 EUR are missing" in sum_of(ada)
    assert "Your balance does not suffice" not in sum_of(ada, slot_0="none")


def test_of_two_shops_each_has_its_own_sum(ada: Visitor):
    other = make_shop(name="Ferrand, Baker", lat=49.42, lng=0.233)
    loaf = make_product(shop=other, category=make_category(name="Bread"), name="Loaf", price="5.00")
    services.add_to_basket(customer_id=find_person("ada").pk, variant_id=the_variant(loaf).pk, quantity=2)

    page = sum_of(ada)

    assert "Holm Stoneware Goods 80.00 EUR" in page
    assert "Ferrand, Baker Goods 10.00 EUR" in page
    assert "You pay 94.00 EUR" in page


def test_an_empty_basket_has_no_sum_and_a_stranger_none_of_anybody(ada: Visitor, newcomer: Newcomer):
    fields = ada.open(CHECKOUT).form(CHECKOUT)["fields"] | {"quote": "yes"}
    ben = newcomer("ben")
    assert ben.open(CHECKOUT).address == "/basket/"

    answer = ben.client.post(CHECKOUT, fields, headers={"X-Part": "sum"}).content.decode()

    assert "The basket is empty." in answer
    assert "80.00" not in answer
    assert Visitor("nobody").client.post(CHECKOUT, fields, headers={"X-Part": "sum"}).status_code == 302


def test_who_waits_sees_for_what_and_may_stop(newcomer: Newcomer, bowls: Any):
    ada, ben = newcomer("ada"), newcomer("ben")
    services.correct_stock(variant_id=the_variant(bowls).pk, actor_id=bowls.shop.owner_id, difference=-5)
    ware = f"/market/products/{bowls.pk}/"
    assert "You wait for nothing" in ada.open("/market/waiting/").text
    for visitor in (ada, ben):
        visitor.open(ware).submit(action=f"{ware}tell-me/")
        assert "We tell you when it is back" in visitor.open(ware).text
    assert "Tea bowl" in ada.open("/market/waiting/").text

    ada.submit(action=f"{ware}wait-no-more/")
    assert ada.address == "/market/waiting/"
    assert "You wait for nothing" in ada.text
    assert "Tea bowl" in ben.open("/market/waiting/").text
    services.receive_stock(variant_id=the_variant(bowls).pk, actor_id=bowls.shop.owner_id, quantity=3)
    drain_outbox()
    assert "Tea bowl is back" in ben.open("/activity/").text
    assert "Tea bowl is back" not in ada.open("/activity/").text
    assert "You wait for nothing" in ben.open("/market/waiting/").text


def test_of_several_choices_one_can_be_waited_for(newcomer: Newcomer, greta: Visitor, bowls: Any):
    owner_id = bowls.shop.owner_id
    glazed = [services.VariantValues(options={"Glaze": one}) for one in ("blue", "white")]
    jug = make_product(shop=bowls.shop, category=bowls.category, name="Jug", variants=glazed, stock=0)
    blue, white = sorted(jug.variants.all(), key=lambda one: one.options["Glaze"])
    services.receive_stock(variant_id=blue.pk, actor_id=owner_id, quantity=3)
    ada, ware = newcomer("ada"), f"/market/products/{jug.pk}/"

    assert "Tell me when white is back" in ada.open(ware).text
    assert "Tell me when blue is back" not in ada.text
    ada.submit(action=f"{ware}tell-me/")

    mine = selectors.back_in_stock_requests_of(customer_id=find_person("ada").pk)
    assert [one.variant_id for one in mine] == [white.pk]


@pytest.mark.parametrize("step", ["tell-me", "wait-no-more"])
def test_waiting_for_nothing_in_particular_is_explained(newcomer: Newcomer, bowls: Any, step: str):
    ada = newcomer("ada")
    ada.page = ada.client.post(f"/market/products/{bowls.pk}/{step}/", {"variant": "that one"}, follow=True)

    assert "Say which." in ada.text


def test_what_was_received_is_reviewed_once_from_the_order(ada: Visitor, newcomer: Newcomer, bowls: Any):
    order = make_order(customer=find_person("ada"), product=bowls, state="completed")
    ware = f"/market/products/{bowls.pk}/"
    assert f'href="{ware}#yours"' in ada.open(f"/orders/{order.pk}/").text

    ada.open(ware).submit(action=f"{ware}review/", rating="4", text="Warm in the hand.")
    assert "#yours" not in ada.open(f"/orders/{order.pk}/").text
    assert "4.0 of 5 stars" in ada.text

    for visitor, said in ((ada, "You have reviewed this product already."), (newcomer("ben"), "Only who has received")):
        visitor.page = visitor.client.post(f"{ware}review/", {"rating": "1"}, follow=True)
        assert said in visitor.text
    ada.page = ada.client.post(f"{ware}review/", {"rating": "9"}, follow=True)
    assert "Choose how it is" in ada.text
