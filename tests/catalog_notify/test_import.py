"""CSV: what the export writes, the import reads; broken rows are told by line and change nothing."""

import pytest

from holdfast.money import Money
from holdfast.testing import captured_events
from holdfast_catalog_notify import selectors, services
from holdfast_catalog_notify.exceptions import FileUnreadable, RowsBroken, TooManyProducts
from holdfast_catalog_notify.models import Change, Product
from holdfast_catalog_notify.testing import make_category, make_product

pytestmark = pytest.mark.django_db

HEADER = "sku,name,price,currency,brand\n"


def load(text, **options):
    return services.import_products(content=text.encode(), **options)


def test_rows_create_change_and_leave_products_in_one_change_set(ada, acme, lamp):
    make_product(brand=acme, sku="SAME", name="Same", price="3")
    with captured_events() as events:
        report = load(
            HEADER + "LAMP-1,Big lamp,12.00,EUR,Acme\nNEW,New,1.5,EUR,Acme\nSAME,Same,3.00,EUR,Acme\n", actor_id=ada.pk
        )

    assert (report.created, report.changed, report.unchanged, report.broken) == (1, 1, 1, [])
    (event,) = events
    assert (event.total, event.door, event.actor_id) == (2, "import", ada.pk)
    changed = Product.objects.get(sku="LAMP-1")
    assert (changed.name, changed.price, changed.version) == ("Big lamp", Money("12", "EUR"), 2)
    assert Product.objects.get(sku="NEW").price == Money("1.50", "EUR")


BROKEN = (
    HEADER
    + "GOOD,Good,1,EUR,Acme\n"
    + "LAMP-1,Lamp,-1,EUR,Acme\n"
    + "B,No such brand,1,EUR,Nobody\n"
    + "C,Wrong currency,1,XXQ,Acme\n"
    + "D,Too precise,1.001,EUR,Acme\n"
    + "GOOD,Twice,1,EUR,Acme\n"
    + ",No SKU,1,EUR,Acme\n"
    + "E,Short row,1\n"
    + f"F,{'x' * 100_000},1,EUR,Acme\n"
    + "H,No number,one,EUR,Acme\n"
)
TOLD = [
    (3, "LAMP-1", "holdfast_catalog_notify.price_negative"),
    (4, "B", "holdfast_catalog_notify.brand_unknown"),
    (5, "C", "holdfast.unknown_currency"),
    (6, "D", "holdfast.invalid_amount"),
    (7, "GOOD", "holdfast_catalog_notify.sku_taken"),
    (8, "", "holdfast_catalog_notify.text_invalid"),
    (9, "", "holdfast_catalog_notify.file_unreadable"),
    (10, "F", "holdfast_catalog_notify.text_invalid"),
    (11, "H", "holdfast.invalid_amount"),
]


def test_broken_rows_are_told_by_line_and_the_file_changes_nothing(lamp):
    with captured_events() as events, pytest.raises(RowsBroken) as refusal:
        load(BROKEN)

    rows = refusal.value.context["rows"]
    assert [(row["line"], row["sku"], row["code"]) for row in rows] == TOLD
    assert refusal.value.context["broken"] == len(TOLD)
    assert events == []
    assert list(Product.objects.values_list("sku", "version")) == [("LAMP-1", 1)]


def test_broken_rows_can_be_left_out(lamp):
    report = load(BROKEN, broken="skip")

    assert (report.created, report.changed, len(report.broken)) == (1, 0, len(TOLD))
    assert [(row.line, row.sku, row.code) for row in report.broken] == TOLD
    assert set(Product.objects.values_list("sku", flat=True)) == {"LAMP-1", "GOOD"}


def test_a_dry_run_changes_nothing(lamp):
    with captured_events() as events:
        report = load(BROKEN, dry_run=True)

    assert (report.created, len(report.broken), events) == (1, len(TOLD), [])
    assert Product.objects.count() == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"sku,name\n",
        b"sku,name,price,currency,brand,colour\n",
        b"sku,sku,name,price,currency,brand\n",
        b"\xff\xfe\x00",
        b"PK\x03\x04 an xlsx",
    ],
)
def test_what_is_no_csv_of_products_is_refused(db, content):
    with pytest.raises(FileUnreadable):
        services.import_products(content=content)


def test_a_megabyte_in_one_cell_and_a_quote_that_never_ends_are_broken_rows(acme):
    with pytest.raises(RowsBroken) as refusal:
        load(HEADER + f"A,{'x' * 1_000_000},1,EUR,Acme\n")
    assert [row["line"] for row in refusal.value.context["rows"]] == [2]
    with pytest.raises(RowsBroken):
        load(HEADER + 'A,"Lamp,1,EUR,Acme\n')


def test_limits_are_kept(settings, acme):
    settings.HOLDFAST_CATALOG_NOTIFY = {"BULK_MAX_PRODUCTS": 2, "IMPORT_MAX_BYTES": 1_000}
    with pytest.raises(TooManyProducts):
        load(HEADER + "".join(f"S{number},N,1,EUR,Acme\n" for number in range(3)))
    with pytest.raises(FileUnreadable):
        load(HEADER + "x" * 1_001)


def test_an_export_is_an_import_that_changes_nothing(acme):
    lights = make_category(name="Lights")
    make_product(brand=acme, sku="A", name='Lamp, "big"', category_id=lights.pk, description="two\nlines", active=False)
    make_product(brand=acme, sku="=B", name="=1+1", price="7", currency="JPY", description="'quoted")
    make_product(brand=acme, sku="-C", name="@home", price="0.001", currency="KWD")

    text = "".join(selectors.products_as_csv(selectors.products()))

    assert "\n=" not in text
    assert ",=1+1" not in text
    report = load(text)
    assert (report.created, report.changed, report.unchanged) == (0, 0, 3)


def test_a_column_that_is_not_there_leaves_what_is(acme):
    lights = make_category(name="Lights")
    make_product(brand=acme, sku="A", name="A", category_id=lights.pk, description="Bright", active=False)
    load(HEADER + "A,B,1,EUR,Acme\n")
    kept = Product.objects.get()
    assert (kept.name, kept.category, kept.description, kept.active) == ("B", lights, "Bright", False)

    load("sku,name,price,currency,brand,category,active,description\nA,B,1,EUR,Acme,,yes,\n")
    kept = Product.objects.get()
    assert (kept.category, kept.description, kept.active) == (None, "", True)


def test_thousands_of_rows_take_few_statements(acme, django_assert_max_num_queries):
    rows = "".join(f"S{number},N{number},1,EUR,Acme\n" for number in range(2_000))
    with django_assert_max_num_queries(100):
        assert load(HEADER + rows).created == 2_000
    assert Change.objects.count() == 2_000
