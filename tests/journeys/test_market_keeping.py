"""Stories of those who keep a shop: coupons, members, hours, days off, payouts; and of who has no business there."""

import csv
import datetime as dt
import io
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from adapters.wallet_gateway import WalletGateway
from holdfast.ids import uuid7
from holdfast.money import Money
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.ports import Answer
from holdfast_artisan_shop.selectors import keeping
from holdfast_artisan_shop.testing import make_order, make_product, make_shop
from people.selectors import find_person
from tests.journeys.visitor import Visitor

# The gateway is asked outside any transaction.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("flushable")]

Newcomer = Callable[..., Visitor]
ROOMS = ["coupons", "members", "hours", "days-off", "payouts", "payouts/statement", "slots"]


def room(bowls: Any, name: str) -> str:
    return f"/workshop/{bowls.shop_id}/{name}/"


def press(visitor: Visitor, address: str, **values: str) -> Visitor:
    visitor.page = visitor.client.post(address, values, follow=True)
    return visitor


def sold(newcomer: Newcomer, bowls: Any, username: str = "ada", **options: Any) -> Any:
    """Let somebody buy a bowl, pay it from the wallet, and have it."""
    buyer = newcomer(username)
    buyer.open("/wallet/top-up/").submit(amount="100")
    return make_order(customer=find_person(username), product=bowls, state="completed", **options)


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_of_a_shop_is_there_for_those_who_act_for_it_and_for_nobody_else(
    newcomer: Newcomer, greta: Visitor, bowls: Any, name: str
):
    greta.open(room(bowls, name))
    assert "Holm Stoneware" in greta.text

    newcomer("luca", role="artisan").open(room(bowls, name), status=404)
    assert Visitor("nobody").open(room(bowls, name)).address == "/login/"


def test_what_is_sent_to_a_room_of_a_strangers_shop_is_not_found_and_changes_nothing(newcomer: Newcomer, bowls: Any):
    shop_id, owner_id = bowls.shop_id, bowls.shop.owner_id
    coupon = services.create_coupon(shop_id=shop_id, actor_id=owner_id, code="SPRING", percent=10)
    luca = newcomer("luca", role="artisan")
    mine = make_shop(owner=find_person("luca"))
    luca_id = find_person("luca").pk
    sent = {
        room(bowls, "coupons"): {"code": "MINE", "kind": "percent", "value": "100"},
        f"{room(bowls, 'coupons')}{coupon.pk}/end/": {},
        # Through a shop of one's own one does not reach another's either.
        f"/workshop/{mine.pk}/coupons/{coupon.pk}/end/": {},
        room(bowls, "members"): {"person": "luca"},
        f"{room(bowls, 'members')}{owner_id}/remove/": {},
        room(bowls, "hours"): {"mon": "9-12", "time_zone": "UTC"},
        room(bowls, "days-off"): {"first_day": "2030-01-01", "last_day": "2030-01-02"},
        f"{room(bowls, 'shop')}holiday/": {"from": "days-off"},
    }

    for address, values in sent.items():
        assert luca.client.post(address, values).status_code == 404, address

    shop = selectors.managed_shop(shop_id=shop_id, actor_id=owner_id)
    assert (shop.state, shop.opening_hours, shop.members.count(), shop.closures.count()) == ("open", {}, 0, 0)
    assert [(one.code, one.active) for one in keeping.coupons_of(shop_id=shop_id, actor_id=owner_id)] == [
        ("SPRING", True)
    ]
    assert not selectors.shops_of(actor_id=luca_id).filter(pk=shop_id).exists()


# --- Coupons


