"""What nobody should try: the services refuse it by name, keep the books, and let no database error out."""

import datetime as dt
from functools import partialmethod
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from holdfast.conf import load_backend
from holdfast.money import Money
from holdfast.testing import race
from holdfast_artisan_shop import exceptions, services
from holdfast_artisan_shop.backends.dummy import DummyGateway
from holdfast_artisan_shop.exceptions import ShopError
from holdfast_artisan_shop.models import Hold, Order, Payment, Purchase, Slot, Stock
from holdfast_artisan_shop.ports import Answer
from holdfast_artisan_shop.services import Choice
from holdfast_artisan_shop.services.stock import MAX_PIECES
from holdfast_artisan_shop.states import CouponKind, Fulfillment, OrderState, PaymentState
from holdfast_artisan_shop.testing import make_order, make_product, make_shop, make_user, the_variant
from tests.artisan_shop.books import check_books, figures, item
from tests.artisan_shop.test_api import client_of

pytestmark = pytest.mark.django_db

UNSTORABLE = ["a\0b", "half of a pair: \ud800"]


def place(bob, shop, *items, **options):
    return services.place_order(customer_id=bob.pk, shop_id=shop.pk, items=items, **options)


# Keys


def test_a_key_that_was_used_for_something_else_is_refused(bob, shop, bowl, cup):
    first = place(bob, shop, item(bowl), key="k")
    assert place(bob, shop, item(bowl), key="k").pk == first.pk
    for other in ([item(bowl, 2)], [item(cup)], [item(bowl), item(cup)]):
        with pytest.raises(exceptions.KeyReused):
            place(bob, shop, *other, key="k")
    with pytest.raises(exceptions.KeyReused):
        place(bob, shop, item(bowl), choice=Choice(note="Blue, please"), key="k")
    with pytest.raises(exceptions.KeyReused):
        services.checkout(customer_id=bob.pk, key="k")
    assert figures(bowl) == (10, 0, 1)
    assert place(make_user(), shop, item(cup), key="k").pk != first.pk


def test_the_key_of_a_checkout_is_of_its_choices(bob, shop, bowl):
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk)
    choices = {shop.pk: Choice(note="Blue")}
    first = services.checkout(customer_id=bob.pk, choices=choices, key="k")
    assert services.checkout(customer_id=bob.pk, choices=choices, key="k").pk == first.pk
    with pytest.raises(exceptions.KeyReused):
        services.checkout(customer_id=bob.pk, choices={shop.pk: Choice(note="Red")}, key="k")


@pytest.mark.parametrize("key", [*UNSTORABLE, "", "x" * 256])
def test_a_key_that_cannot_be_stored_is_refused(bob, shop, bowl, key):
    with pytest.raises(exceptions.TextInvalid):
        place(bob, shop, item(bowl), key=key)


# Texts


@pytest.mark.parametrize("text", UNSTORABLE)
def test_a_text_that_cannot_be_stored_is_refused_by_each_verb(ada, bob, shop, bowl, category, text):
    variant_id = the_variant(bowl).pk
    order = make_order(customer=bob, product=bowl, state=OrderState.COMPLETED)
    unpaid = make_order(customer=bob, product=bowl)
    slot = make_slot(ada, shop)
    ours = {"actor_id": ada.pk}
    tries = [
        lambda: place(bob, shop, item(bowl), choice=Choice(note=text)),
        lambda: place(bob, shop, item(bowl), choice=Choice(slot_id=slot.pk, address=text)),
        lambda: place(bob, shop, item(bowl), choice=Choice(coupon_code=text)),
        lambda: services.cancel_order(order_id=unpaid.pk, customer_id=bob.pk, reason=text),
        lambda: services.decline_order(order_id=unpaid.pk, reason=text, **ours),
        lambda: services.receive_stock(variant_id=variant_id, quantity=1, note=text, **ours),
        lambda: services.correct_stock(variant_id=variant_id, difference=1, note=text, **ours),
        lambda: services.change_shop(shop_id=shop.pk, description=text, **ours),
        lambda: services.change_product(product_id=bowl.pk, name=text, **ours),
        lambda: services.change_variant(variant_id=variant_id, sku=text, **ours),
        lambda: services.change_variant(variant_id=variant_id, options={"color": text}, **ours),
        lambda: services.create_category(name=text),
        lambda: services.create_coupon(shop_id=shop.pk, code=text, percent=5, **ours),
        lambda: services.write_review(product_id=bowl.pk, customer_id=bob.pk, rating=5, text=text),
        lambda: services.change_shop(shop_id=shop.pk, time_zone=text, **ours),
    ]
    for number, attempt in enumerate(tries):
        try:
            attempt()
        except ShopError:
            continue
        pytest.fail(f"attempt {number} was accepted")
    assert order.pk
    check_books()


