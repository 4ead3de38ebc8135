"""What a verb reads it reads where it writes: a replica that lags behind must not say that something is not there."""

import datetime as dt
import inspect
import re

import pytest
from django.contrib.auth.models import Permission
from django.test import override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from holdfast.ids import uuid7
from holdfast.money import Money
from holdfast_artisan_shop import exceptions, services, urls
from holdfast_artisan_shop.backends.dummy import DummyGateway
from holdfast_artisan_shop.models import Hold, Order, Payment, Slot, Variant
from holdfast_artisan_shop.ports import Answer
from holdfast_artisan_shop.services import Choice, Item
from holdfast_artisan_shop.states import OrderState, PaymentState
from holdfast_artisan_shop.testing import make_category, make_order, make_product, make_shop, make_user
from tests.foundation.routers import a_primary_and_a_replica

pytestmark = pytest.mark.django_db

VERBS = {name for name in services.__all__ if inspect.isfunction(getattr(services, name))}
DOORS = {
    (route.name, method)
    for route in urls.urlpatterns
    for method in ("post", "put", "patch", "delete")
    if hasattr(route.callback.view_class, method)
}
API = "/api/market"
# What is another one each time.
OWN = re.compile(r'"[0-9a-f]{8}-[0-9a-f-]{27}"|"20\d\d-\d\d-\d\d[T ][^"]*"|"(?:id|customer|user)":\d+|"[0-9A-F]{10}"')


class Verbs:
    """The verbs, and the names of those that have succeeded."""

    def __init__(self):
        self.done = set()

    def __getattr__(self, name):
        verb = getattr(services, name)

        def call(**asked):
            answer = verb(**asked)
            self.done.add(name)
            return answer

        return call


class Refusing(DummyGateway):
    """Sets money aside, and does not give it out."""

    def capture(self, charge):
        return Answer(accepted=False, reason="empty")


REFUSING = {"PAYMENT": {"BACKEND": "tests.artisan_shop.test_primary.Refusing"}}


def test_no_verb_asks_a_replica_and_none_is_left_out():
    verbs = Verbs()
    with a_primary_and_a_replica("holdfast_artisan_shop"):
        for story in (keep_a_shop, offer, keep_stock, fill_baskets, buy, bring, make_without_slots, look_back):
            story(verbs)
    assert verbs.done == VERBS


def test_the_api_answers_as_without_a_replica_and_no_door_is_left_out():
    alone, doors = converse()
    assert doors == DOORS
    with a_primary_and_a_replica("holdfast_artisan_shop"):
        assert converse()[0] == alone


# What the verbs do


def keep_a_shop(do):
    ada, eve, today = make_user(), make_user(), timezone.now().date()
    told = {"owner_id": ada.pk, "name": "Ada's", "currency": "EUR", "lat": 52.52, "lng": 13.405}
    shop = do.open_shop(**told)
    with pytest.raises(exceptions.ShopNameTaken):
        do.open_shop(**told)
    mine = {"shop_id": shop.pk, "actor_id": ada.pk}
    do.publish_shop(**mine)
    do.go_on_holiday(**mine)
    make_product(shop=shop)
    span = {"weekday": 0, "starts": dt.time(9), "ends": dt.time(10), "capacity": 3}
    pattern = do.add_slot_pattern(**mine, kind="pickup", **span)
    do.change_shop(**mine, name="Eve's", lat=1.0, time_zone="Europe/Berlin")
    with pytest.raises(exceptions.VersionOutdated):
        do.change_shop(**mine, expected_version=1)
    do.close_days(**mine, first_day=today, last_day=today)
    do.generate_slots()
    do.remove_slot_pattern(pattern_id=pattern.pk, actor_id=ada.pk)
    for _time in range(2):
        do.invite_member(**mine, user_id=eve.pk)
    with pytest.raises(exceptions.UserUnknown):
        do.invite_member(**mine, user_id=0)
    with pytest.raises(exceptions.NotTheOwner):
        do.close_shop(shop_id=shop.pk, actor_id=eve.pk)
    do.remove_member(**mine, user_id=eve.pk)
    do.close_shop(**mine)