def test_a_code_is_given_used_once_and_taken_back(newcomer: Newcomer, greta: Visitor, bowls: Any):
    coupons = room(bowls, "coupons")
    assert "No codes yet" in greta.open(coupons).text
    today = timezone.localdate()
    greta.submit(
        code="harbor-5",
        kind="amount",
        value="5,00",
        minimum="30",
        first_day=str(today - dt.timedelta(days=2)),
        last_day=str(today + dt.timedelta(days=30)),
        max_uses="20",
    )
    assert "HARBOR-5" in greta.text
    assert "5.00 EUR off, from 30.00 EUR on" in greta.text
    assert "used 0 of 20" in greta.text
    (coupon,) = keeping.coupons_of(shop_id=bowls.shop_id, actor_id=bowls.shop.owner_id)
    # To the end of its last day, where the shop is.
    assert selectors.day_of(coupon.ends_at - dt.timedelta(seconds=1), "Europe/Paris") == today + dt.timedelta(days=30)

    order = sold(newcomer, bowls, choice=services.Choice(coupon_code="harbor-5"))
    assert order.total == Money(35, "EUR")
    assert "used 1 of 20" in greta.open(coupons).text

    greta.submit(action=f"{coupons}{coupon.pk}/end/")
    assert "Nobody uses it any more." in greta.text
    assert "Taken back" in greta.text
    assert f"{coupon.pk}/end/" not in greta.text


@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        ({"kind": "percent", "value": "ten"}, 422, "Write a whole number of percent"),
        ({"kind": "percent", "value": "101"}, 422, "holdfast_artisan_shop.discount_invalid"),
        ({"kind": "percent", "value": "0"}, 422, "holdfast_artisan_shop.discount_invalid"),
        ({"kind": "amount", "value": "0"}, 422, "holdfast_artisan_shop.discount_invalid"),
        ({"kind": "amount", "value": "1,000"}, 422, "Write the amount in figures alone"),
        ({"code": "No way!"}, 422, "holdfast_artisan_shop.text_invalid"),
        ({"code": "spring"}, 409, "The shop has another coupon with this code."),
        ({"last_day": "2020-01-01"}, 422, "holdfast_artisan_shop.period_invalid"),
        ({"last_day": "9999-12-31"}, 422, "less than or equal to"),
        ({"max_uses": "0"}, 422, "greater than or equal to 1"),
    ],
)
def test_a_code_that_makes_no_sense_is_explained_and_not_given(
    greta: Visitor, bowls: Any, values: dict[str, str], status: int, words: str
):
    services.create_coupon(shop_id=bowls.shop_id, actor_id=bowls.shop.owner_id, code="SPRING", percent=10)
    coupons = room(bowls, "coupons")

    greta.open(coupons).submit(
        action=coupons, **{"code": "SUMMER", "kind": "percent", "value": "10"} | values, status=status
    )

    assert words in greta.text
    assert keeping.coupons_of(shop_id=bowls.shop_id, actor_id=bowls.shop.owner_id).count() == 1


# --- Members


def test_a_member_keeps_the_shop_but_invites_nobody_and_does_not_close_it(
    newcomer: Newcomer, greta: Visitor, bowls: Any
):
    jonas, rosa = newcomer("jonas", first_name="Jonas"), newcomer("rosa")
    members = room(bowls, "members")
    assert "Nobody else yet." in greta.open(members).text
    greta.submit(person="@Jonas")
    assert "Jonas" in greta.text

    assert "Holm Stoneware" in jonas.open("/workshop/").text
    assert "Only the owner invites" in jonas.open(members).text
    assert "Invite somebody" not in jonas.text
    assert jonas.client.post(members, {"person": "rosa"}).status_code == 403
    press(jonas, f"{members}{find_person('jonas').pk}/remove/")
    assert "Only the owner of the shop may do this." in jonas.text
    press(jonas, f"{room(bowls, 'shop')}close/")
    assert selectors.get_shop(shop_id=bowls.shop_id).state == "open"
    rosa.open(members, status=404)

    greta.open(members).submit(action=f"{members}{find_person('jonas').pk}/remove/")
    assert "Nobody else yet." in greta.text
    jonas.open(members, status=404)


@pytest.mark.parametrize(
    ("person", "status", "code"),
    [
        ("nobody-of-this-name", 404, "people.person_not_found"),
        ("greta", 409, "storefront.owner_acts_already"),
        ("", 422, "This field is required."),
    ],
)
def test_nobody_is_invited_who_is_not_there(greta: Visitor, bowls: Any, person: str, status: int, code: str):
    greta.open(room(bowls, "members")).submit(person=person, status=status)

    assert code in greta.text
    assert selectors.managed_shop(shop_id=bowls.shop_id, actor_id=bowls.shop.owner_id).members.count() == 0