@pytest.mark.parametrize("text", [*UNSTORABLE, "x" * 501])
def test_a_note_of_a_delivery_that_cannot_be_stored_is_refused(ada, bob, shop, bowl, text):
    slot = make_slot(ada, shop, kind=Fulfillment.PICKUP)
    order = make_order(customer=bob, product=bowl, state=OrderState.READY, choice=Choice(slot_id=slot.pk))
    for verb in (services.deliver, services.fail_delivery):
        with pytest.raises(exceptions.TextInvalid):
            verb(order_id=order.pk, actor_id=ada.pk, note=text)
    assert Order.objects.get().state == OrderState.READY


def test_a_note_of_the_stock_that_is_too_long_is_refused(ada, bowl):
    with pytest.raises(exceptions.TextInvalid):
        services.receive_stock(variant_id=the_variant(bowl).pk, actor_id=ada.pk, quantity=1, note="x" * 201)


# Figures


def test_more_pieces_than_a_stock_can_count_are_refused(ada, bowl):
    variant_id = the_variant(bowl).pk
    with pytest.raises(exceptions.QuantityInvalid):
        services.receive_stock(variant_id=variant_id, actor_id=ada.pk, quantity=MAX_PIECES)
    with pytest.raises(exceptions.CorrectionInvalid):
        services.correct_stock(variant_id=variant_id, actor_id=ada.pk, difference=MAX_PIECES)
    assert Stock.objects.get().on_hand == 10
    check_books()


def test_an_order_that_costs_more_than_can_be_counted_is_refused(settings, bob, ada, shop, category):
    settings.HOLDFAST_ARTISAN_SHOP = {"FEE_PERCENT": 10.0, "MAX_LINES": 100}
    palaces = [
        make_product(shop=shop, category=category, price="100000000000.00", stock=0, made_to_order=True)
        for _number in range(50)
    ]
    for palace in palaces:
        services.change_variant(
            variant_id=the_variant(palace).pk, actor_id=ada.pk, extra=Money("100000000000.00", "EUR")
        )
    with pytest.raises(exceptions.OrderTooLarge):
        place(bob, shop, *(item(palace, 10_000) for palace in palaces))
    assert place(bob, shop, item(palaces[0], 1)).total_minor == 2 * 10**13


def test_what_is_made_to_order_since_it_was_held_is_not_held_for_ever(ada, bob, shop, bowl):
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk, quantity=4)
    services.hold_basket(customer_id=bob.pk)
    services.change_product(product_id=bowl.pk, actor_id=ada.pk, made_to_order=True)
    services.checkout(customer_id=bob.pk)
    assert (figures(bowl), Hold.objects.count()) == ((10, 0, 0), 0)
    check_books()


def test_pieces_of_holds_that_are_over_can_be_corrected_away(ada, bob, shop, bowl):
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk, quantity=10)
    services.hold_basket(customer_id=bob.pk)
    Hold.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    services.correct_stock(variant_id=the_variant(bowl).pk, actor_id=ada.pk, difference=-10)
    assert figures(bowl) == (0, 0, 0)
    check_books()


# Scopes


def test_nobody_is_not_everybody(bob, shop, bowl):
    order = make_order(customer=bob, product=bowl)
    for verb in (services.cancel_order, services.pay_order):
        with pytest.raises(exceptions.OrderNotFound):
            verb(order_id=order.pk, customer_id=None)
    for verb in (services.decline_order, services.start_order, services.finish_order, services.complete_order):
        with pytest.raises(exceptions.OrderNotFound):
            verb(order_id=order.pk, actor_id=None)
    assert Order.objects.get().state == OrderState.PENDING


