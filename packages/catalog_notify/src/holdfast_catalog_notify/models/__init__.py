"""The tables of the catalog.

- ``Brand``, ``Category``: what products belong to.
- ``Product``: what the catalog shows.
- ``ChangeSet``: what one transaction changed, by whom, when and through which door; ``Change``: one product in it.
- ``ChannelPreference``, ``MutedBrand``: how an admin wants to be told, and of what he does not.
- ``Delivery``: a change set on its way to one admin over one channel; over ``inbox`` it is the entry of his inbox.
- ``DeliveryAttempt``: one try of it. ``Suppression``: an address that nothing is sent to any more.

Only ``services`` write them; what they must keep in any case, their constraints say once more.
"""

from holdfast_catalog_notify.models.catalog import Brand, Category, Product
from holdfast_catalog_notify.models.changes import Change, ChangeSet
from holdfast_catalog_notify.models.notifications import (
    ChannelPreference,
    Delivery,
    DeliveryAttempt,
    MutedBrand,
    Suppression,
)

__all__ = [
    "Brand",
    "Category",
    "Change",
    "ChangeSet",
    "ChannelPreference",
    "Delivery",
    "DeliveryAttempt",
    "MutedBrand",
    "Product",
    "Suppression",
]
