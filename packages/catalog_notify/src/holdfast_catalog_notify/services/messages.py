"""What an admin reads: change sets, in words of his language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings as django_settings
from django.core import signing
from django.template.loader import select_template
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from holdfast_catalog_notify.conf import settings
from holdfast_catalog_notify.models import Change, ChannelPreference, Delivery, MutedBrand
from holdfast_catalog_notify.ports import Message, Recipient
from holdfast_catalog_notify.services.changes import EVENT_TEXT, plain_id

TEMPLATES = "holdfast_catalog_notify/notification"
# A mail of a thousand lines is read by nobody; the history has them all.
SHOWN_CHANGES = 50
SALT = "holdfast_catalog_notify.unsubscribe"


@dataclass(frozen=True)
class Told:
    """A change set, as a template sees it."""

    actor: str
    at: Any
    door: str
    changes: Sequence[Change]
    more: int


def message_of(*, deliveries: Sequence[Delivery]) -> Message:
    """Return the message of one delivery, or of the several of a digest, which are one admin's over one channel."""
    first = deliveries[0]
    user, via = first.recipient, first.via
    muted = set(MutedBrand.objects.filter(user_id=user.pk).values_list("brand_id", flat=True))
    told = [_told(delivery, muted) for delivery in deliveries]
    address = ChannelPreference.objects.filter(user_id=user.pk, channel=via).values_list("address", flat=True).first()
    unsubscribe_url = unsubscribe_url_of(user_id=user.pk, channel=via)
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
        change_sets=[_plain(delivery, one) for delivery, one in zip(deliveries, told, strict=True)],
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


def _told(delivery: Delivery, muted: set[Any]) -> Told:
    change_set = delivery.change_set
    wanted = change_set.changes.exclude(brand_id__in=muted).order_by("pk")
    changes = list(wanted[:SHOWN_CHANGES])
    for change in changes:
        change.values = {
            name: {when: _short(value) for when, value in pair.items()} for name, pair in change.values.items()
        }
    more = wanted.count() - len(changes) if len(changes) == SHOWN_CHANGES else 0
    return Told(change_set.actor_name, change_set.at, change_set.door, changes, more)


def _plain(delivery: Delivery, told: Told) -> dict[str, Any]:
    return {
        "id": str(delivery.change_set_id),
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


def _short(value: Any) -> Any:
    return f"{value[:EVENT_TEXT]}…" if isinstance(value, str) and len(value) > EVENT_TEXT else value
