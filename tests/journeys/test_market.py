"""Stories of the market: who makes things, who wants them, and whose money it is."""

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from holdfast.money import Money
from holdfast.testing import drain_outbox
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.testing import make_category, the_variant
from holdfast_wallet import selectors as wallet
from people.selectors import find_person
from storefront.town_map import town_map
from tests.journeys.visitor import Visitor

# The gateway is asked outside any transaction.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("flushable")]

Newcomer = Callable[..., Visitor]


def account_of(visitor: Visitor) -> Any:
    return wallet.default_account(owner_id=find_person(visitor.username).pk, currency="EUR")


def order_of(visitor: Visitor) -> Any:
    return selectors.orders_of_customer(customer_id=find_person(visitor.username).pk).first()


def post(visitor: Visitor, address: str, **values: str) -> Visitor:
    visitor.page = visitor.client.post(address, values, follow=True)
    return visitor


def test_from_the_map_to_the_table(newcomer: Newcomer, greta: Visitor, bowls: Any):
    shop = bowls.shop
    # The artisan says when she brings things.
    slots = f"/workshop/{shop.pk}/slots/"
    every_day = [str(day) for day in range(7)]
    greta.open(slots).submit(kind="delivery", weekdays=every_day, starts="08:00", ends="20:00", capacity="3", fee="4")

    # A visitor finds a bowl near her, on the map, before anybody knows who she is.
    ada = Visitor("ada")
    near = ada.open("/market/near/?place=harbor&radius=2").text
    assert "1 workshop within 2 km" in near
    assert "Holm Stoneware, 2" in near  # hundred-something meters
    assert "Nobody within" in ada.open("/market/near/?place=beuzeville&radius=5").text
    assert "Tea bowl" in ada.open("/market/?q=bowl").text
    ware = f"/market/products/{bowls.pk}/"
    assert "5 in stock" in ada.open(ware).text

    # She registers, tops up, and puts two into her basket.
    ada = newcomer("ada", first_name="Ada")
    ada.open(ware).submit(action=f"{ware}basket/", quantity="2")
    assert "It is in your basket" in ada.text
    ada.submit(action="/basket/checkout/")
    assert "Your balance does not suffice" in ada.text
    ada.open("/wallet/top-up/").submit(amount="120")

    # She chooses a slot and pays by a hold; the pieces are hers from now on.
    ada.open("/checkout/").submit(action="/checkout/", address="27 Rue Brûlée", place="harbor")
    order = order_of(ada)
    assert (order.state, order.total) == ("paid", Money(84, "EUR"))
    assert "The money is set aside" in ada.text
    assert (account_of(ada).balance, account_of(ada).available) == (Money(120, "EUR"), Money(36, "EUR"))
    assert "3 in stock" in ada.open(ware).text

    # Nobody else sees the order; who has the link sees how far it is, and no price.
    ben = newcomer("ben")
    for address in (f"/orders/{order.pk}/", f"/orders/{order.pk}/life/", f"/workshop/{shop.pk}/orders/{order.pk}/"):
        ben.open(address, status=404)
    ben.client.post(f"/orders/{order.pk}/cancel/")
    assert order_of(ada).state == "paid"
    link = re.search(r'href="(/track/[^"]+)"', ada.open(f"/orders/{order.pk}/").text)[1]
    stranger = Visitor("stranger").open(link)
    assert "Brought to you" in stranger.text
    price = re.compile(r"(?<![\w.:-])84(?![\w-])")  # and no part of a time or an id
    assert price.search(ada.text)
    assert not price.search(re.sub(r"<head>.*</head>", "", stranger.text, flags=re.DOTALL))
    Visitor("forger").open(f"{link[:-3]}AA/", status=403)

    # The artisan reads of it, prepares it, brings it.
    drain_outbox()
    page = greta.open("/activity/").text
    assert f"A new order, {order.reference}: 84.00 EUR" in page
    assert "Tea bowl is running out: 3 left" in page
    assert "Tea bowl" in greta.open(f"/workshop/{shop.pk}/alerts/").text
    steps = f"/workshop/{shop.pk}/orders/{order.pk}/"
    for step in ("start", "finish", "send", "deliver"):
        greta.open(steps).submit(action=f"{steps}{step}/")
    assert "Handed over. The money is on your account." in greta.text

    # The money is hers but for the platform's fee: 8 percent of the goods.
    assert (account_of(ada).balance, account_of(ada).available) == (Money(36, "EUR"), Money(36, "EUR"))
    assert account_of(greta).balance == Money("77.60", "EUR")
    assert wallet.system_account(role="fees", currency="EUR").balance == Money("6.40", "EUR")
    call_command("wallet_verify")

    # Her charts know it, and the customer says how it is.
    services.rebuild_sales(shop_id=shop.pk)
    figures = greta.open(f"/workshop/{shop.pk}/figures/?days=30").text
    assert "Tea bowl" in figures
    assert "80.00" in re.sub(r"<[^>]+>", "", figures)
    drain_outbox()
    assert "Your order was handed over" in ada.open("/activity/").text
    ada.open(ware).submit(action=f"{ware}review/", rating="5", text="I drink from it each morning.")
    assert "I drink from it each morning." in Visitor("reader").open(ware).text


