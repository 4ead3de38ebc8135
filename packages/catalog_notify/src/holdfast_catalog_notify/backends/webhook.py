"""Webhooks, signed by Standard Webhooks (https://www.standardwebhooks.com)."""

import time

from holdfast.outbox.webhooks.signing import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, key_of, sign
from holdfast_catalog_notify.backends.posting import HttpChannel, encoded
from holdfast_catalog_notify.ports import Message

TYPE = "holdfast_catalog_notify.notification.v1"


class WebhookChannel(HttpChannel):
    """Posts what was changed as JSON, to the admin's own address or the host's ``url``.

    ``webhook-id`` is the message's id, the same each time it is sent: a receiver that counts it once is told once.
    With a ``secret`` (``whsec_...``) each request is signed; ``holdfast.outbox.webhooks.verifier`` verifies it.
    """

    def __init__(self, *, url: str = "", secret: str | None = None) -> None:
        super().__init__(url=url)
        self._keys = [key_of(secret)] if secret else []

    def send(self, message: Message) -> str:
        """Post the message; return its id."""
        message_id = str(message.id)
        body = encoded(
            {
                "type": TYPE,
                "timestamp": message.created_at.isoformat(),
                "data": {
                    "recipient": {"user_id": message.recipient.user_id, "name": message.recipient.name},
                    "subject": message.subject,
                    "text": message.text,
                    "change_sets": list(message.change_sets),
                },
            }
        )
        headers = {ID_HEADER: message_id, "Idempotency-Key": message_id}
        if self._keys:
            timestamp = int(time.time())
            headers[TIMESTAMP_HEADER] = str(timestamp)
            headers[SIGNATURE_HEADER] = sign(self._keys, message_id, timestamp, body)
        self.post(message.recipient.address, body, headers)
        return message_id