# Times


def make_slot(ada, shop, **values):
    later = timezone.now() + dt.timedelta(days=2)
    given = {
        "kind": Fulfillment.DELIVERY,
        "weekday": later.weekday(),
        "starts": dt.time(10),
        "ends": dt.time(12),
        "capacity": 5,
        **values,
    }
    services.add_slot_pattern(shop_id=shop.pk, actor_id=ada.pk, **given)
    return Slot.objects.order_by("starts_at").first()


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        (dt.datetime(2030, 1, 1), dt.datetime(2030, 1, 2)),  # noqa: DTZ001 - naive on purpose
        (dt.datetime(2030, 1, 1, tzinfo=dt.UTC), dt.datetime(2030, 1, 2)),  # noqa: DTZ001 - as above
        (
            dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
            dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-12))),
        ),
        (dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=12))), dt.datetime(2030, 1, 1, tzinfo=dt.UTC)),
    ],
)
def test_a_time_without_a_zone_or_out_of_all_calendars_is_refused(ada, shop, bowl, starts_at, ends_at):
    with pytest.raises(exceptions.PeriodInvalid):
        services.schedule_flash_sale(
            product_id=bowl.pk, actor_id=ada.pk, price=Money("5.00", "EUR"), starts_at=starts_at, ends_at=ends_at
        )
    with pytest.raises(exceptions.PeriodInvalid):
        services.create_coupon(
            shop_id=shop.pk, actor_id=ada.pk, code="X", percent=5, starts_at=starts_at, ends_at=ends_at
        )


@pytest.mark.parametrize("day", [dt.date.min, dt.date.max])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
def test_a_day_out_of_all_calendars_cannot_be_closed(ada, shop, day, zone):
    services.change_shop(shop_id=shop.pk, actor_id=ada.pk, time_zone=zone)
    with pytest.raises(exceptions.PeriodInvalid):
        services.close_days(shop_id=shop.pk, actor_id=ada.pk, first_day=day, last_day=day)


def test_a_shop_that_changes_its_time_zone_has_its_slots_by_the_new_one(ada, bob, shop, bowl):
    booked = make_slot(ada, shop, kind=Fulfillment.PICKUP)
    place(bob, shop, item(bowl), choice=Choice(slot_id=booked.pk))
    services.change_shop(shop_id=shop.pk, actor_id=ada.pk, time_zone="Asia/Tokyo")
    services.generate_slots()
    assert {slot.starts_at.hour for slot in Slot.objects.exclude(pk=booked.pk)} == {1}
    assert Slot.objects.get(pk=booked.pk).booked == 1


def test_half_a_location_is_no_location(ada, bob, shop, bowl):
    slot = make_slot(ada, shop)
    for half in ({"lat": 52.5}, {"lng": float("nan")}):
        with pytest.raises(exceptions.LocationInvalid):
            place(bob, shop, item(bowl), choice=Choice(slot_id=slot.pk, address="Main Street 1", **half))


# Flash sales and coupons


def test_what_a_cancelled_order_took_of_a_flash_sale_and_a_coupon_comes_back_once(ada, bob, shop, bowl):
    now = timezone.now()
    sale = services.schedule_flash_sale(
        product_id=bowl.pk,
        actor_id=ada.pk,
        price=Money("5.00", "EUR"),
        starts_at=now - dt.timedelta(minutes=1),
        ends_at=now + dt.timedelta(hours=1),
        quantity=3,
    )
    coupon = services.create_coupon(shop_id=shop.pk, actor_id=ada.pk, code="ONE", percent=10, max_uses=1)
    assert coupon.kind == CouponKind.PERCENT
    order = place(bob, shop, item(bowl, 3), choice=Choice(coupon_code="ONE"))
    assert order.total_minor == 1350
    services.cancel_order(order_id=order.pk, customer_id=bob.pk)
    with pytest.raises(exceptions.OrderStepNotAllowed):
        services.cancel_order(order_id=order.pk, customer_id=bob.pk)
    sale.refresh_from_db()
    coupon.refresh_from_db()
    assert (sale.sold, coupon.used) == (0, 0)
    assert place(bob, shop, item(bowl, 3), choice=Choice(coupon_code="ONE")).total_minor == 1350


