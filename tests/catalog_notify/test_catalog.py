"""Brands, categories and products: what the verbs do, what they refuse, and what they take down."""

from contextlib import suppress
from decimal import Decimal
from uuid import UUID

import pytest

from holdfast.money import InvalidAmount, Money
from holdfast.testing import captured_events
from holdfast_catalog_notify import selectors, services
from holdfast_catalog_notify.events import ProductsChanged
from holdfast_catalog_notify.exceptions import (
    BrandUnknown,
    CategoryUnknown,
    CurrencyNotAllowed,
    NameTaken,
    PercentOutOfRange,
    PriceNegative,
    ProductNotFound,
    SkuTaken,
    StillInUse,
    TextInvalid,
    TooManyProducts,
    VersionOutdated,
)
from holdfast_catalog_notify.models import Change, ChangeSet, Product
from holdfast_catalog_notify.states import Action, Door
from holdfast_catalog_notify.testing import make_brand, make_category, make_product

pytestmark = pytest.mark.django_db

# No row has it; the same in each process, for the tests are named after it.
NOBODYS = UUID("00000000-0000-7000-8000-000000000000")


def euros(amount):
    return Money(amount, "EUR")


def test_a_new_product_is_one_change_of_everything_that_is_said_of_it(ada, acme):
    with captured_events() as events:
        product = services.create_product(
            sku="LAMP-1", name="Lamp", price=euros("10"), brand_id=acme.pk, actor_id=ada.pk, door=Door.API
        )

    (change,) = Change.objects.all()
    assert change.action == Action.CREATED
    assert change.values == {
        "sku": {"old": None, "new": "LAMP-1"},
        "name": {"old": None, "new": "Lamp"},
        "price": {"old": None, "new": "10.00 EUR"},
        "brand": {"old": None, "new": "Acme"},
        "active": {"old": None, "new": True},
    }
    assert (change.change_set.actor, change.change_set.actor_name, change.change_set.door) == (ada, "ada", "api")
    (event,) = events
    assert isinstance(event, ProductsChanged)
    assert (event.actor_id, event.door, event.total) == (ada.pk, "api", 1)
    assert event.changes[0]["product_id"] == str(product.pk)


def test_a_change_says_what_was_and_what_is_and_nothing_of_the_rest(ada, lamp):
    with captured_events() as events:
        changed = services.change_product(product_id=lamp.pk, price=euros("12"), name="Lamp", actor_id=ada.pk)

    assert changed.version == 2
    assert changed.updated_at >= lamp.updated_at
    change = selectors.changes_of(product_id=lamp.pk).first()
    assert change.values == {"price": {"old": "10.00 EUR", "new": "12.00 EUR"}}
    assert change.price_changed
    assert events[0].changes[0]["values"] == change.values


def test_the_currency_changes_with_the_amount(lamp):
    services.change_product(product_id=lamp.pk, price=Money("10", "USD"))

    assert Product.objects.get().price == Money("10", "USD")
    assert Change.objects.first().values == {"price": {"old": "10.00 EUR", "new": "10.00 USD"}}


def test_what_is_so_already_is_no_change(lamp):
    before = ChangeSet.objects.count()
    with captured_events() as events:
        same = services.change_product(product_id=lamp.pk, price=euros("10.00"), name="Lamp", active=True)

    assert (same.version, ChangeSet.objects.count(), events) == (1, before, [])


def test_the_history_outlives_product_actor_and_brand(ada, lamp, acme):
    services.delete_product(product_id=lamp.pk, actor_id=ada.pk)
    services.delete_brand(brand_id=acme.pk)
    ada.delete()

    change = selectors.changes_of(product_id=lamp.pk).first()
    assert (change.action, change.name, change.change_set.actor_name) == (Action.DELETED, "Lamp", "ada")
    assert change.values["price"] == {"old": "10.00 EUR", "new": None}
    assert change.change_set.actor is None


def test_several_verbs_in_one_block_are_one_change_set(ada, lamp, acme):
    other = make_product(brand=acme, name="Chair")
    with captured_events() as events, services.change_set(actor_id=ada.pk, door=Door.ADMIN):
        services.change_product(product_id=lamp.pk, price=euros("11"))
        services.change_product(product_id=lamp.pk, price=euros("12"), name="Big lamp")
        services.delete_product(product_id=other.pk, actor_id=ada.pk)

    (event,) = events
    assert (event.total, event.door) == (2, "admin")
    assert [(one["name"], one["action"]) for one in event.changes] == [("Big lamp", "changed"), ("Chair", "deleted")]
    assert event.changes[0]["values"] == {
        "price": {"old": "10.00 EUR", "new": "12.00 EUR"},
        "name": {"old": "Lamp", "new": "Big lamp"},
    }


def test_what_comes_back_to_what_it_was_is_told_to_nobody(lamp, acme):
    with captured_events() as events, services.change_set():
        services.change_product(product_id=lamp.pk, price=euros("11"))
        services.change_product(product_id=lamp.pk, price=euros("10"))
        fleeting = make_product(brand=acme)
        services.delete_product(product_id=fleeting.pk)

    assert events == []


def undone(product):
    with suppress(RuntimeError), services.change_set():
        services.change_product(product_id=product.pk, price=euros("99"))
        raise RuntimeError


def test_a_verb_that_refuses_within_a_block_leaves_nothing_in_its_change_set(lamp):
    with captured_events() as events, services.change_set():
        services.change_product(product_id=lamp.pk, name="Big lamp")
        with pytest.raises(PriceNegative):
            services.change_product(product_id=lamp.pk, price=euros("-1"))
        undone(lamp)

    assert [one["values"].keys() for one in events[0].changes] == [{"name"}]
    assert Product.objects.get().price == euros("10")


