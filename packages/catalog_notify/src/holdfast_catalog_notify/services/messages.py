"""What an admin reads: change sets, in words of his language."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings as django_settings
from django.core import signing
from django.db.models import Count
from django.template.loader import select_template
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from holdfast_catalog_notify.conf import settings
from holdfast_catalog_notify.models import Change, ChannelPreference, Delivery, MutedBrand
from holdfast_catalog_notify.ports import Message, Recipient
from holdfast_catalog_notify.services.changes import excerpts, plain_id
from holdfast_catalog_notify.services.rows import using

TEMPLATES = "holdfast_catalog_notify/notification"
# A mail of a thousand lines is read by nobody; the history has them all.
SHOWN_CHANGES = 50
SALT = "holdfast_catalog_notify.unsubscribe"


@dataclass(frozen=True)
class Told:
    """A change set, as a template sees it: its first changes, and how many more there are."""

    id: UUID
    actor: str
    at: Any
    door: str
    changes: Sequence[Change]
    more: int


def message_of(*, deliveries: Sequence[Delivery]) -> Message:
    """Return the message of one delivery, or of the several of a digest, which are one admin's over one channel.

    It has no change sets if the admin has muted everything that they changed.
    """
    first = deliveries[0]
    user, via = first.recipient, first.via
    told = _told(deliveries)
    preference = ChannelPreference.objects.using(using()).filter(user_id=user.pk, channel=via)
    address = preference.values_list("address", flat=True).first()
    # Also where another channel has taken over: what he does not want is what he was to be told by.
    unsubscribe_url = unsubscribe_url_of(user_id=user.pk, channel=first.channel)
    context = {
        "change_sets": told,
        "total": sum(len(one.changes) + one.more for one in told),
        "recipient": user,
        "unsubscribe_url": unsubscribe_url,
    }
    with translation.override(getattr(user, settings.LANGUAGE_FIELD, None) or django_settings.LANGUAGE_CODE):
        subject = " ".join(_rendered(via, "subject.txt", context).split())
        text = _rendered(via, "body.txt", context).strip() + "\n"
        html = _rendered(via, "body.html", context)
    return Message(
        id=first.message_id or first.pk,
        recipient=Recipient(
            user_id=plain_id(user.pk),
            name=str(user.get_username()),
            email=getattr(user, user.get_email_field_name(), "") or "",
            address=address or "",
        ),
        subject=subject,
        text=text,
        html=html,
        change_sets=[_plain(one) for one in told],
        created_at=first.created_at,
        unsubscribe_url=unsubscribe_url,
    )


def unsubscribe_url_of(*, user_id: Any, channel: str) -> str:
    """Return the signed link that ends a channel for an admin; empty where the host has no address or no API."""
    if not settings.BASE_URL:
        return ""
    token = signing.dumps({"user": plain_id(user_id), "channel": channel}, salt=SALT, compress=False)
    try:
        return settings.BASE_URL.rstrip("/") + reverse("holdfast_catalog_notify:unsubscribe", args=[token])
    except NoReverseMatch:
        return ""


def _told(deliveries: Sequence[Delivery]) -> list[Told]:
    """Return the change sets without what the admin has muted: the first changes of all, and how many more there are.

    One with nothing left is not told.
    """
    muted = MutedBrand.objects.using(using()).filter(user_id=deliveries[0].recipient_id).values("brand_id")
    ids = [delivery.change_set_id for delivery in deliveries]
    wanted = Change.objects.using(using()).filter(change_set_id__in=ids).exclude(brand_id__in=muted)
    totals = dict(wanted.values_list("change_set_id").annotate(Count("pk")).order_by())
    shown: dict[UUID, list[Change]] = defaultdict(list)
    for change in wanted.order_by("change_set_id", "pk")[:SHOWN_CHANGES]:
        change.values = excerpts(change.values)
        shown[change.change_set_id].append(change)
    return [
        Told(one.pk, one.actor_name, one.at, one.door, shown[one.pk], totals[one.pk] - len(shown[one.pk]))
        for one in (delivery.change_set for delivery in deliveries)
        if one.pk in totals
    ]


def _plain(told: Told) -> dict[str, Any]:
    return {
        "id": str(told.id),
        "at": told.at.isoformat(),
        "actor": told.actor,
        "door": str(told.door),
        "more": told.more,
        "changes": [
            {
                "product_id": str(change.product_id),
                "sku": change.sku,
                "name": change.name,
                "action": change.action,
                "values": change.values,
            }
            for change in told.changes
        ],
    }


def _rendered(via: str, part: str, context: dict[str, Any]) -> str:
    # A host may write one for a channel, or one for all.
    template = select_template([f"{TEMPLATES}/{via}/{part}", f"{TEMPLATES}/{part}"])
    return str(template.render(context))
