"""The inbox: what has been read."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from holdfast_catalog_notify import selectors
from holdfast_catalog_notify.exceptions import NotificationNotFound
from holdfast_catalog_notify.models import Delivery
from holdfast_catalog_notify.services.rows import using


def mark_read(*, user_id: Any, notification_id: UUID) -> Delivery:
    """Say that an admin has read a notification of his; again changes nothing. Raises ``NotificationNotFound``."""
    inbox = selectors.inbox(user_id=user_id, using=using())
    inbox.filter(pk=notification_id, read_at__isnull=True).update(read_at=timezone.now())
    notification = inbox.filter(pk=notification_id).first()
    if notification is None:
        raise NotificationNotFound(notification_id=str(notification_id))
    return notification


def mark_all_read(*, user_id: Any) -> int:
    """Say that an admin has read everything in his inbox; return how much was new."""
    return selectors.inbox(user_id=user_id, unread=True).update(read_at=timezone.now())