def offer(do):
    shop, now = make_shop(), timezone.now()
    crafts = do.create_category(name="Crafts")
    bowls = do.create_category(name="Bowls", parent_id=crafts.pk)
    with pytest.raises(exceptions.CategoryInUse):
        do.delete_category(category_id=crafts.pk)
    do.change_category(category_id=bowls.pk, name="Large bowls", parent_id=None)
    do.delete_category(category_id=crafts.pk)
    actor = {"actor_id": shop.owner_id}
    named = {"name": "Bowl", "price": Money("10.00", "EUR"), "category_id": bowls.pk}
    bowl = do.create_product(shop_id=shop.pk, **actor, **named, stock=3)
    mine = {"product_id": bowl.pk, **actor}
    do.change_product(**mine, **named, location=None)
    blue = do.add_variant(**mine, stock=5, options={"color": "blue"})
    with pytest.raises(exceptions.OptionsInvalid):
        do.add_variant(**mine, options={"color": "blue"})
    changed = do.change_variant(variant_id=blue.pk, **actor, sku="B")
    assert (changed.product.pk, changed.stock.free) == (bowl.pk, 5)
    do.set_images(**mine, images=[("https://pictures.example/1.jpg", "A bowl")])
    sale = {"price": Money("5.00", "EUR"), "starts_at": now, "ends_at": now + dt.timedelta(hours=1)}
    flash = do.schedule_flash_sale(**mine, **sale)
    with pytest.raises(exceptions.FlashSaleOverlaps):
        do.schedule_flash_sale(**mine, **sale)
    do.end_flash_sale(flash_sale_id=flash.pk, **actor)
    do.retire_product(**mine)


def keep_stock(do):
    bowl = make_product(stock=3)
    variant, me = {"variant_id": the_variant(bowl)}, {"customer_id": make_user().pk}
    mine = {**variant, "actor_id": bowl.shop.owner_id}
    assert do.receive_stock(**mine, quantity=2).free == 5
    do.correct_stock(**mine, difference=-5)
    with pytest.raises(exceptions.StockInUse):
        do.correct_stock(**mine, difference=-1)
    do.set_threshold(**mine, low_at=0)
    for _time in range(2):
        do.request_back_in_stock(**variant, **me)
    do.withdraw_back_in_stock(**variant, **me)
    do.request_back_in_stock(**variant, **me)
    do.receive_stock(**mine, quantity=1)
    with pytest.raises(exceptions.BackInStockRequestNotFound):  # told, and forgotten
        do.withdraw_back_in_stock(**variant, **me)


def fill_baskets(do):
    bowl = make_product(stock=3)
    variant, mine, others = {"variant_id": the_variant(bowl)}, *({"customer_id": make_user().pk} for _one in range(2))
    for _time in range(2):
        do.add_to_basket(**mine, product_id=bowl.pk)
    with pytest.raises(exceptions.QuantityInvalid):
        do.add_to_basket(**mine, **variant, quantity=10_000)
    do.set_basket_quantity(**mine, **variant, quantity=3)
    do.add_to_basket(**others, **variant)
    (line,) = do.accept_prices(**mine)
    assert line.quantity == 3
    for _time in range(2):
        do.hold_basket(**mine)
    with pytest.raises(exceptions.SoldOut):
        do.hold_basket(**others)
    expired = {"expires_at": timezone.now() - dt.timedelta(seconds=1)}
    Hold.objects.using("primary").update(**expired)
    do.hold_basket(**others)
    do.release_holds(**others)
    do.hold_basket(**mine)
    Hold.objects.using("primary").update(**expired)
    assert do.expire_holds() == 1
    do.remove_from_basket(**mine, **variant)
    with pytest.raises(exceptions.VariantNotFound):
        do.remove_from_basket(**mine, **variant)
    do.empty_basket(**others)


