"""Reads of the notifications."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Prefetch, QuerySet

from holdfast.conf import load_backend
from holdfast_catalog_notify.backends.email import EmailChannel
from holdfast_catalog_notify.backends.inbox import InboxChannel
from holdfast_catalog_notify.conf import settings
from holdfast_catalog_notify.models import Change, ChannelPreference, Delivery, DeliveryAttempt, MutedBrand, Suppression
from holdfast_catalog_notify.ports import Channel, Recipient
from holdfast_catalog_notify.states import DeliveryState, Mode

INBOX_CHANGES = 20


@dataclass(frozen=True, kw_only=True)
class Preference:
    """How an admin is told over a channel, by his choice or by default."""

    channel: str
    mode: str
    address: str = ""


def channel(name: str) -> Channel | None:
    """Return the channel of that name, if there is one."""
    spec = settings.CHANNELS.get(name)
    return None if spec is None else load_backend(spec)


def inboxes() -> list[str]:
    """Return the names of the channels whose messages we keep ourselves."""
    return [name for name in settings.CHANNELS if isinstance(channel(name), InboxChannel)]


def admins_to_tell() -> QuerySet[Any]:
    """Return the active staff: who is told of changes."""
    return get_user_model()._default_manager.filter(is_staff=True, is_active=True)  # noqa: SLF001 - what Django documents for models not one's own


def inbox(*, user_id: Any, unread: bool | None = None, using: str | None = None) -> QuerySet[Delivery]:
    """Return what has come into an admin's inbox, the newest first, each with its change set's ``first_changes``."""
    found = Delivery.objects.using(using).filter(recipient_id=user_id, via__in=inboxes(), state=DeliveryState.SENT)
    if unread is not None:
        found = found.filter(read_at__isnull=unread)
    # Of an import of ten thousand products nobody reads more in his inbox.
    changes = Change.objects.using(using).order_by("pk")[:INBOX_CHANGES]
    first = Prefetch("change_set__changes", changes, to_attr="first_changes")
    return found.order_by("-change_set_id").select_related("change_set").prefetch_related(first)


def preferences(*, user_id: Any) -> list[Preference]:
    """Return how an admin is told over each channel there is."""
    chosen = {one.channel: one for one in ChannelPreference.objects.filter(user_id=user_id)}
    found = []
    for name in settings.CHANNELS:
        if own := chosen.get(name):
            found.append(Preference(channel=name, mode=own.mode, address=own.address))
        else:
            found.append(Preference(channel=name, mode=default_mode(name)))
    return found


def default_mode(name: str) -> Mode:
    """Return how an admin is told over a channel who has not said how."""
    return Mode.IMMEDIATE if name in settings.DEFAULT_CHANNELS else Mode.OFF


def muted_brands(*, user_id: Any, using: str | None = None) -> list[UUID]:
    """Return the brands whose changes an admin is not told of."""
    muted = MutedBrand.objects.using(using).filter(user_id=user_id).order_by("brand_id")
    return list(muted.values_list("brand_id", flat=True))


def deliveries(
    *,
    state: DeliveryState | None = None,
    recipient_id: Any = None,
    channel: str | None = None,
    using: str | None = None,
) -> QuerySet[Delivery]:
    """Return the log of the deliveries, the newest first, each with its tries."""
    filters = {"state": state, "recipient_id": recipient_id, "channel": channel}
    wanted = {name: value for name, value in filters.items() if value is not None}
    tries = Prefetch("tries", DeliveryAttempt.objects.using(using))
    return Delivery.objects.using(using).filter(**wanted).prefetch_related(tries)


def is_suppressed(*, channel: Channel, recipient: Recipient, using: str | None = None) -> bool:
    """Say whether mail to the recipient has bounced; the other channels know no such thing."""
    if not isinstance(channel, EmailChannel):
        return False
    address = (recipient.address or recipient.email).lower()
    return Suppression.objects.using(using).filter(address=address).exists()
