"""Products from a CSV file: each row creates a product or changes the one that has its SKU."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from django.db import IntegrityError
from django.utils import timezone

from holdfast.errors import Refusal
from holdfast.money import parse_amount
from holdfast.transactions import atomic_for
from holdfast_catalog_notify.conf import settings
from holdfast_catalog_notify.exceptions import (
    BrandUnknown,
    CategoryUnknown,
    FileUnreadable,
    RowsBroken,
    SkuTaken,
    TextInvalid,
    TooManyProducts,
)
from holdfast_catalog_notify.models import Brand, Category, Product
from holdfast_catalog_notify.selectors.export import COLUMNS, unsafe
from holdfast_catalog_notify.services.catalog import check_product, lock_products, touch
from holdfast_catalog_notify.services.changes import BATCH, Snapshot, change_set
from holdfast_catalog_notify.services.rows import using
from holdfast_catalog_notify.states import Door

if TYPE_CHECKING:
    import _csv

NEEDED = frozenset({"sku", "name", "price", "currency", "brand"})
YES_AND_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
REPORTED = 1_000


@dataclass(frozen=True)
class BrokenRow:
    """A row that cannot be imported, and why."""

    line: int
    sku: str
    code: str
    detail: str

    @classmethod
    def of(cls, line: int, sku: str, refusal: Refusal) -> "BrokenRow":
        """Report a refusal."""
        return cls(line, sku[:64], refusal.code, refusal.message)


@dataclass
class ImportReport:
    """What an import did, or would do."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    broken: list[BrokenRow] = field(default_factory=list)


@dataclass(frozen=True)
class _Row:
    line: int
    cells: Mapping[str, str]

    @property
    def sku(self) -> str:
        return self.cells["sku"]


def import_products(
    *,
    content: bytes,
    broken: Literal["refuse", "skip"] = "refuse",
    dry_run: bool = False,
    actor_id: Any = None,
    door: Door = Door.IMPORT,
) -> ImportReport:
    """Import the products of a CSV file: all rows or, if one is broken, none.

    With ``broken="skip"`` the good rows are imported and the broken ones only reported. ``dry_run`` changes nothing
    and reports both. A column that the file does not have leaves what is there. Raises ``FileUnreadable``,
    ``TooManyProducts``, ``RowsBroken``, ``SkuTaken`` if somebody creates one of the products meanwhile. Emits
    ``ProductsChanged``, one for the whole file.
    """
    report = ImportReport()
    rows = list(_read(content, report))
    with change_set(actor_id=actor_id, door=door) as changes:
        desk = _Desk(rows)
        for row in rows:
            try:
                desk.take(row)
            except Refusal as refusal:
                report.broken.append(BrokenRow.of(row.line, row.sku, refusal))
        report.broken.sort(key=lambda one: one.line)
        report.created, report.changed = len(desk.created), len(desk.changed)
        report.unchanged = desk.unchanged
        if dry_run:
            return report
        if report.broken and broken == "refuse":
            shown = [vars(one) for one in report.broken[:REPORTED]]
            raise RowsBroken(rows=shown, broken=len(report.broken))
        desk.write()
        for before, after in desk.changes:
            changes.add(before, after)
    return report


