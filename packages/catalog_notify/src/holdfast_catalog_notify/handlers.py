"""Our own events to our own notifications; and what e-mail providers tell of mails, if Anymail is there to be told."""

from typing import Any
from uuid import UUID

from holdfast.events import Envelope
from holdfast.outbox import subscribe
from holdfast_catalog_notify import services
from holdfast_catalog_notify.events import ProductsChanged

try:
    from anymail.signals import tracking
except ImportError:  # the extra "anymail"
    tracking = None

# What Anymail calls them; "deferred" is no end, and "unsubscribed" is the provider's own list.
LOST = {"bounced", "rejected", "failed", "complained"}
# A full mailbox may do better next time; an address that is none, or whose owner complains, will not.
SUPPRESSED = {"bounced", "invalid"}


@subscribe(ProductsChanged)
def notify_admins(envelope: Envelope[ProductsChanged]) -> None:
    """Make the notifications of a change set."""
    services.notify_admins(change_set_id=UUID(envelope.event.change_set_id))


def note_bounce(event: Any, esp_name: str, **_kwargs: Any) -> None:
    """Write down that a mail came back, as a provider's webhook tells Anymail."""
    if event.event_type in LOST:
        detail = event.description or event.reject_reason or ""
        services.note_bounce(
            provider_id=event.message_id or "",
            address=event.recipient or "",
            reason=f"{esp_name}: {event.event_type}: {detail}".rstrip(": "),
            suppress=event.event_type == "complained" or event.reject_reason in SUPPRESSED,
        )


if tracking is not None:
    tracking.connect(note_bounce, dispatch_uid="holdfast_catalog_notify.bounces")
