"""The tables of the catalog.

- ``Brand``, ``Category``: what products belong to.
- ``Product``: what the catalog shows.
- ``ChangeSet``: what one transaction changed, by whom, when and through which door; ``Change``: one product in it.
- ``ChannelPreference``, ``MutedBrand``: how an admin wants to be told, and of what he does not.
- ``Delivery``: a change set on its way to one admin over one channel; over ``inbox`` it is the entry of his inbox.
- ``DeliveryAttempt``: one try of it. ``Suppression``: an address that nothing is sent to any more.
- ``BufferedViews``, ``HourlyViews``, ``DailyViews``: what visitors looked at, waiting to be counted and counted.
- ``Visit``, ``VisitorSalt``, ``CountedBatch``: what the counting has to remember for a while.

Only ``services`` write them; what they must keep in any case, their constraints say once more.
"""

from holdfast_catalog_notify.models.catalog import Brand, Category, Product
from holdfast_catalog_notify.models.changes import Change, ChangeSet
from holdfast_catalog_notify.models.counting import (
    FIGURES,
    BufferedViews,
    CountedBatch,
    DailyViews,
    HourlyViews,
    Visit,
    VisitorSalt,
)
from holdfast_catalog_notify.models.notifications import (
    ChannelPreference,
    Delivery,
    DeliveryAttempt,
    MutedBrand,
    Suppression,
)

__all__ = [
    "FIGURES",
    "Brand",
    "BufferedViews",
    "Category",
    "Change",
    "ChangeSet",
    "ChannelPreference",
    "CountedBatch",
    "DailyViews",
    "Delivery",
    "DeliveryAttempt",
    "HourlyViews",
    "MutedBrand",
    "Product",
    "Suppression",
    "Visit",
    "VisitorSalt",
]
