"""Reads with a name."""

from holdfast_catalog_notify.selectors.admins import admins, get_admin
from holdfast_catalog_notify.selectors.catalog import (
    brands,
    categories,
    get_brand,
    get_category,
    get_product,
    products,
)
from holdfast_catalog_notify.selectors.changes import changes_of
from holdfast_catalog_notify.selectors.export import products_as_csv
from holdfast_catalog_notify.selectors.notifications import (
    Preference,
    admins_to_tell,
    channel,
    default_mode,
    deliveries,
    inbox,
    inboxes,
    is_suppressed,
    muted_brands,
    preferences,
)

__all__ = [
    "Preference",
    "admins",
    "admins_to_tell",
    "brands",
    "categories",
    "changes_of",
    "channel",
    "default_mode",
    "deliveries",
    "get_admin",
    "get_brand",
    "get_category",
    "get_product",
    "inbox",
    "inboxes",
    "is_suppressed",
    "muted_brands",
    "preferences",
    "products",
    "products_as_csv",
]
