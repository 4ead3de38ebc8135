"""What whoever watches the catalog should know."""

from django.db.models import Min

from holdfast.health.figures import Figure, counted, seconds_since
from holdfast_catalog_notify.models import Delivery
from holdfast_catalog_notify.models.notifications import OPEN
from holdfast_catalog_notify.selectors.reports import pending_views
from holdfast_catalog_notify.states import DeliveryState


def figures() -> list[Figure]:
    """Return how the notifications come along, and how much of what visitors saw is not counted yet."""
    waiting = Delivery.objects.filter(state__in=OPEN)
    told = [
        Figure(
            name="deliveries",
            description="Notifications by state; pending and failed ones wait, dead ones wait for a person.",
            value={state: counted(Delivery.objects.filter(state=state)) for state in DeliveryState},
            label="state",
        ),
        Figure(
            name="deliveries_late_seconds",
            description="How long a notification is due.",
            value=seconds_since(waiting.aggregate(first=Min("due_at"))["first"]),
        ),
    ]
    views = pending_views()
    if views is not None:
        told.append(Figure(name="views_waiting", description="Answers to visitors not counted yet.", value=views))
    return told