def buy(do):
    shop, me, now = make_shop(), {"customer_id": make_user().pk}, timezone.now()
    bowl, actor = make_product(shop=shop, stock=3), {"actor_id": shop.owner_id}
    sale = {"price": Money("5.00", "EUR"), "starts_at": now, "ends_at": now + dt.timedelta(hours=1), "quantity": 2}
    do.schedule_flash_sale(product_id=bowl.pk, **actor, **sale)
    coupon = do.create_coupon(shop_id=shop.pk, **actor, code="TEN", percent=10)
    with pytest.raises(exceptions.CodeTaken):
        do.create_coupon(shop_id=shop.pk, **actor, code="TEN", percent=10)
    do.add_to_basket(**me, product_id=bowl.pk, quantity=2)
    choices = {shop.pk: Choice(slot_id=make_slot(shop).pk, address="Torstraße 1", coupon_code="TEN")}
    (draft,) = do.quote_checkout(**me, choices=choices)
    assert (draft.order.shop.name, draft.order.total_minor) == (shop.name, 900)
    bought = do.checkout(**me, choices=choices, key="mine")
    assert do.checkout(**me, choices=choices, key="mine").pk == bought.pk
    with pytest.raises(exceptions.KeyReused):
        do.checkout(**me, key="mine")
    for _time in range(2):
        (order,) = do.pay_purchase(purchase_id=bought.pk, **me)
        assert order.state == OrderState.PAID
    do.cancel_order(order_id=order.pk, **me, reason="Twice")
    assert do.settle_payments() == 1
    do.end_coupon(coupon_id=coupon.pk, **actor)


def bring(do):
    shop, me = make_shop(), {"customer_id": make_user().pk}
    bowl, actor, slots = make_product(shop=shop), {"actor_id": shop.owner_id}, [make_slot(shop) for _one in range(2)]
    choice = Choice(slot_id=slots[0].pk, address="Torstraße 1")
    items = [Item(variant_id=the_variant(bowl), quantity=1)]
    asked = {**me, "shop_id": shop.pk, "items": items, "choice": choice, "key": "mine"}
    order = {"order_id": do.place_order(**asked).pk}
    assert do.place_order(**asked).pk == order["order_id"]
    do.reschedule_delivery(**order, **me, slot_id=slots[1].pk)
    do.pay_order(**order, **me)
    do.start_order(**order, **actor)
    do.finish_order(**order, **actor)
    assert do.remind_of_deliveries() == 1
    do.send_delivery(**order, **actor)
    do.fail_delivery(**order, **actor, note="Nobody there")
    do.reschedule_delivery(**order, **actor, slot_id=slots[0].pk)
    with pytest.raises(exceptions.NotBought):
        do.write_review(product_id=bowl.pk, **me, rating=5)
    do.deliver(**order, **actor)
    assert do.read_tracking_token(token=do.tracking_token(**order)) == order["order_id"]
    do.write_review(product_id=bowl.pk, **me, rating=5)
    with pytest.raises(exceptions.ReviewExists):
        do.write_review(product_id=bowl.pk, **me, rating=5)
    do.roll_up_order(**order)
    do.settle_payment(payment_id=payment_of(order["order_id"]).pk)
    do.refund_order(**order, **actor, restock=True)
    do.settle_payment(payment_id=payment_of(order["order_id"]).pk)
    assert payment_of(order["order_id"]).state == PaymentState.REFUNDED


def make_without_slots(do):
    bowl = make_product()
    actor = {"actor_id": bowl.shop.owner_id}
    order = {"order_id": make_order(product=bowl, state=OrderState.READY).pk}
    do.complete_order(**order, **actor)
    with override_settings(HOLDFAST_ARTISAN_SHOP=REFUSING):
        do.settle_payments()
    assert payment_of(order["order_id"]).state == PaymentState.FAILED
    do.retry_payment(**order, **actor)
    do.settle_payments()
    assert payment_of(order["order_id"]).state == PaymentState.CAPTURED
    do.decline_order(order_id=make_order(product=bowl).pk, **actor)
    with pytest.raises(exceptions.OrderStepNotAllowed):
        do.decline_order(**order, **actor)
    unpaid = make_order(product=bowl)
    Order.objects.using("primary").filter(pk=unpaid.pk).update(placed_at=timezone.now() - dt.timedelta(days=1))
    assert do.expire_orders() == 1
    do.tidy()


def look_back(do):
    shop, category = make_shop(), make_category()
    bowl, cup = (make_product(shop=shop, category=category) for _one in range(2))
    items = [Item(product_id=one.pk, quantity=2) for one in (bowl, cup)]
    for _time in range(2):
        order = services.place_order(customer_id=make_user().pk, shop_id=shop.pk, items=items)
        services.pay_order(order_id=order.pk, customer_id=order.customer_id)
        services.finish_order(order_id=order.pk, actor_id=shop.owner_id)
        services.complete_order(order_id=order.pk, actor_id=shop.owner_id)
    assert do.rebuild_sales(shop_id=shop.pk, days=None) == 1
    do.refresh_together(product_ids=[bowl.pk])
    do.refresh_popularity()
    do.refresh_vocabulary()
    do.roll_up()


