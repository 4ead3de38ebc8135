"""Products as CSV: what an import reads again."""

import csv
import io
from collections.abc import Iterator

from django.db.models import QuerySet

from holdfast.money import from_minor, to_minor
from holdfast_catalog_notify.models import Product

COLUMNS = ("sku", "name", "price", "currency", "brand", "category", "description", "image_url", "active")
# A spreadsheet would run it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
CHUNK = 500


def products_as_csv(products: QuerySet[Product]) -> Iterator[str]:
    """Yield the lines of a CSV file of products, the header first; text that begins like a formula gets a quote."""
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(COLUMNS)
    for product in products.select_related("brand", "category").iterator(CHUNK):
        price = from_minor(to_minor(product.price), product.price.currency)
        row = (
            product.sku,
            product.name,
            str(price.amount),
            str(price.currency),
            product.brand.name,
            product.category.name if product.category else "",
            product.description,
            product.image_url,
            "true" if product.active else "false",
        )
        writer.writerow([safe(cell) for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()
    yield line.getvalue()  # the header alone, where there are no products


def safe(cell: str) -> str:
    """Return a cell that no spreadsheet runs: one that is a formula, or one behind quotes, gets a quote."""
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA) else cell


def unsafe(cell: str) -> str:
    """Return a cell of an import as it was before the export put a quote before it."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell
