"""Shops, categories and products: who may, and what makes no sense."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast.money import Money
from holdfast.testing import captured_events
from holdfast_artisan_shop import exceptions, services
from holdfast_artisan_shop.events import CategoryChanged, ProductChanged, ShopChanged
from holdfast_artisan_shop.models import Category, FlashSale, Product, Shop
from holdfast_artisan_shop.states import ShopState
from holdfast_artisan_shop.testing import make_category, make_product, make_shop, make_user

pytestmark = pytest.mark.django_db


class Nobody:
    def may_open_shop(self, user_id):
        return False


def open_shop(ada, **values):
    given = {"name": "Kiln", "currency": "EUR", "lat": 52.5, "lng": 13.4, **values}
    return services.open_shop(owner_id=ada.pk, **given)


def test_a_shop_is_a_draft_until_it_is_published(ada):
    with captured_events() as told:
        shop = open_shop(ada)
        services.publish_shop(shop_id=shop.pk, actor_id=ada.pk)
    assert told == [
        ShopChanged(shop_id=str(shop.pk), owner_id=ada.pk, state=state) for state in (ShopState.DRAFT, ShopState.OPEN)
    ]


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"name": "  "}, exceptions.TextInvalid),
        ({"name": "x" * 201}, exceptions.TextInvalid),
        ({"lat": 91.0}, exceptions.LocationInvalid),
        ({"lng": float("nan")}, exceptions.LocationInvalid),
        ({"time_zone": "Mars/Olympus"}, exceptions.TimeZoneUnknown),
        ({"delivery_radius_km": -1.0}, exceptions.RadiusInvalid),
        ({"delivery_radius_km": 1e9}, exceptions.RadiusInvalid),
        ({"opening_hours": {"mon": [["18:00", "09:00"]]}}, exceptions.HoursInvalid),
        ({"opening_hours": {"someday": []}}, exceptions.HoursInvalid),
    ],
)
def test_what_makes_no_sense_of_a_shop_is_refused(ada, values, refusal):
    with pytest.raises(refusal):
        open_shop(ada, **values)
    assert Shop.objects.count() == 0


def test_a_name_is_unique_for_its_owner_only(ada, bob):
    open_shop(ada)
    with pytest.raises(exceptions.ShopNameTaken):
        open_shop(ada, name="KILN")
    open_shop(bob)


def test_only_an_artisan_opens_a_shop(settings, ada):
    settings.HOLDFAST_ARTISAN_SHOP = {"ARTISANS": {"BACKEND": "tests.artisan_shop.test_shops.Nobody"}}
    with pytest.raises(exceptions.NotAnArtisan):
        open_shop(ada)


def test_a_shop_of_somebody_else_is_not_found_until_its_owner_invites(ada, bob, shop, bowl):
    change = {"shop_id": shop.pk, "actor_id": bob.pk}
    with pytest.raises(exceptions.ShopNotFound):
        services.change_shop(name="Bob's", **change)
    with pytest.raises(exceptions.ProductNotFound):
        services.change_product(product_id=bowl.pk, actor_id=bob.pk, name="Mine")
    services.invite_member(shop_id=shop.pk, actor_id=ada.pk, user_id=bob.pk)
    services.change_shop(description="By the river", **change)
    for verb, rest in ((services.close_shop, {}), (services.invite_member, {"user_id": make_user().pk})):
        with pytest.raises(exceptions.NotTheOwner):
            verb(**change, **rest)
    services.remove_member(shop_id=shop.pk, actor_id=ada.pk, user_id=bob.pk)
    with pytest.raises(exceptions.ShopNotFound):
        services.change_shop(name="Bob's", **change)


def test_a_step_that_the_state_does_not_allow_is_refused(ada, shop):
    with pytest.raises(exceptions.ShopStepNotAllowed):
        services.publish_shop(shop_id=shop.pk, actor_id=ada.pk)


def test_a_shop_that_moves_takes_its_products_with_it(ada, shop, bowl, category):
    elsewhere = make_product(shop=shop, category=category, location=(48.1, 11.6))
    services.change_shop(shop_id=shop.pk, actor_id=ada.pk, lat=0.0, lng=180.0)
    moved = Product.objects.get(pk=bowl.pk)
    assert (moved.lat, moved.lng) == (0.0, 180.0)
    assert (moved.x, moved.y, moved.z) == pytest.approx((-1, 0, 0))
    assert Product.objects.get(pk=elsewhere.pk).lat == 48.1


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"name": ""}, exceptions.TextInvalid),
        ({"price": Money("-5", "EUR")}, exceptions.PriceInvalid),
        ({"price": Money("5", "USD")}, exceptions.PriceInvalid),
        ({"category_id": uuid7()}, exceptions.CategoryUnknown),
        ({"lead_days": 366}, exceptions.LeadTimeInvalid),
        ({"stock": -1}, exceptions.QuantityInvalid),
        ({"location": (91.0, 0.0)}, exceptions.LocationInvalid),
        ({"variants": [{"options": {"color": "blue"}}] * 2}, exceptions.OptionsInvalid),
        ({"variants": [{"options": {"color": ""}}]}, exceptions.OptionsInvalid),
        ({"variants": [{"sku": "A", "options": {"a": "b"}}, {"sku": "A"}]}, exceptions.SkuTaken),
    ],
)
def test_what_makes_no_sense_of_a_product_is_refused(ada, shop, category, values, refusal):
    given = {"name": "Bowl", "price": Money("5", "EUR"), "category_id": category.pk, **values}
    with pytest.raises(refusal), transaction.atomic():
        services.create_product(shop_id=shop.pk, actor_id=ada.pk, **given)
    assert Product.objects.count() == 0


def test_a_product_with_several_variants_wants_to_know_which(ada, bob, shop, category):
    variants = [{"options": {"size": "S"}}, {"options": {"size": "L"}, "extra": Money("2.50", "EUR")}]
    bowl = make_product(shop=shop, category=category, variants=variants)
    with pytest.raises(exceptions.VariantRequired) as refusal:
        services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk)
    assert len(refusal.value.context["variant_ids"]) == 2
    large = bowl.variants.get(extra_minor=250)
    line = services.add_to_basket(customer_id=bob.pk, variant_id=large.pk, quantity=2)
    assert (line.quantity, line.unit_minor) == (2, 1250)
    with captured_events() as told:
        services.change_variant(variant_id=large.pk, actor_id=ada.pk, active=False)
    assert told == [ProductChanged(product_id=str(bowl.pk), shop_id=str(shop.pk), active=True)]
    assert services.add_to_basket(customer_id=bob.pk, product_id=bowl.pk).unit_minor == 1000


def test_a_branch_of_categories_moves_as_one_and_never_below_itself():
    home = make_category(name="Home")
    kitchen = make_category(name="Kitchen", parent=home)
    bowls = make_category(name="Bowls", parent=kitchen)
    with pytest.raises(exceptions.CategoryCircular):
        services.change_category(category_id=home.pk, parent_id=bowls.pk)
    services.change_category(category_id=kitchen.pk, parent_id=None, name="Cooking")
    assert Category.objects.get(pk=bowls.pk).path == f"{kitchen.pk.hex}/{bowls.pk.hex}/"
    with pytest.raises(exceptions.NameTaken):
        make_category(name="Home")
    with pytest.raises(exceptions.CategoryInUse):
        services.delete_category(category_id=kitchen.pk)
    services.delete_category(category_id=bowls.pk)


def test_what_becomes_of_categories_is_told_and_what_is_refused_is_not():
    with captured_events() as told:
        home = make_category(name="Home")
        kitchen = make_category(name="Kitchen", parent=home)
        services.change_category(category_id=kitchen.pk, parent_id=None, name="Cooking")
        for verb in (
            lambda: services.delete_category(category_id=uuid7()),
            lambda: services.change_category(category_id=kitchen.pk, parent_id=kitchen.pk),
            lambda: make_category(name="Home"),
        ):
            with pytest.raises(exceptions.ShopError):
                verb()
        services.delete_category(category_id=kitchen.pk)
    one, other = str(home.pk), str(kitchen.pk)
    assert told == [
        CategoryChanged(category_id=one, parent_id=None, name="Home", removed=False),
        CategoryChanged(category_id=other, parent_id=one, name="Kitchen", removed=False),
        CategoryChanged(category_id=other, parent_id=None, name="Cooking", removed=False),
        CategoryChanged(category_id=other, parent_id=None, name="Cooking", removed=True),
    ]


def test_flash_sales_are_cheaper_end_after_they_begin_and_do_not_overlap(ada, shop, bowl):
    now = timezone.now()
    given = {"product_id": bowl.pk, "actor_id": ada.pk, "starts_at": now, "ends_at": now + dt.timedelta(hours=1)}
    with pytest.raises(exceptions.DiscountInvalid):
        services.schedule_flash_sale(price=Money("10", "EUR"), **given)
    with pytest.raises(exceptions.PeriodInvalid):
        services.schedule_flash_sale(price=Money("5", "EUR"), **{**given, "ends_at": now})
    sale = services.schedule_flash_sale(price=Money("5", "EUR"), **given)
    with pytest.raises(exceptions.FlashSaleOverlaps):
        services.schedule_flash_sale(price=Money("4", "EUR"), **given)
    services.end_flash_sale(flash_sale_id=sale.pk, actor_id=ada.pk)
    assert FlashSale.objects.get().ends_at <= timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        FlashSale.objects.update(quantity=1, sold=2)


def test_another_currency_has_other_minor_units(bob):
    vase = make_product(shop=make_shop(currency="JPY"), price="1500")
    assert vase.price == Money("1500", "JPY")
    assert services.add_to_basket(customer_id=bob.pk, product_id=vase.pk).unit_minor == 1500
