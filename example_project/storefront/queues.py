"""What waits for an operator: each queue is one of the admin's lists with a filter, and its figure is that list's.

So a figure and the list behind it cannot disagree, and nobody sees the figure of a list that he may not open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import prepare_lookup_value
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

COUNTED_AT_MOST = 1000


@dataclass(frozen=True)
class Queue:
    """A list with a filter: what it holds, and what one does with it."""

    title: str
    model: str
    words: str
    asks: Mapping[str, str] = field(default_factory=dict)


# Nothing of this goes away by itself: a person decides.
TO_DECIDE = (
    Queue(
        "Dead letters",
        "holdfast.OutboxDeadLetter",
        "Events that a receiver never took. Mend it, then replay them; or discard them, with a reason.",
        {"resolution__exact": "open"},
    ),
    Queue(
        "Disabled webhooks",
        "holdfast.WebhookEndpoint",
        "Receivers that failed for too long. Send a test, then enable them: what waited is sent.",
        {"state__exact": "disabled"},
    ),
    Queue(
        "Cards to review",
        "holdfast_cards.Operation",
        "Nobody knows whether the provider has done it. Ask there, then say what it was.",
        {"state__exact": "needs_review"},
    ),
    Queue(
        "Card discrepancies",
        "holdfast_cards.Discrepancy",
        "The provider has a card that we do not, or another one. Note how it was resolved.",
        {"state__exact": "open"},
    ),
    Queue(
        "Payments that broke",
        "holdfast_artisan_shop.Payment",
        "The gateway refused what it had promised. Talk to it, then try again.",
        {"state__exact": "failed"},
    ),
    Queue(
        "Failed deliveries",
        "holdfast_artisan_shop.Delivery",
        "Nobody was there. The customer, or you for him, chooses another slot.",
        {"state__exact": "failed"},
    ),
    Queue(
        "Dead notifications",
        "holdfast_catalog_notify.Delivery",
        "Mails and messages that no channel took. Replay them once it does.",
        {"state__exact": "dead"},
    ),
)
# This moves by itself; an operator looks whether it does.
TO_WATCH = (
    Queue(
        "Open holds",
        "holdfast_wallet.Hold",
        "Money set aside for an order or a payment. What nobody takes is freed when its time is over.",
        {"state__exact": "open"},
    ),
    Queue(
        "Payments under way",
        "holdfast_wallet.Payment",
        "The bank has not answered yet; it is asked again each minute.",
        {"state__exact": "pending"},
    ),
    Queue(
        "Refused top-ups and payouts",
        "holdfast_wallet.Payment",
        "The bank said no, and why. What was set aside for it is free again.",
        {"state__exact": "failed"},
    ),
    Queue(
        "Declined at checkout",
        "holdfast_artisan_shop.Payment",
        "Orders that were not paid. Their pieces are back on the shelf.",
        {"state__exact": "declined"},
    ),
    Queue(
        "Stock alerts",
        "holdfast_artisan_shop.InventoryAlert",
        "Little is left, and the artisan was told. Receiving pieces closes them.",
        {"resolved_at__isnull": "1"},
    ),
    Queue(
        "Notifications tried again",
        "holdfast_catalog_notify.Delivery",
        "A channel did not answer; the next try is due by itself.",
        {"state__exact": "failed"},
    ),
    Queue(
        "Addresses that bounced",
        "holdfast_catalog_notify.Suppression",
        "Nothing is mailed to them any more. Deleting one lifts it.",
    ),
    Queue(
        "New defects",
        "holdfast_defects.Defect",
        "Reported, and not looked at yet.",
        {"state__exact": "reported"},
    ),
)


@dataclass(frozen=True)
class Waiting:
    """A queue as it is now."""

    title: str
    words: str
    address: str
    count: int

    @property
    def shown(self) -> str:
        """The figure; a thousand is simply many."""
        return f"{self.count:,}" if self.count < COUNTED_AT_MOST else f"{COUNTED_AT_MOST:,}+"


def waiting(request: HttpRequest, queues: Sequence[Queue]) -> list[Waiting]:
    """Return the queues that may be looked at, those with something in them first."""
    found = []
    for queue in queues:
        rows = rows_of(request, queue.model)
        if rows is not None:
            asked = {name: prepare_lookup_value(name, value) for name, value in queue.asks.items()}
            count = rows.filter(**asked)[:COUNTED_AT_MOST].count()
            found.append(Waiting(queue.title, queue.words, address_of(queue.model, queue.asks), count))
    return sorted(found, key=lambda one: one.count == 0)


def rows_of(request: HttpRequest, model: str) -> QuerySet[Any] | None:
    """Return the rows of one of the admin's lists, or ``None`` to who may not see it."""
    window = admin.site.get_model_admin(apps.get_model(model))
    return window.get_queryset(request).order_by() if window.has_view_permission(request) else None


def address_of(model: str, asks: Mapping[str, str]) -> str:
    """Return where a list is, with a filter."""
    name = model.lower().replace(".", "_")
    return f"{reverse(f'admin:{name}_changelist')}{'?' if asks else ''}{urlencode(asks)}"
