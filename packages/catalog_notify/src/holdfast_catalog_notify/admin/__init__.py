"""The staff's doors: products to edit, the history and the deliveries to look at."""

from holdfast_catalog_notify.admin.deliveries import ChannelPreferenceAdmin, DeliveryAdmin, SuppressionAdmin
from holdfast_catalog_notify.admin.history import ChangeAdmin, ChangeSetAdmin
from holdfast_catalog_notify.admin.products import BrandAdmin, CategoryAdmin, ProductAdmin

__all__ = [
    "BrandAdmin",
    "CategoryAdmin",
    "ChangeAdmin",
    "ChangeSetAdmin",
    "ChannelPreferenceAdmin",
    "DeliveryAdmin",
    "ProductAdmin",
    "SuppressionAdmin",
]
