"""Remembering what was read: pages of the market and alerts, in any of Django's caches.

Each key holds two versions, of one shop or of the whole market and of the tree of categories, that are replaced after
something of it has changed. So nothing has to be found to be deleted, and who read before the change and writes after
it writes where nobody looks.
Without a cache, or with one that is down, everything is read anew. Nothing that a purchase decides on is read from
here.
"""

import hashlib
import logging
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.core.cache import cache

from holdfast_artisan_shop.conf import settings

logger = logging.getLogger("holdfast_artisan_shop")

T = TypeVar("T")
MARKET, TREE = "market", "tree"
VERSION_SECONDS = 86_400
_PREFIX = "holdfast_artisan_shop"


def remembered(make: Callable[[], T], *, about: Any, shop_id: UUID | None = None) -> T:
    """Return what ``make`` returns, or returned lately for the same ``about``.

    ``about`` is whatever tells one answer from another, with a ``repr`` that does; ``None`` is never remembered.
    ``shop_id`` is the only shop that the answer depends on, if it is only one.
    """
    seconds = settings.BROWSE_CACHE_SECONDS
    if not seconds:
        return make()
    try:
        versions = _versions(_version_key(MARKET if shop_id is None else shop_id.hex), _version_key(TREE))
        key = f"{_PREFIX}:{':'.join(versions)}:{hashlib.sha256(repr(about).encode()).hexdigest()}"
        known = cache.get(key)
    except Exception:  # whatever a cache raises that is down
        logger.exception("The cache does not answer.")
        return make()
    if known is not None:
        answer: T = known
        return answer
    made = make()
    try:
        cache.set(key, made, seconds)
    except Exception:
        logger.exception("The cache does not answer.")
    return made


def forget(*, shop_id: UUID) -> None:
    """Let what was remembered of a shop, and of the market that it is in, not be found again."""
    _replace(_version_key(shop_id.hex), _version_key(MARKET))


def forget_all() -> None:
    """Let nothing that was remembered be found again: every page may name a category that is different now."""
    _replace(_version_key(TREE))


def _replace(*keys: str) -> None:
    try:
        cache.set_many({key: uuid4().hex for key in keys}, VERSION_SECONDS)
    except Exception:
        # It is out of date for BROWSE_CACHE_SECONDS then, and no longer.
        logger.exception("The cache does not answer.")


def _versions(*keys: str) -> list[str]:
    known: dict[str, Any] = cache.get_many(keys)
    return [str(known.get(key) or cache.get_or_set(key, lambda: uuid4().hex, VERSION_SECONDS)) for key in keys]


def _version_key(name: str) -> str:
    return f"{_PREFIX}:version:{name}"
