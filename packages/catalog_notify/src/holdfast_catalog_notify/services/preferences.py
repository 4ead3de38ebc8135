"""How an admin wants to be told."""

from typing import Any
from uuid import UUID

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from holdfast.outbox.webhooks.addresses import Refused, parse
from holdfast.transactions import atomic_for
from holdfast_catalog_notify import selectors
from holdfast_catalog_notify.backends.email import EmailChannel
from holdfast_catalog_notify.backends.posting import HttpChannel
from holdfast_catalog_notify.conf import settings
from holdfast_catalog_notify.exceptions import (
    AddressNeeded,
    BrandUnknown,
    ChannelUnknown,
    DigestNotOffered,
    TooManyMutedBrands,
    UnsubscribeLinkInvalid,
)
from holdfast_catalog_notify.models import Brand, ChannelPreference, MutedBrand
from holdfast_catalog_notify.models.notifications import ADDRESS_LENGTH
from holdfast_catalog_notify.services.messages import SALT
from holdfast_catalog_notify.services.rows import using
from holdfast_catalog_notify.states import Mode

# They are read as one list, and left out of each message by name.
MUTED_BRANDS_MAX = 1_000


def choose_channel(*, user_id: Any, channel: str, mode: Mode, address: str = "") -> ChannelPreference:
    """Say how an admin is told over a channel from now on.

    Raises ``ChannelUnknown``, ``DigestNotOffered``, ``AddressNeeded``.
    """
    known = selectors.channel(channel)
    if known is None:
        raise ChannelUnknown(channel=channel[:40], channels=sorted(settings.CHANNELS))
    if mode == Mode.DIGEST and not known.digests:
        raise DigestNotOffered(channel=channel)
    if mode != Mode.OFF:
        _check_address(channel, known, address)
    preference, _created = ChannelPreference.objects.update_or_create(
        user_id=user_id, channel=channel, defaults={"mode": mode, "address": address[:ADDRESS_LENGTH]}
    )
    return preference


@atomic_for(MutedBrand)
def mute_brand(*, user_id: Any, brand_id: UUID) -> None:
    """Tell an admin no more of changes of a brand's products. Raises ``BrandUnknown``, ``TooManyMutedBrands``."""
    if not Brand.objects.select_for_update(no_key=True).filter(pk=brand_id).exists():
        raise BrandUnknown(brand=str(brand_id))
    muted = selectors.muted_brands(user_id=user_id, using=using())
    if len(muted) >= MUTED_BRANDS_MAX and brand_id not in muted:
        raise TooManyMutedBrands(maximum=MUTED_BRANDS_MAX)
    MutedBrand.objects.get_or_create(user_id=user_id, brand_id=brand_id)


def unmute_brand(*, user_id: Any, brand_id: UUID) -> None:
    """Tell an admin of a brand's products again."""
    MutedBrand.objects.filter(user_id=user_id, brand_id=brand_id).delete()


def unsubscribe(*, token: str) -> str:
    """Do what a link to unsubscribe stands for, and return the channel that ends. Raises ``UnsubscribeLinkInvalid``."""
    user_id, channel = read_unsubscribe_link(token=token)
    ChannelPreference.objects.update_or_create(user_id=user_id, channel=channel, defaults={"mode": Mode.OFF})
    return channel


def read_unsubscribe_link(*, token: str) -> tuple[Any, str]:
    """Return whom and which channel a link is about, and do nothing. Raises ``UnsubscribeLinkInvalid``.

    A link holds for ever: an old mail must be able to end what it is an example of.
    """
    try:
        content = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise UnsubscribeLinkInvalid from None
    admins = selectors.admins().using(using())
    if content["channel"] not in settings.CHANNELS or not admins.filter(pk=content["user"]).exists():
        raise UnsubscribeLinkInvalid
    return content["user"], content["channel"]


def _check_address(name: str, channel: object, address: str) -> None:
    if not address:
        if getattr(channel, "needs_address", False):
            raise AddressNeeded(channel=name)
        return
    if len(address) > ADDRESS_LENGTH:
        raise AddressNeeded("The address is too long.", channel=name)
    if isinstance(channel, EmailChannel):
        try:
            validate_email(address)
        except ValidationError:
            raise AddressNeeded("This is no e-mail address.", channel=name) from None
    if isinstance(channel, HttpChannel):
        # Whether it is public, the sender looks each time: names change where they lead to.
        try:
            parse(address)
        except Refused as refused:
            raise AddressNeeded(str(refused), channel=name) from None
