"""Notices: written by reactions, read on the activity page."""

import datetime as dt
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from storefront.models import Notice


def notify(*, user_id: int, event_id: UUID, icon: str, text: str, address: str, occurred_at: dt.datetime) -> None:
    """Tell a person something; an event that is told again changes nothing."""
    Notice.objects.bulk_create(
        [
            Notice(
                user_id=user_id,
                event_id=event_id,
                icon=icon,
                text=text[:240],
                address=address,
                occurred_at=occurred_at,
            )
        ],
        ignore_conflicts=True,
    )


def of(*, user_id: int) -> QuerySet[Notice]:
    """Return a person's notices, newest first."""
    return Notice.objects.filter(user_id=user_id)


def unread(*, user_id: int) -> int:
    """Return how many notices a person has not seen."""
    return of(user_id=user_id).filter(read_at=None).count()


def read_all(*, user_id: int) -> None:
    """Mark what a person has now seen."""
    of(user_id=user_id).filter(read_at=None).update(read_at=timezone.now())
