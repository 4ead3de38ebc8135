"""A counter server over HTTP."""

import asyncio
import json
import threading
import time
from typing import NoReturn
from uuid import UUID

import httpx

from holdfast.outbox import DeliveryFailed
from holdfast.outbox.webhooks.signing import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, key_of, sign
from holdfast.outbox.webhooks.sink import retry_after_seconds
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

    The client is asynchronous because httpx limits single reads only: that a server which drips byte by byte comes to
    an end too takes asyncio's deadline around the whole.
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
        self._url = httpx.URL(url)
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise ValueError(f"{url!r} is not an address that begins with http:// or https://")
        self._keys = [key_of(secret)] if secret else []
        self._total_seconds = total_seconds
        self._max_answer_bytes = max_answer_bytes
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(read_seconds, connect=connect_seconds),
            limits=httpx.Limits(max_connections=1),
            trust_env=False,
        )
        # One loop for the one client: kept connections belong to the loop that opened them.
        self._runner = asyncio.Runner()
        self._lock = threading.Lock()

    def count(self, *, event_id: UUID, user_id: int | str, action: Action) -> None:
        """Tell the counter server. Raises ``DeliveryFailed``."""
        body = json.dumps({"user": user_id, "action": action}, separators=(",", ":")).encode()
        with self._lock:
            self._runner.run(self._post(body, self._headers(str(event_id), body)))

    def close(self) -> None:
        """Close the kept connection."""
        with self._lock, self._runner:
            self._runner.run(self._client.aclose())

    def _headers(self, event_id: str, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", ID_HEADER: event_id, "Idempotency-Key": event_id}
        if self._keys:
            timestamp = int(time.time())
            headers[TIMESTAMP_HEADER] = str(timestamp)
            headers[SIGNATURE_HEADER] = sign(self._keys, event_id, timestamp, body)
        return headers

    async def _post(self, body: bytes, headers: dict[str, str]) -> None:
        try:
            async with (
                asyncio.timeout(self._total_seconds),
                self._client.stream("POST", self._url, content=body, headers=headers) as response,
            ):
                answer = await self._read(response)
        except TimeoutError:
            raise DeliveryFailed(f"The counter server took longer than {self._total_seconds:g} s.") from None
        except httpx.HTTPError as error:
            raise DeliveryFailed(f"{type(error).__name__}: {error}") from error
        if not response.is_success:
            _fail(response, answer)

    async def _read(self, response: httpx.Response) -> bytes:
        """Return the beginning of an answer. What is not read to its end costs the connection."""
        answer = b""
        async for chunk in response.aiter_raw():
            answer += chunk
            if len(answer) > self._max_answer_bytes:
                break
        return answer


def _fail(response: httpx.Response, answer: bytes) -> NoReturn:
    excerpt = answer[:EXCERPT_LENGTH].decode(errors="replace").replace("\0", "")
    raise DeliveryFailed(
        f"HTTP {response.status_code}: {excerpt}",
        status=response.status_code,
        after_seconds=retry_after_seconds(response.headers.get("Retry-After")),
        final=response.status_code in REFUSED,
    )