def test_a_flash_sale_that_ends_while_it_is_in_a_basket_changes_the_price(ada, bob, shop, bowl):
    now = timezone.now()
    sale = services.schedule_flash_sale(
        product_id=bowl.pk,
        actor_id=ada.pk,
        price=Money("5.00", "EUR"),
        starts_at=now - dt.timedelta(minutes=1),
        ends_at=now + dt.timedelta(hours=1),
    )
    services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk)
    services.end_flash_sale(flash_sale_id=sale.pk, actor_id=ada.pk)
    with pytest.raises(exceptions.PriceChanged):
        services.checkout(customer_id=bob.pk)
    assert Purchase.objects.count() == 0


def test_a_slot_of_another_shop_is_not_found(ada, bob, shop, bowl):
    other = make_shop(owner=ada, name="Other")
    slot = make_slot(ada, other, kind=Fulfillment.PICKUP)
    with pytest.raises(exceptions.SlotNotFound):
        place(bob, shop, item(bowl), choice=Choice(slot_id=slot.pk))


# Payments


class Refusing(DummyGateway):
    """A gateway that says no to one verb, in words that no database stores."""

    verb = ""

    def _answer(self, verb, charge):
        said = {"reference": None, "reason": "no\0 \ud800" + "x" * 1000}
        return Answer(accepted=verb != type(self).verb, **said)

    authorize = partialmethod(_answer, "authorize")
    capture = partialmethod(_answer, "capture")
    release = partialmethod(_answer, "release")
    refund = partialmethod(_answer, "refund")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("verb", "state", "step", "ends"),
    [
        ("capture", OrderState.READY, "complete_order", "captured"),
        ("release", OrderState.PAID, "decline_order", "released"),
        ("refund", OrderState.COMPLETED, "refund_order", "refunded"),
    ],
)
def test_what_the_gateway_refused_is_asked_for_again_by_a_person(
    settings, monkeypatch, ada, bob, bowl, verb, state, step, ends
):
    settings.HOLDFAST_ARTISAN_SHOP = {"PAYMENT": {"BACKEND": "tests.artisan_shop.test_hostile.Refusing"}}
    gateway = type(load_backend(settings.HOLDFAST_ARTISAN_SHOP["PAYMENT"]))
    monkeypatch.setattr(gateway, "verb", verb)
    order = make_order(customer=bob, product=bowl, state=state)
    scope = {"order_id": order.pk, "actor_id": ada.pk}
    with pytest.raises(exceptions.PaymentStepNotAllowed):
        services.retry_payment(**scope)
    getattr(services, step)(**scope)
    assert (Payment.objects.get().state, Payment.objects.get().reason[:3]) == (PaymentState.FAILED, "no ")
    services.retry_payment(**scope)
    assert Payment.objects.get().state == PaymentState.FAILED
    monkeypatch.setattr(gateway, "verb", "")
    with pytest.raises(exceptions.OrderNotFound):
        services.retry_payment(order_id=order.pk, actor_id=bob.pk)
    services.retry_payment(**scope)
    assert (Payment.objects.get().state, Payment.objects.get().reason) == (ends, "")
    with pytest.raises(exceptions.PaymentStepNotAllowed):
        services.retry_payment(**scope)
    check_books()


