"""Where the rows are."""

from django.db import router

from holdfast_catalog_notify.models import Product


def using() -> str:
    """Return the alias of the database that the catalog is written to, and with it the users whom its rows name."""
    return router.db_for_write(Product)