def test_who_is_no_member_cannot_be_removed(greta: Visitor, bowls: Any):
    assert greta.client.post(f"{room(bowls, 'members')}{10**30}/remove/").status_code == 404


# --- Hours


def test_hours_are_written_as_people_write_them_and_customers_read_them(greta: Visitor, bowls: Any):
    greta.open(room(bowls, "hours")).submit(tue="9:30-12:30; 14–18", sat="10 to 13.30", time_zone="Europe/Berlin")

    shop = selectors.get_shop(shop_id=bowls.shop_id)
    assert shop.opening_hours == {"tue": [["09:30", "12:30"], ["14:00", "18:00"]], "sat": [["10:00", "13:30"]]}
    assert shop.time_zone == "Europe/Berlin"
    assert greta.form()["fields"]["tue"] == "09:30–12:30, 14:00–18:00"
    page = Visitor("anybody").open(f"/market/shops/{bowls.shop_id}/").text
    assert "09:30–12:30, 14:00–18:00" in without_tags(page)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("in the morning", "Write it like this: 9:30–12:30, 14–18."),
        ("18-9", "holdfast_artisan_shop.hours_invalid"),
        ("9-25", "holdfast_artisan_shop.hours_invalid"),
        ("1-2,3-4,5-6,7-8,9-10,11-12,13-14", "holdfast_artisan_shop.hours_invalid"),
    ],
)
def test_hours_that_nobody_can_keep_are_refused(greta: Visitor, bowls: Any, text: str, words: str):
    greta.open(room(bowls, "hours")).submit(mon=text, status=422)

    assert words in greta.text
    assert text in greta.text
    assert selectors.get_shop(shop_id=bowls.shop_id).opening_hours == {}


def test_a_shop_that_is_opened_at_the_pages_goes_by_the_clock_of_its_place(newcomer: Newcomer):
    kira = newcomer("kira", role="artisan").open("/workshop/new/")

    kira.submit(name="Novak Glass", place="riviere")

    assert selectors.shops_of(actor_id=find_person("kira").pk).get().time_zone == "Europe/Paris"


# --- Slots and days off


def test_the_week_shows_its_slots_and_a_day_off_has_none(newcomer: Newcomer, greta: Visitor, bowls: Any):
    slots, every_day = room(bowls, "slots"), [str(day) for day in range(7)]
    assert "No slots yet" in greta.open(slots).text
    greta.submit(kind="pickup", weekdays=every_day, starts="09:00", ends="18:00", capacity="4", lead_hours="1", fee="")
    assert greta.text.count("until 1 h before") == 7
    day = selectors.day_of(timezone.now(), "Europe/Paris") + dt.timedelta(days=3)
    booked = next(one for one in free_days(bowls) if one[0] == day)
    newcomer("ada")
    make_order(customer=find_person("ada"), product=bowls, choice=services.Choice(slot_id=booked[1]))

    after = day + dt.timedelta(days=1)
    greta.open(room(bowls, "days-off")).submit(first_day=str(day), last_day=str(after))
    assert "1 order" in greta.text
    assert f"?day={day}" in greta.text
    assert [one for one, _slot in free_days(bowls) if one == after] == []
    assert "Closed" in Visitor("anybody").open(f"/market/shops/{bowls.shop_id}/").text

    press(greta, f"{room(bowls, 'shop')}holiday/", **{"from": "days-off"})
    assert greta.address == room(bowls, "days-off")
    assert "You are on holiday" in greta.text
    assert "On holiday" in Visitor("anybody").open(f"/market/shops/{bowls.shop_id}/").text
    press(greta, f"{room(bowls, 'shop')}publish/", **{"from": "days-off"})
    assert selectors.get_shop(shop_id=bowls.shop_id).state == "open"


