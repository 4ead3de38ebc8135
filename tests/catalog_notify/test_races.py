"""Several at once: one wins, the others are told why, and nobody waits in a circle."""

import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, transaction

from holdfast.money import Money
from holdfast.testing import race
from holdfast_catalog_notify import services
from holdfast_catalog_notify.exceptions import (
    BrandNotFound,
    BrandUnknown,
    NameTaken,
    ProductNotFound,
    SkuTaken,
    StillInUse,
    VersionOutdated,
)
from holdfast_catalog_notify.models import Brand, Change, Product
from holdfast_catalog_notify.testing import make_brand, make_category, make_product

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def of(kind, outcomes):
    return sum(isinstance(outcome, kind) for outcome in outcomes)


def overtaken(verb, by):
    """Return what a verb returns that has to wait for another one, which commits only when it sees that it waits."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        with transaction.atomic():
            by()
            outcome = pool.submit(lambda: race(verb, times=1)[0])
            until = time.monotonic() + 30
            while not somebody_waits_for_us():
                assert time.monotonic() < until, "It should have waited."
                time.sleep(0.01)
        return outcome.result()


def somebody_waits_for_us():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return cursor.fetchone() is not None


def test_of_four_editors_of_one_version_one_wins():
    lamp = make_product()
    outcomes = race(lambda: services.change_product(product_id=lamp.pk, name="Mine", expected_version=1))
    assert (of(Product, outcomes), of(VersionOutdated, outcomes)) == (1, 3)
    assert Product.objects.get().version == 2


def test_changes_of_one_product_are_a_chain_without_a_gap():
    lamp = make_product(price="0")
    race(
        *(
            lambda price=price: services.change_product(product_id=lamp.pk, price=Money(price, "EUR"))
            for price in "1234"
        )
    )
    prices = [one.values["price"] for one in Change.objects.filter(action="changed").order_by("pk")]
    steps = {pair["old"]: pair["new"] for pair in prices}
    at, seen = "0.00 EUR", []
    while at in steps:
        at = steps[at]
        seen.append(at)
    assert len(seen) == len(prices) == 4


def test_of_four_with_one_sku_one_is_made():
    acme = make_brand()
    outcomes = race(lambda: make_product(brand=acme, sku="LAMP-1"))
    assert (of(Product, outcomes), of(SkuTaken, outcomes)) == (1, 3)


def test_of_four_brands_of_one_name_one_is_made():
    outcomes = race(lambda: make_brand(name="Acme"))
    assert (of(Brand, outcomes), of(NameTaken, outcomes)) == (1, 3)


def test_of_two_files_with_the_same_new_product_one_is_imported():
    make_brand(name="Acme")
    content = b"sku,name,price,currency,brand\nA,Lamp,1,EUR,Acme\n"
    outcomes = race(lambda: services.import_products(content=content))
    made = [outcome for outcome in outcomes if isinstance(outcome, services.ImportReport)]
    assert sum(report.created for report in made) == 1
    assert len(made) + of(SkuTaken, outcomes) == 4
    assert Product.objects.count() == 1


def test_a_product_is_deleted_once():
    lamp = make_product()
    outcomes = race(lambda: services.delete_product(product_id=lamp.pk))
    assert (outcomes.count(None), of(ProductNotFound, outcomes)) == (1, 3)


def test_a_brand_goes_or_has_a_product_and_never_both():
    for _round in range(5):
        acme = make_brand()
        made, gone = race(lambda b=acme: make_product(brand=b), lambda b=acme: services.delete_brand(brand_id=b.pk))
        if gone is None:
            assert isinstance(made, BrandUnknown)
        else:
            assert isinstance(gone, StillInUse)
            assert isinstance(made, Product)


def test_many_prices_at_once_by_many_add_up_and_do_not_cross():
    acme = make_brand()
    products = [make_product(brand=acme, price="100") for _number in range(20)]
    outcomes = race(lambda: services.change_prices(percent=Decimal(100), brand_id=acme.pk))
    assert outcomes == [20] * 4
    assert {one.price for one in Product.objects.all()} == {Money("1600", "EUR")}
    assert {one.version for one in Product.objects.all()} == {5}
    assert len(products) == 20


def test_renaming_a_brand_and_changing_its_products_do_not_cross():
    acme, bolt = make_brand(name="Acme"), make_brand(name="Bolt")
    products = [make_product(brand=acme) for _number in range(5)]

    def move():
        for product in products:
            services.change_product(product_id=product.pk, brand_id=bolt.pk)

    def raise_prices():
        return services.change_prices(percent=Decimal(10))

    outcomes = race(
        move,
        raise_prices,
        lambda: services.rename_brand(brand_id=acme.pk, name="Acme 2"),
        lambda: services.rename_brand(brand_id=bolt.pk, name="Bolt 2"),
    )
    assert of(Exception, outcomes) == 0, outcomes
    assert of(BrandNotFound, outcomes) == 0
    assert {one.price for one in Product.objects.all()} == {Money("11", "EUR")}


FILE = b"sku,name,price,currency,brand\nL,Lamp,11,EUR,Bolt\n"


@pytest.mark.parametrize("group", ["brand_id", "category_id"])
@pytest.mark.parametrize(
    ("verb", "outcome"),
    [
        (lambda lamp: services.change_prices(percent=Decimal(10)), 1),
        (lambda lamp: services.import_products(content=FILE).changed, 1),
        (lambda lamp: str(services.change_product(product_id=lamp.pk, price=Money("11", "EUR")).price.amount), "11.00"),
        (lambda lamp: services.delete_product(product_id=lamp.pk), None),
    ],
    ids=["prices", "import", "change", "delete"],
)
def test_a_product_that_moves_while_somebody_waits_for_it_is_not_lost(verb, outcome, group):
    old, new = make_category(name="Old"), make_category(name="New")
    acme, bolt = make_brand(name="Acme"), make_brand(name="Bolt")
    lamp = make_product(brand=acme, category_id=old.pk, sku="L")
    there = {"brand_id": bolt.pk, "category_id": new.pk}[group]

    def move():
        # As a change does, but without its lock on the brand, for which an import would wait first.
        Product.objects.filter(pk=lamp.pk).update(**{group: there, "version": 2})

    assert overtaken(lambda: verb(lamp), by=move) == outcome
    for kept in Product.objects.all():
        assert (kept.price, kept.version) == (Money("11", "EUR"), 3)
        told = Change.objects.filter(product_id=lamp.pk).latest("pk").values
        assert told["price"] == {"old": "10.00 EUR", "new": "11.00 EUR"}
