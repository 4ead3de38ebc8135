"""What the channels over HTTP share: one POST, and what its answer means."""

import http.client
import json
from collections.abc import Mapping
from typing import Any

from holdfast.outbox import DeliveryFailed, GiveUp
from holdfast.outbox.webhooks.addresses import Refused
from holdfast.outbox.webhooks.sender import Answer, Sender
from holdfast.outbox.webhooks.sink import retry_after_seconds

EXCERPT_LENGTH = 300
# The receiver has read it and will never take it, or is no longer there.
REFUSED = frozenset({400, 404, 405, 410, 413, 422})


class HttpChannel:
    """Posts to the admin's own address or, where he has none, to ``url``.

    The foundation's sender sees to it that an admin's address leads to a public host, that nothing takes longer than
    ``WEBHOOK_TOTAL_SECONDS``, and that redirects are not followed.
    """

    digests = True
    at_most_once = False

    def __init__(self, *, url: str = "") -> None:
        self.needs_address = not url
        self._url = url

    def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post; return the answer if it is a 2xx. Raises ``GiveUp``, ``DeliveryFailed``."""
        url = address or self._url
        if not url:
            raise GiveUp("There is no address to post to.")
        try:
            # A sender for each message: an admin's address may change, and a connection is kept for nobody.
            sender = Sender(url)
            try:
                answer = sender.post(
                    body, {"Content-Type": "application/json", "User-Agent": "Holdfast-Catalog/1", **headers}
                )
            finally:
                sender.close()
        except Refused as refused:
            raise GiveUp(str(refused)) from refused
        except (OSError, http.client.HTTPException) as error:
            raise DeliveryFailed(f"{type(error).__name__}: {error}") from error
        if not 200 <= answer.status < 300:
            raise DeliveryFailed(
                f"HTTP {answer.status}: {_excerpt(answer.body)}",
                status=answer.status,
                after_seconds=retry_after_seconds(answer.retry_after),
                final=answer.status in REFUSED,
            )
        return answer


def encoded(document: Mapping[str, Any]) -> bytes:
    """Return a document as JSON."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _excerpt(body: bytes) -> str:
    return body[:EXCERPT_LENGTH].decode(errors="replace").replace("\0", "")