def test_a_change_set_has_one_actor(ada, bob, lamp):
    with pytest.raises(ValueError, match="one actor"), services.change_set(actor_id=ada.pk):
        services.change_product(product_id=lamp.pk, name="Big lamp", actor_id=bob.pk)
    assert Product.objects.get().name == "Lamp"


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"sku": " "}, TextInvalid),
        ({"sku": "x" * 65}, TextInvalid),
        ({"name": ""}, TextInvalid),
        ({"name": "x" * 1_000_000}, TextInvalid),
        ({"name": "a\0b"}, TextInvalid),
        ({"description": "x" * 20_001}, TextInvalid),
        ({"price": euros("-0.01")}, PriceNegative),
        ({"price": euros("0.001")}, InvalidAmount),
        ({"price": euros(10**15)}, InvalidAmount),
        ({"price": Money("1", "USD")}, CurrencyNotAllowed),
        ({"brand_id": NOBODYS}, BrandUnknown),
        ({"category_id": NOBODYS}, CategoryUnknown),
    ],
    ids=str,
)
def test_what_no_product_can_be_is_refused_and_nothing_is_different(settings, lamp, acme, values, refusal):
    settings.HOLDFAST_CATALOG_NOTIFY = {"CURRENCIES": ["EUR"]}
    before = ChangeSet.objects.count()
    with captured_events() as events:
        with pytest.raises(refusal):
            services.change_product(product_id=lamp.pk, **values)
        given = {"sku": "NEW", "name": "New", "price": euros("1"), "brand_id": acme.pk, **values}
        with pytest.raises(refusal):
            services.create_product(**given)

    assert events == []
    assert ChangeSet.objects.count() == before
    assert list(Product.objects.values_list("version", flat=True)) == [1]


def test_a_sku_is_one_products(lamp, acme):
    with pytest.raises(SkuTaken) as refusal:
        make_product(brand=acme, sku="LAMP-1")
    assert refusal.value.context == {"sku": "LAMP-1"}
    other = make_product(brand=acme)
    with pytest.raises(SkuTaken):
        services.change_product(product_id=other.pk, sku="LAMP-1")


def test_an_older_version_is_not_changed(lamp):
    services.change_product(product_id=lamp.pk, name="Big lamp", expected_version=1)
    for verb in (services.change_product, services.delete_product):
        with pytest.raises(VersionOutdated) as refusal:
            verb(product_id=lamp.pk, expected_version=1)
        assert refusal.value.context["version"] == 2


def test_what_is_not_there_is_not_found(db):
    for verb in (services.change_product, services.delete_product):
        with pytest.raises(ProductNotFound):
            verb(product_id=NOBODYS)


def test_a_brands_new_name_is_seen_at_its_products_of_which_none_is_touched(lamp, acme, django_assert_max_num_queries):
    for _number in range(5):
        make_product(brand=acme)
    with django_assert_max_num_queries(6):  # its lock, its row, and the savepoints around them
        services.rename_brand(brand_id=acme.pk, name="Bolt")

    product = selectors.get_product(lamp.pk)
    assert (product.brand.name, product.version) == ("Bolt", 1)
    assert product.names_updated_at > lamp.names_updated_at


def test_a_brand_or_category_with_products_stays(acme):
    lights = make_category(name="Lights")
    make_product(brand=acme, category_id=lights.pk)
    with pytest.raises(StillInUse):
        services.delete_brand(brand_id=acme.pk)
    with pytest.raises(StillInUse):
        services.delete_category(category_id=lights.pk)


def test_names_of_brands_and_categories_are_their_own(acme):
    make_category(name="Lights")
    with pytest.raises(NameTaken):
        make_brand(name="Acme")
    with pytest.raises(NameTaken):
        make_category(name="Lights")
    with pytest.raises(NameTaken):
        services.rename_brand(brand_id=make_brand().pk, name="Acme")
    with pytest.raises(TextInvalid):
        services.rename_brand(brand_id=acme.pk, name="  ")


def test_many_prices_change_at_once_rounded_and_as_one_change_set(ada, acme):
    for price, currency in (("10.05", "EUR"), ("0.00", "EUR"), ("105", "JPY")):
        make_product(brand=acme, price=price, currency=currency)
    other = make_product(price="7.00")

    with captured_events() as events:
        assert services.change_prices(percent=Decimal(10), brand_id=acme.pk, actor_id=ada.pk) == 2

    prices = sorted((str(one.price.currency), one.price.amount) for one in Product.objects.filter(brand=acme))
    assert prices == [("EUR", 0), ("EUR", Decimal("11.06")), ("JPY", 116)]
    assert Product.objects.get(pk=other.pk).price == euros("7")
    (event,) = events
    assert event.total == 2
    assert Change.objects.filter(price_changed=True, action=Action.CHANGED).count() == 2


@pytest.mark.parametrize("percent", ["-100", "1000.01", "NaN", "Infinity"])
def test_a_percentage_that_makes_no_sense_is_refused(lamp, percent):
    with pytest.raises(PercentOutOfRange):
        services.change_prices(percent=Decimal(percent))


def test_more_products_than_one_change_may_touch_are_none(settings, acme):
    settings.HOLDFAST_CATALOG_NOTIFY = {"BULK_MAX_PRODUCTS": 2}
    for _product in range(3):
        make_product(brand=acme)
    with pytest.raises(TooManyProducts) as refusal:
        services.change_prices(percent=Decimal(10))
    assert refusal.value.context == {"products": 3, "maximum": 2}
    assert not Change.objects.filter(action=Action.CHANGED).exists()