# What is said over the API


def converse():
    """Write through every door; return what was answered, without what is another one each time, and the doors."""
    answers, doors = [], set()
    ada, bob, staff = make_user(), make_user(), make_user(is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(content_type__model="category"))

    def says(user):
        client = APIClient()
        client.force_authenticate(user)

        def say(method, path, body=None, **headers):
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            response = getattr(client, method)(f"{API}/{path}", body, format="json", headers=headers)
            assert response.status_code < 300, (method, path, response.content)
            doors.add((response.resolver_match.url_name, method))
            answers.append((method, response.status_code, OWN.sub("_", response.content.decode())))
            answer = response.json() if response.content else {}
            return answer | {"tag": response["ETag"]} if "ETag" in response else answer

        return say

    artisan, customer = says(ada), says(bob)
    shop, product = keep_a_shop_online(artisan, says(staff), make_user())
    keep_stock_online(artisan, customer, product["variants"][0]["id"])
    sell_online(artisan, customer, shop, product)
    retire_online(artisan, shop, product)
    return answers, doors


def keep_a_shop_online(artisan, staff, eve):
    shop = artisan("post", "shops/", {"name": "Ada's", "currency": "EUR", "lat": 52.52, "lng": 13.405})
    of_shop = f"shops/{shop['id']}/"
    artisan("patch", of_shop, {"description": "Bowls"}, If_Match=shop["tag"])
    artisan("post", f"{of_shop}publish/")
    artisan("post", f"{of_shop}holiday/")
    artisan("post", f"{of_shop}publish/")
    artisan("post", f"{of_shop}members/", {"user": eve.pk})
    artisan("delete", f"{of_shop}members/{eve.pk}/")
    span = {"kind": "pickup", "weekday": 0, "starts": "09:00", "ends": "10:00", "capacity": 3, "fee": euros("1.00")}
    pattern = artisan("post", f"{of_shop}slot-patterns/", span)
    artisan("delete", f"slot-patterns/{pattern['id']}/")
    artisan("post", f"{of_shop}closures/", {"first_day": "2040-01-01", "last_day": "2040-01-02"})
    crafts, bowls = (staff("post", "categories/", {"name": str(uuid7())}) for _one in range(2))
    staff("patch", f"categories/{bowls['id']}/", {"parent": crafts["id"]})
    staff("patch", f"categories/{bowls['id']}/", {"parent": None})
    staff("delete", f"categories/{crafts['id']}/")
    named = {"shop": shop["id"], "category": bowls["id"], "name": "Bowl", "price": euros("10.00"), "stock": 9}
    product = artisan("post", "products/", named)
    return shop, product


def keep_stock_online(artisan, customer, variant_id):
    path = f"variants/{variant_id}/"
    assert artisan("post", f"{path}stock/receive/", {"quantity": 2})["free"] == 11
    assert artisan("post", f"{path}stock/correct/", {"difference": -1})["free"] == 10
    assert artisan("patch", f"{path}stock/", {"low_at": 2})["low_at"] == 2
    customer("post", f"{path}back-in-stock/")
    customer("delete", f"{path}back-in-stock/")


