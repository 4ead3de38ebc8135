"""The buffer in a Redis or Valkey: no row is written until the roll-up comes."""

import datetime as dt
import json
from typing import Any
from uuid import UUID

from holdfast.ids import uuid7
from holdfast_catalog_notify.ports import Batch, Views
from holdfast_catalog_notify.states import ViewKind

try:
    import redis
except ImportError:  # a host with the database buffer need not install it
    redis = None  # type: ignore[assignment]  # asked for before it is used

# A batch whose claim is as old as that is somebody's who died: it comes again, and the figures know whether it counted.
CLAIM_SECONDS = 60.0

# Takes an abandoned batch, or else makes one of the oldest views: all in one step of the server.
_CLAIM = """
    local time = redis.call('TIME')
    local now = tonumber(time[1])
    local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[3]), 'LIMIT', 0, 1)
    local id = old[1]
    if not id then
        local views = redis.call('LRANGE', KEYS[1], 0, tonumber(ARGV[2]) - 1)
        if #views == 0 then return false end
        id = ARGV[1]
        for _, one in ipairs(views) do redis.call('RPUSH', KEYS[1] .. ':' .. id, one) end
        redis.call('LTRIM', KEYS[1], #views, -1)
    end
    redis.call('ZADD', KEYS[2], now, id)
    return {id, redis.call('LRANGE', KEYS[1] .. ':' .. id, 0, -1)}
"""


class RedisBuffer:
    """Loses what the Redis server loses: with ``appendfsync everysec``, at most its last 2 seconds when it crashes.

    A killed request or roll-up loses nothing. Where the server keeps nothing on disk, a crash of it loses what waits.
    """

    def __init__(self, *, url: str, key: str = "holdfast_catalog_notify:views", timeout_seconds: float = 1.0) -> None:
        if redis is None:
            raise ImportError("The buffer in Redis needs the package redis.")
        # A cluster keeps what is between braces together.
        self.key = f"{{{key}}}"
        self.timeout_seconds = timeout_seconds
        self._redis: Any = redis.Redis.from_url(
            url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds, decode_responses=True
        )
        self._claim = self._redis.register_script(_CLAIM)

    def add(self, views: Views) -> None:
        """Append to a list."""
        self._redis.rpush(self.key, _encoded(views))

    def claim(self, *, limit: int) -> Batch | None:
        """Move the oldest views into a batch of their own, or take over the batch of a roll-up that died."""
        claimed = self._claim(keys=[self.key, f"{self.key}:claims"], args=[uuid7().hex, limit, CLAIM_SECONDS])
        if not claimed:
            return None
        batch_id, texts = claimed
        return Batch(id=UUID(batch_id), views=[_decoded(text) for text in texts])

    def settle(self, batch: Batch) -> None:
        """Delete the batch."""
        if batch.id is None:
            return
        with self._redis.pipeline() as pipeline:
            pipeline.delete(f"{self.key}:{batch.id.hex}")
            pipeline.zrem(f"{self.key}:claims", batch.id.hex)
            pipeline.execute()

    def pending(self) -> int:
        """Count what waits and what is claimed; a batch that is counted and not yet settled still is."""
        waiting = self._redis.llen(self.key)
        for batch_id in self._redis.zrange(f"{self.key}:claims", 0, -1):
            waiting += self._redis.llen(f"{self.key}:{batch_id}")
        return int(waiting)

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()


def _encoded(views: Views) -> str:
    ids = " ".join(product_id.hex for product_id in views.product_ids)
    return json.dumps([views.kind.value, ids, int(views.hour.timestamp()), views.is_bot, views.visitor])


def _decoded(text: str) -> Views:
    kind, ids, hour, is_bot, visitor = json.loads(text)
    return Views(
        kind=ViewKind(kind),
        product_ids=tuple(UUID(one) for one in ids.split()),
        hour=dt.datetime.fromtimestamp(hour, dt.UTC),
        is_bot=is_bot,
        visitor=visitor,
    )
