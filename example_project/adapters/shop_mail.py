"""The catalog's channel for mail, lent to the shops: what it knows of servers, providers and bounces is built once."""

import datetime as dt
from urllib.parse import urljoin
from uuid import UUID

from django.conf import settings
from django.utils.html import format_html

from holdfast_catalog_notify import selectors as catalog
from holdfast_catalog_notify.ports import Message, Recipient
from people.models import User


def mail(*, message_id: UUID, person: User, subject: str, text: str, address: str, at: dt.datetime) -> None:
    """Mail somebody a sentence and where to go on; raise for it to be tried again, under the same id."""
    channel = catalog.channel("email")
    recipient = Recipient(user_id=person.pk, name=str(person), email=person.email)
    if channel is None or not person.email or catalog.is_suppressed(channel=channel, recipient=recipient):
        return
    link = urljoin(settings.SITE_URL, address)
    message = Message(
        id=message_id,
        recipient=recipient,
        subject=subject,
        text=f"{text}\n\n{link}\n",
        html=format_html(
            '<html><head></head><body><p>{}</p><p><a href="{}">{}</a></p></body></html>', text, link, link
        ),
        change_sets=[],
        created_at=at,
    )
    channel.send(message)
