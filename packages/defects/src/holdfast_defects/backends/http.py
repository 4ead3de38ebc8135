"""A counter server over HTTP."""

import json
import time
from urllib.parse import urlsplit
from uuid import UUID

from holdfast.http import AnswerTooLarge, Limits, Lost, NotSent, Reply, Transport
from holdfast.outbox import DeliveryFailed
from holdfast.outbox.webhooks.signing import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, key_of, sign
from holdfast_defects.states import Action

# The server has read the event and does not want it. Whatever else it says may change: that it is down or busy, but
# also that our address or our secret is wrong, which somebody will put right.
REFUSED = frozenset({400, 422})
EXCERPT_LENGTH = 500


class HttpCounter:
    """Posts ``{"user": <id>, "action": "create" | "delete"}``, and takes any 2xx for counted.

    The event's id travels as ``webhook-id`` and as ``Idempotency-Key``. With a ``secret`` each request is signed as
    Standard Webhooks are; ``holdfast.outbox.webhooks.verifier`` verifies it. Redirects are not followed,
    and the proxies of the environment not asked.
    """

    def __init__(
        self,
        *,
        url: str,
        secret: str | None = None,
        connect_seconds: float = 2.0,
        read_seconds: float = 5.0,
        total_seconds: float = 10.0,
        max_answer_bytes: int = 65_536,
    ) -> None:
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"{url!r} is not an address that begins with http:// or https://")
        self._keys = [key_of(secret)] if secret else []
        limits = Limits(
            connect_seconds=connect_seconds,
            read_seconds=read_seconds,
            total_seconds=total_seconds,
            max_bytes=max_answer_bytes,
        )
        self._transport = Transport(url, headers={"Content-Type": "application/json"}, limits=limits)

    def count(self, *, event_id: UUID, user_id: int | str, action: Action) -> None:
        """Tell the counter server. Raises ``DeliveryFailed``."""
        body = json.dumps({"user": user_id, "action": action}, separators=(",", ":")).encode()
        try:
            reply = self._transport.send("POST", content=body, headers=self._headers(str(event_id), body))
        except AnswerTooLarge as answer:
            # The status has said what there is to say.
            reply = Reply(answer.status, b"an answer without end")
        except (NotSent, Lost) as error:
            raise DeliveryFailed(f"The counter server was not told: {error.reason}.") from None
        if not 200 <= reply.status < 300:
            excerpt = reply.body[:EXCERPT_LENGTH].decode(errors="replace").replace("\0", "")
            raise DeliveryFailed(
                f"HTTP {reply.status}: {excerpt}",
                status=reply.status,
                after_seconds=reply.retry_after_seconds,
                final=reply.status in REFUSED,
            )

    def close(self) -> None:
        """Close the kept connection."""
        self._transport.close()

    def _headers(self, event_id: str, body: bytes) -> dict[str, str]:
        headers = {ID_HEADER: event_id, "Idempotency-Key": event_id}
        if self._keys:
            timestamp = int(time.time())
            headers[TIMESTAMP_HEADER] = str(timestamp)
            headers[SIGNATURE_HEADER] = sign(self._keys, event_id, timestamp, body)
        return headers
