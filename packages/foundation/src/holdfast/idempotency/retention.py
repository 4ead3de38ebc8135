"""Forgetting: keys are kept long enough for every retry, not forever."""

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from holdfast.conf import settings
from holdfast.idempotency.claims import database
from holdfast.idempotency.models import IdempotencyKey

_BATCH = 1_000


def purge_keys(*, limit: int = 100_000) -> int:
    """Delete keys that are older than ``IDEMPOTENCY_RETENTION_HOURS``, at most ``limit``, and return how many.

    In small batches, each its own transaction, so that no lock is held for long.
    """
    now = timezone.now()
    rows = IdempotencyKey.objects.using(database())
    old = rows.filter(
        Q(claimed_until__isnull=True) | Q(claimed_until__lt=now),
        created_at__lt=now - dt.timedelta(hours=settings.IDEMPOTENCY_RETENTION_HOURS),
    )
    purged = 0
    while purged < limit:
        batch = list(old.order_by("created_at").values_list("pk", flat=True)[: min(_BATCH, limit - purged)])
        if not batch:
            break
        rows.filter(pk__in=batch).delete()
        purged += len(batch)
    return purged