@pytest.mark.django_db(transaction=True)
def test_an_artisan_asks_the_gateway_again_over_the_api_and_the_customer_does_not(
    settings, monkeypatch, ada, bob, bowl
):
    settings.HOLDFAST_ARTISAN_SHOP = {"PAYMENT": {"BACKEND": "tests.artisan_shop.test_hostile.Refusing"}}
    gateway = type(load_backend(settings.HOLDFAST_ARTISAN_SHOP["PAYMENT"]))
    monkeypatch.setattr(gateway, "verb", "capture")
    order = make_order(customer=bob, product=bowl, state=OrderState.COMPLETED)
    path, artisan = f"/api/market/orders/{order.pk}/retry-payment/", client_of(ada)
    for other in (client_of(bob), client_of(make_user())):
        refused = other.post(path)
        assert (refused.status_code, refused.json()["code"]) == (404, "holdfast_artisan_shop.order_not_found")
    assert artisan.post(path, {"state": "captured"}, format="json").status_code == 400

    again = artisan.post(path, headers={"Idempotency-Key": "first"}).json()["payment"]
    assert (again["state"], again["reason"][:3]) == ("failed", "no ")
    monkeypatch.setattr(gateway, "verb", "")
    assert artisan.post(path, headers={"Idempotency-Key": "first"}).json()["payment"] == again
    taken = [artisan.post(path, headers={"Idempotency-Key": "second"}) for _time in range(2)]
    assert [(one.status_code, one.json()["payment"]["state"]) for one in taken] == [(200, "captured")] * 2
    done = artisan.post(path)
    assert (done.status_code, done.json()["code"]) == (409, "holdfast_artisan_shop.payment_step_not_allowed")
    check_books()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_four_who_ask_again_one_does(settings, monkeypatch, ada, bob, bowl):
    settings.HOLDFAST_ARTISAN_SHOP = {"PAYMENT": {"BACKEND": "tests.artisan_shop.test_hostile.Refusing"}}
    gateway = type(load_backend(settings.HOLDFAST_ARTISAN_SHOP["PAYMENT"]))
    monkeypatch.setattr(gateway, "verb", "capture")
    order = make_order(customer=bob, product=bowl, state=OrderState.COMPLETED)
    monkeypatch.setattr(gateway, "verb", "")
    outcomes = race(lambda: services.retry_payment(order_id=order.pk, actor_id=ada.pk))
    assert sum(isinstance(one, exceptions.PaymentStepNotAllowed) for one in outcomes) == 3
    assert Payment.objects.get().state == PaymentState.CAPTURED


@pytest.mark.django_db(transaction=True)
def test_a_refusal_in_words_that_cannot_be_stored_is_a_refusal(settings, monkeypatch, bob, bowl):
    settings.HOLDFAST_ARTISAN_SHOP = {"PAYMENT": {"BACKEND": "tests.artisan_shop.test_hostile.Refusing"}}
    monkeypatch.setattr(type(load_backend(settings.HOLDFAST_ARTISAN_SHOP["PAYMENT"])), "verb", "authorize")
    order = make_order(customer=bob, product=bowl)
    with pytest.raises(exceptions.PaymentDeclined):
        services.pay_order(order_id=order.pk, customer_id=bob.pk)


@pytest.mark.parametrize(
    ("day", "starts", "ends", "hours"),
    [
        # Clocks go forward: the hour is gone, and what is around it is shorter.
        (dt.date(2027, 3, 28), dt.time(2), dt.time(3), None),
        (dt.date(2027, 3, 28), dt.time(1), dt.time(4), 2),
        # Clocks go back: what is around the hour that comes twice is longer.
        (dt.date(2027, 10, 31), dt.time(1), dt.time(4), 4),
        (dt.date(2027, 10, 31), dt.time(2), dt.time(3), 2),
    ],
)
def test_on_a_day_on_which_the_clock_is_set_slots_are_as_long_as_they_last(
    monkeypatch, ada, shop, day, starts, ends, hours
):
    services.change_shop(shop_id=shop.pk, actor_id=ada.pk, time_zone="Europe/Berlin")
    before = dt.datetime.combine(day - dt.timedelta(days=8), dt.time(12), dt.UTC)
    monkeypatch.setattr(timezone, "now", lambda: before)
    make_slot(ada, shop, weekday=6, starts=starts, ends=ends)
    slots = {one.starts_at.astimezone(ZoneInfo("Europe/Berlin")).date(): one for one in Slot.objects.all()}
    found = slots.get(day)
    assert (found and (found.ends_at - found.starts_at) / dt.timedelta(hours=1)) == hours
    assert services.generate_slots() == 0