def free_days(bowls: Any) -> list[tuple[dt.date, UUID]]:
    slots = selectors.free_slots(shop_id=bowls.shop_id)
    return [(selectors.day_of(slot.starts_at, "Europe/Paris"), slot.pk) for slot in slots]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2030-05-02", "2030-05-01", "holdfast_artisan_shop.period_invalid"),
        ("2030-05-02", "2032-05-01", "holdfast_artisan_shop.period_invalid"),
        ("0001-01-01", "2030-05-01", "greater than or equal to"),
        ("someday", "2030-05-01", "Enter a valid date."),
        ("", "", "This field is required."),
    ],
)
def test_days_off_that_are_no_days_are_refused(greta: Visitor, bowls: Any, first: str, last: str, words: str):
    greta.open(room(bowls, "days-off")).submit(first_day=first, last_day=last, status=422)

    assert words in greta.text
    assert keeping.closures_of(shop_id=bowls.shop_id, actor_id=bowls.shop.owner_id).count() == 0


@pytest.mark.parametrize(
    "values", [{"weekdays": []}, {"starts": "18:00", "ends": "09:00"}, {"capacity": "0"}, {"lead_hours": "1000"}]
)
def test_a_slot_that_makes_no_sense_opens_on_no_day(greta: Visitor, bowls: Any, values: dict[str, Any]):
    good = {"kind": "delivery", "weekdays": ["1", "3"], "starts": "09:00", "ends": "12:00", "capacity": "4", "fee": "2"}

    greta.open(room(bowls, "slots")).submit(**good | values, status=422)

    assert keeping.slot_patterns_of(shop_id=bowls.shop_id, actor_id=bowls.shop.owner_id).count() == 0


# --- Payouts


def test_a_statement_is_what_its_orders_come_to(newcomer: Newcomer, greta: Visitor, bowls: Any):
    kept = sold(newcomer, bowls, "ada")
    back = sold(newcomer, bowls, "ben")
    services.refund_order(order_id=back.pk, actor_id=bowls.shop.owner_id)

    assert "36.80" in without_tags(greta.open(room(bowls, "payouts")).text)
    link = re.search(r'href="([^"]+statement/\?start=[^"]+)"', greta.text)[1].replace("&amp;", "&")
    page = without_tags(greta.open(link).text)
    for amount in ("80.00", "40.00", "3.20", "36.80"):
        assert amount in page
    assert "1 of them given back since" in page

    rows = list(csv.DictReader(io.StringIO(greta.open(link.replace("statement/", "statement.csv")).text)))
    assert [(row["order"], row["paid"], row["refunded"], row["fee"], row["earned"]) for row in rows] == [
        (kept.reference, "40.00", "0.00", "-3.20", "36.80"),
        (back.reference, "40.00", "-40.00", "0.00", "0.00"),
    ]
    newcomer("luca", role="artisan").open(link.replace("statement/", "statement.csv"), status=404)


def test_before_the_first_sale_a_statement_is_empty_and_says_so(greta: Visitor, bowls: Any):
    assert "Nothing was completed in these days" in greta.open(room(bowls, "payouts/statement")).text
    assert "0 orders" in greta.open(f"{room(bowls, 'payouts')}?year=1066").text


@pytest.mark.parametrize(
    "period", ["start=2026-02-01&end=2026-01-01", "start=soon&end=2026-01-01", "start=0001-01-01&end=9999-12-31"]
)
def test_a_statement_of_no_days_is_explained(greta: Visitor, bowls: Any, period: str):
    for suffix in ("statement/", "statement.csv"):
        greta.open(f"{room(bowls, 'payouts')}{suffix}?{period}", status=422)
        assert 'aria-invalid="true"' in greta.text


def without_tags(page: str) -> str:
    return re.sub(r"<[^>]+>", "", page)


# --- Orders


def test_an_order_is_declined_with_a_reason_that_the_customer_reads(newcomer: Newcomer, greta: Visitor, bowls: Any):
    ada = newcomer("ada")
    ada.open("/wallet/top-up/").submit(amount="100")
    order = make_order(customer=find_person("ada"), product=bowls, state="paid")
    steps = f"/workshop/{bowls.shop_id}/orders/{order.pk}/"

    greta.open(steps).submit(action=f"{steps}decline/", reason="The kiln is broken.")

    assert "The kiln is broken." in ada.open(f"/orders/{order.pk}/").text
    assert "Cancelled" in ada.text


