"""Our own events: a stored webhook is applied as soon as the outbox tells of it, or else by the worker."""

from uuid import UUID

from holdfast.events import Envelope
from holdfast.outbox import subscribe
from holdfast_cards import services
from holdfast_cards.events import WebhookStored


@subscribe(WebhookStored)
def apply_webhook(envelope: Envelope[WebhookStored]) -> None:
    """Apply it; a second time changes nothing."""
    services.apply_notice(notice_id=UUID(envelope.event.notice_id))