def test_the_last_one_is_sold_once_and_who_waits_is_told(newcomer: Newcomer, greta: Visitor, bowls: Any):
    variant = the_variant(bowls)
    services.correct_stock(variant_id=variant.pk, actor_id=find_person("greta").pk, difference=-4)
    ada, ben = newcomer("ada"), newcomer("ben")
    ware = f"/market/products/{bowls.pk}/"
    for visitor in (ada, ben):
        visitor.open(ware).submit(action=f"{ware}basket/")
    ada.submit(action="/basket/checkout/")
    assert "When, and where to?" in ada.text

    ben.submit(action="/basket/checkout/")
    assert ben.address == "/basket/"
    assert order_of(ben) is None
    assert "Sold out" in ben.open(ware).text
    ben.submit(action=f"{ware}tell-me/")

    post(ada, f"/basket/{variant.pk}/", quantity="0")
    services.release_holds(customer_id=find_person("ada").pk)
    drain_outbox()
    assert "Tea bowl is back" in ben.open("/activity/").text


def test_who_cannot_pay_keeps_the_order_and_pays_later(newcomer: Newcomer, bowls: Any):
    ada = newcomer("ada")
    ware = f"/market/products/{bowls.pk}/"
    ada.open(ware).submit(action=f"{ware}basket/")
    ada.submit(action="/basket/checkout/").submit(action="/checkout/")
    order = order_of(ada)
    assert order.state == "pending"
    assert "There is not enough money on your account. Your order is kept for half an hour" in ada.text
    assert "Your balance does not suffice" in ada.text

    ada.open("/wallet/top-up/").submit(amount="40")
    ada.open(f"/orders/{order.pk}/").submit(action=f"/orders/{order.pk}/pay/")
    assert order_of(ada).state == "paid"

    ada.submit(action=f"/orders/{order.pk}/cancel/")
    assert order_of(ada).state == "cancelled"
    assert account_of(ada).available == Money(40, "EUR")


def test_a_price_that_changed_is_shown_and_agreed_to(newcomer: Newcomer, bowls: Any):
    ada = newcomer("ada")
    ware = f"/market/products/{bowls.pk}/"
    ada.open(ware).submit(action=f"{ware}basket/")
    services.change_product(product_id=bowls.pk, actor_id=find_person("greta").pk, price=Money(45, "EUR"))

    assert "A price has changed" in ada.open("/basket/").text
    ada.submit(action="/basket/checkout/")
    assert ada.address == "/basket/"
    ada.submit(action="/basket/prices/")
    assert "A price has changed" not in ada.text


def test_an_artisan_opens_a_shop_and_fills_its_shelves(newcomer: Newcomer):
    category = make_category(name="Ceramics")
    kira = newcomer("kira", role="artisan")
    assert "You have no shop yet" in kira.open("/workshop/").text
    kira.open("/workshop/new/").submit(name="Novak Glass", place="riviere", description="Blown glass.")
    shop = selectors.shops_of(actor_id=find_person("kira").pk).get()
    Visitor("early").open(f"/market/shops/{shop.pk}/", status=404)

    base = f"/workshop/{shop.pk}"
    kira.open(f"{base}/products/new/").submit(
        name="Tumbler", price="18,50", category=str(category.pk), option="Color", choices="clear, smoke", stock="7"
    )
    product = selectors.products_of_shop(shop_id=shop.pk, actor_id=shop.owner_id).get()
    assert product.free == 14
    smoke = next(one for one in product.variants.all() if one.options == {"Color": "smoke"})
    stock = f"{base}/products/{product.pk}/stock/{smoke.pk}"
    kira.submit(action=f"{stock}/receive/", quantity="3").submit(
        action=f"{stock}/correct/", difference="-8", note="Fell"
    )
    assert "Running out" in kira.text
    kira.submit(action=f"{stock}/correct/", difference="-9", note="Too many")
    assert selectors.products_of_shop(shop_id=shop.pk, actor_id=shop.owner_id).get().free == 9
    kira.submit(action=f"{base}/products/{product.pk}/sale/", price="12", hours="24", quantity="")
    assert "The flash sale has begun." in kira.text

    kira.open(f"{base}/shop/")
    post(kira, f"{base}/shop/publish/")
    page = Visitor("late").open("/market/?on_sale=on").text
    assert "Tumbler" in page
    assert "12" in page

    rival = newcomer("luca", role="artisan")
    for room in ("orders", "products", "plan", "slots", "alerts", "figures", "shop"):
        rival.open(f"{base}/{room}/", status=404)
    assert post(rival, f"{stock}/receive/", quantity="1").page.status_code == 404


def test_on_the_map_neighbors_do_not_cover_one_another():
    class Place:
        lat, lng = 49.42, 0.23

    drawn = town_map(lat=49.42, lng=0.23, radius_km=5, things=[Place() for _one in range(12)])

    points = {(dot.x, dot.y) for dot in drawn.dots}
    assert len(points) == 12
    assert [dot.number for dot in drawn.dots] == list(range(1, 13))


def test_a_name_on_the_map_stands_over_no_dot_and_over_no_other_name():
    class Place:
        def __init__(self, lat: float, lng: float) -> None:
            self.lat, self.lng = lat, lng

    places = [Place(49.4107, 0.1666), Place(49.3953, 0.2069), Place(49.4189, 0.2333)]
    drawn = town_map(lat=49.4189, lng=0.2333, radius_km=10, things=places)

    assert {"Pennedepie", "Équemauville"} <= {label.name for label in drawn.labels}
    for label in drawn.labels:
        assert all(abs(dot.y - (label.y - 6)) > 20 or abs(dot.x - label.x) > 20 for dot in drawn.dots)
    for one, other in itertools.combinations(drawn.labels, 2):
        assert abs(one.y - other.y) >= 22 or abs(one.x - other.x) > 40


def test_the_towns_water_is_not_drawn_on_the_other_side_of_the_earth():
    assert town_map(lat=49.4, lng=0.2, radius_km=5, things=[]).water.startswith("M")
    assert town_map(lat=0, lng=179.9, radius_km=5, things=[]).water == ""
