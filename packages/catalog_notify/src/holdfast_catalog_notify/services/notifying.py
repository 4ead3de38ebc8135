"""From a change set to its notifications: one delivery for each other admin and each of his channels."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.utils import timezone

from holdfast.transactions import atomic_for
from holdfast_catalog_notify import selectors
from holdfast_catalog_notify.conf import settings
from holdfast_catalog_notify.models import Change, ChangeSet, ChannelPreference, Delivery, MutedBrand
from holdfast_catalog_notify.services.rows import using
from holdfast_catalog_notify.states import Mode

BATCH = 1_000


@atomic_for(Delivery)
def notify_admins(*, change_set_id: UUID) -> int:
    """Tell every active admin but the actor of a change set, as he wants to be told; return how many deliveries.

    Done again, it adds nothing. Who has muted every brand of the change set is not told.
    """
    change_set = ChangeSet.objects.using(using()).filter(pk=change_set_id).first()
    if change_set is None:
        return 0
    changes = Change.objects.using(using()).filter(change_set=change_set)
    brands = set(changes.values_list("brand_id", flat=True).distinct())
    admins = selectors.admins_to_tell().using(using()).exclude(pk=change_set.actor_id)
    admin_ids = list(admins.values_list("pk", flat=True))
    muted: dict[Any, set[UUID]] = {}
    mutes = MutedBrand.objects.using(using()).filter(brand_id__in=brands)
    for user_id, brand_id in mutes.values_list("user_id", "brand_id"):
        muted.setdefault(user_id, set()).add(brand_id)
    chosen = {(one.user_id, one.channel): Mode(one.mode) for one in ChannelPreference.objects.using(using())}
    now = timezone.now()
    deliveries = [
        _delivery(change_set, admin_id, name, mode, now)
        for admin_id in admin_ids
        if brands - muted.get(admin_id, set())
        for name in settings.CHANNELS
        if (mode := chosen.get((admin_id, name), selectors.default_mode(name))) != Mode.OFF
    ]
    # The table's constraint decides what is there already: the event may be told by two relays at once.
    Delivery.objects.using(using()).bulk_create(deliveries, batch_size=BATCH, ignore_conflicts=True)
    return len(deliveries)


def _delivery(change_set: ChangeSet, admin_id: Any, name: str, mode: Mode, now: dt.datetime) -> Delivery:
    digest = mode == Mode.DIGEST
    return Delivery(
        change_set=change_set,
        recipient_id=admin_id,
        channel=name,
        via=name,
        digest=digest,
        due_at=_next_digest(now) if digest else now,
        created_at=now,
    )


def _next_digest(now: dt.datetime) -> dt.datetime:
    """Return the end of the present window; the windows are those of the clock, the same for everybody."""
    seconds = settings.DIGEST_SECONDS
    return dt.datetime.fromtimestamp((int(now.timestamp()) // seconds + 1) * seconds, tz=dt.UTC)