def sell_online(artisan, customer, shop, product):
    of_product, variant_id = f"products/{product['id']}/", product["variants"][0]["id"]
    span = {"starts_at": timezone.now().isoformat(), "ends_at": (timezone.now() + dt.timedelta(hours=1)).isoformat()}
    sale = artisan("post", f"{of_product}flash-sales/", {"price": euros("9.00"), **span})
    customer("post", "basket/", {"product_id": product["id"]})
    customer("put", f"basket/{variant_id}/", {"quantity": 2})
    artisan("delete", f"flash-sales/{sale['id']}/")
    (line,) = customer("post", "basket/accept-prices/")["lines"]
    assert (line["unit_price"], line["quantity"]) == (euros("10.00"), 2)
    coupon = artisan("post", f"shops/{shop['id']}/coupons/", {"code": "TEN", "percent": 10})
    choices = {"choices": [{"shop_id": shop["id"], "coupon": "TEN"}]}
    assert customer("post", "basket/quote/", choices)["totals"] == [euros("18.00")]
    customer("post", "basket/hold/")
    customer("delete", "basket/hold/")
    bought = customer("post", "checkout/", choices, Idempotency_Key="checkout")
    assert customer("post", "checkout/", choices, Idempotency_Key="checkout") == bought
    (paid,) = customer("post", f"purchases/{bought['id']}/pay/")["orders"]
    assert (paid["state"], paid["payment"]["state"], len(paid["lines"])) == ("paid", "authorized", 1)
    artisan("delete", f"coupons/{coupon['id']}/")
    artisan("post", f"orders/{paid['id']}/decline/")
    customer("post", "basket/", {"variant_id": variant_id})
    customer("delete", f"basket/{variant_id}/")
    customer("delete", "basket/")
    deliver_online(artisan, customer, shop, product)
    hand_over_online(artisan, customer, shop, product)


def deliver_online(artisan, customer, shop, product):
    slots = [make_slot(shop["id"]) for _one in range(2)]
    item = {"product_id": product["id"], "quantity": 1}
    brought = {"slot": str(slots[0].pk), "address": "Torstraße 1"}
    order = customer("post", "orders/", {"shop_id": shop["id"], "items": [item], **brought})
    path = f"orders/{order['id']}/"
    customer("post", f"{path}pay/")
    customer("post", f"{path}reschedule/", {"slot": str(slots[1].pk)})
    for step in ("start", "finish", "send", "fail"):
        artisan("post", f"{path}{step}/")
    artisan("post", f"{path}reschedule/", {"slot": str(slots[0].pk)})
    assert artisan("post", f"{path}deliver/")["delivery"]["state"] == "delivered"
    customer("post", f"products/{product['id']}/reviews/", {"rating": 5})
    services.settle_payments()
    assert artisan("post", f"{path}refund/")["payment"]["state"] == "refunding"


def hand_over_online(artisan, customer, shop, product):
    placed = {"shop_id": shop["id"], "items": [{"product_id": product["id"], "quantity": 1}]}
    customer("post", f"orders/{customer('post', 'orders/', placed)['id']}/cancel/")
    path = f"orders/{customer('post', 'orders/', placed)['id']}/"
    customer("post", f"{path}pay/")
    artisan("post", f"{path}finish/")
    assert artisan("post", f"{path}complete/")["state"] == "completed"
    with override_settings(HOLDFAST_ARTISAN_SHOP=REFUSING):
        services.settle_payments()
    assert artisan("post", f"{path}retry-payment/")["payment"]["state"] == "capturing"


def retire_online(artisan, shop, product):
    of_product = f"products/{product['id']}/"
    blue = artisan("post", f"{of_product}variants/", {"options": {"color": "blue"}, "stock": 5})
    blue = artisan("patch", f"variants/{blue['id']}/", {"sku": "B"}, If_Match=blue["tag"])
    assert blue["free"] == 5
    pictures = {"images": [{"url": "https://pictures.example/1.jpg", "alt": "A bowl"}]}
    shown = artisan("put", f"{of_product}images/", pictures)
    assert (len(shown["variants"]), shown["images"]) == (2, pictures["images"])
    changed = artisan("patch", of_product, {"name": "Cup"}, If_Match=shown["tag"])
    artisan("delete", of_product, If_Match=changed["tag"])
    artisan("post", f"shops/{shop['id']}/close/")


def euros(amount):
    return {"amount": amount, "currency": "EUR"}


def make_slot(shop):
    """A slot for delivery tomorrow at noon, by the clock of a shop that has not set one."""
    starts = dt.datetime.combine(timezone.now().date() + dt.timedelta(days=1), dt.time(12), dt.UTC)
    ends = starts + dt.timedelta(hours=2)
    span = {"starts_at": starts, "ends_at": ends, "closes_at": starts, "capacity": 1}
    return Slot.objects.create(shop_id=getattr(shop, "pk", shop), kind="delivery", **span)


def the_variant(product):
    return Variant.objects.using("primary").get(product=product).pk


def payment_of(order_id):
    return Payment.objects.using("primary").get(order_id=order_id)