class _Desk:
    """Turns rows into products, in memory; every product and every brand of the file is read once, and locked."""

    def __init__(self, rows: Iterable[_Row]) -> None:
        def named(column: str) -> set[str]:
            # With a NUL it is nothing that PostgreSQL could be asked for; the row says so when it is its turn.
            return {name for row in rows if (name := row.cells.get(column)) and "\0" not in name}

        # Brands before products, each in the order of the ids: as all who lock them do.
        brands = Brand.objects.filter(name__in=named("brand")).order_by("pk").select_for_update(no_key=True)
        categories = Category.objects.filter(name__in=named("category")).order_by("pk").select_for_update(no_key=True)
        self._brands = {brand.name: brand for brand in brands}
        self._categories = {category.name: category for category in categories}
        products = lock_products(products=Product.objects.filter(sku__in=named("sku")))
        self._products = {product.sku: product for product in products}
        self._seen: set[str] = set()
        self.created: list[Product] = []
        self.changed: list[Product] = []
        self.changes: list[tuple[Snapshot | None, Snapshot]] = []
        self.unchanged = 0

    def take(self, row: _Row) -> None:
        """Take one row. Raises what is wrong with it."""
        if row.sku in self._seen:
            raise SkuTaken("The file has this SKU twice.", sku=row.sku[:64])
        self._seen.add(row.sku)
        product = self._products.get(row.sku)
        before = Snapshot.of(product) if product else None
        if product is None:
            now = timezone.now()
            product = Product(created_at=now, updated_at=now)
        self._fill(product, row)
        check_product(product=product)
        after = Snapshot.of(product)
        if before == after:
            self.unchanged += 1
            return
        if before:
            touch(product=product)
        (self.changed if before else self.created).append(product)
        self.changes.append((before, after))

    def write(self) -> None:
        """Save what was taken."""
        try:
            with atomic_for(Product):
                Product.objects.using(using()).bulk_create(self.created, batch_size=BATCH)
        except IntegrityError:
            skus = [product.sku for product in self.created]
            taken = Product.objects.using(using()).filter(sku__in=skus).values_list("sku", flat=True).first()
            if taken is None:
                raise
            raise SkuTaken(sku=taken) from None
        fields = ["name", "price", "brand", "category", "description", "image_url", "active", "version", "updated_at"]
        Product.objects.bulk_update(self.changed, fields, batch_size=BATCH)

    def _fill(self, product: Product, row: _Row) -> None:
        cells = row.cells
        if any("\0" in cell for cell in cells.values()):
            raise TextInvalid("A cell has a NUL character.")
        product.sku, product.name = cells["sku"], cells["name"]
        product.price = parse_amount(cells["price"], cells["currency"])
        if cells["brand"] not in self._brands:
            raise BrandUnknown(brand=cells["brand"][:200])
        product.brand = self._brands[cells["brand"]]
        if category := cells.get("category"):
            if category not in self._categories:
                raise CategoryUnknown(category=category[:200])
            product.category = self._categories[category]
        elif category == "":
            product.category = None
        product.description = cells.get("description", product.description)
        product.image_url = cells.get("image_url", product.image_url)
        if "active" in cells:
            product.active = _yes_or_no(cells["active"])


def _read(content: bytes, report: ImportReport) -> Iterator[_Row]:
    """Yield the rows that have all their cells, and report the others."""
    if len(content) > settings.IMPORT_MAX_BYTES:
        raise FileUnreadable("The file is too large.", maximum=settings.IMPORT_MAX_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable("The file is not UTF-8.", position=error.start) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns = _columns(reader)
    for taken, (line, cells, problem) in enumerate(_rows(reader), start=1):
        if taken > settings.BULK_MAX_PRODUCTS:
            raise TooManyProducts(products=taken, maximum=settings.BULK_MAX_PRODUCTS)
        if not problem and len(cells) == len(columns):
            yield _Row(line, {name: _cell(name, cell) for name, cell in zip(columns, cells, strict=True)})
        else:
            detail = problem or f"The row has {len(cells)} cells, the header {len(columns)}."
            report.broken.append(BrokenRow(line, "", FileUnreadable.code, detail))


def _rows(reader: "_csv.Reader") -> Iterator[tuple[int, list[str], str]]:
    """Yield the cells of each row with the line that it begins on, or what is wrong with it; empty lines are none."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, [], f"This is no row of CSV: {error}."
        else:
            if cells:
                yield line, cells, ""


def _cell(column: str, cell: str) -> str:
    """Return a cell without what the export put before it, and without the spaces around it, as every other door."""
    cell = unsafe(cell)
    return cell if column == "description" else cell.strip()


def _columns(reader: Iterator[list[str]]) -> list[str]:
    try:
        columns = [name.strip().lower() for name in next(reader)]
    except (StopIteration, csv.Error):
        raise FileUnreadable("The file has no header.", columns=list(COLUMNS)) from None
    missing, strange = sorted(NEEDED - set(columns)), sorted(set(columns) - set(COLUMNS))
    if missing or strange or len(set(columns)) < len(columns):
        raise FileUnreadable(missing=missing, unknown=[name[:40] for name in strange[:20]], columns=list(COLUMNS))
    return columns


def _yes_or_no(cell: str) -> bool:
    try:
        return YES_AND_NO[cell.lower()]
    except KeyError:
        raise TextInvalid("active is true or false.", field="active") from None