def test_what_comes_back_with_its_goods_can_be_sold_again(newcomer: Newcomer, greta: Visitor, bowls: Any):
    order = sold(newcomer, bowls)
    steps = f"/workshop/{bowls.shop_id}/orders/{order.pk}/"

    greta.open(steps).submit(action=f"{steps}refund/", restock="on")

    assert selectors.get_offer(product_id=bowls.pk).free == 5


def test_money_that_was_refused_is_asked_for_again(
    newcomer: Newcomer, greta: Visitor, bowls: Any, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as broken:
        broken.setattr(WalletGateway, "capture", lambda *_args: Answer(accepted=False, reason="Somebody has to look."))
        order = sold(newcomer, bowls)
    steps = f"/workshop/{bowls.shop_id}/orders/{order.pk}/"
    assert "Somebody has to look." in greta.open(steps).text

    greta.submit(action=f"{steps}retry/")

    assert "<dt>Money</dt><dd>paid</dd>" in greta.text
    assert f"{steps}retry/" not in greta.text
    assert greta.client.post(f"{steps}retry/", follow=True).status_code == 200
    assert greta.client.post(f"/workshop/{bowls.shop_id}/orders/{uuid7()}/retry/").status_code == 404


# --- Products


def test_a_product_of_another_shop_is_not_changed_through_ones_own(newcomer: Newcomer, bowls: Any):
    luca = newcomer("luca", role="artisan")
    mine = make_product(shop=make_shop(owner=find_person("luca")))
    for page in ("", "change/", "pictures/"):
        luca.open(f"/workshop/{mine.shop_id}/products/{mine.pk}/{page}")
        luca.open(f"/workshop/{mine.shop_id}/products/{bowls.pk}/{page}", status=404)


def test_another_choice_is_offered_changed_and_taken_off(newcomer: Newcomer, greta: Visitor, bowls: Any):
    base = f"/workshop/{bowls.shop_id}/products/{bowls.pk}/"
    ware = f"/market/products/{bowls.pk}/"
    greta.open(f"{base}choices/new/").submit(option="Glaze", choice_0="sea blue", extra="2.50", stock="3")
    plain, blue = sorted(bowls.variants.all(), key=lambda one: bool(one.options))
    assert (blue.options, blue.extra_minor, blue.stock.on_hand) == ({"Glaze": "sea blue"}, 250, 3)
    assert "sea blue" in Visitor("anybody").open(ware).text

    greta.open(f"{base}choices/{plain.pk}/").submit(option="Glaze", choice_0="oatmeal", sku="TB-1")
    plain.refresh_from_db()
    assert (plain.options, plain.sku, plain.active) == ({"Glaze": "oatmeal"}, "TB-1", True)
    assert greta.open(f"{base}choices/{blue.pk}/").form()["fields"]["choice_0"] == "sea blue"

    form = {"choice_0": "oatmeal", "active": "on"}
    assert greta.client.post(f"{base}choices/{blue.pk}/", form).status_code == 422  # there is one like it
    assert greta.client.post(f"{base}choices/new/", {"choice_0": "red", "sku": "TB-1"}).status_code == 409
    greta.client.post(f"{base}choices/{blue.pk}/", {"choice_0": "sea blue"})
    assert "sea blue" not in Visitor("anybody").open(ware).text
    assert "Not offered" in greta.open(base).text

    luca = newcomer("luca", role="artisan")
    mine = make_product(shop=make_shop(owner=find_person("luca")))
    for address in (base, f"/workshop/{mine.shop_id}/products/{mine.pk}/"):
        luca.open(f"{address}choices/{blue.pk}/", status=404)
        assert luca.client.post(f"{address}choices/{blue.pk}/", form).status_code == 404
    luca.open(f"{base}choices/new/", status=404)
