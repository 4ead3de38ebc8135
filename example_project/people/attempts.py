"""A limit on guesses: so many failed sign-ins for one name from one address, then none for a while."""

from hashlib import sha256

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle


def address_of(request: HttpRequest | Request) -> str:
    """Return who asks as our own proxies saw it (``TRUSTED_PROXIES``), never as the caller says of himself."""
    return BaseThrottle().get_ident(request) or ""  # type: ignore[arg-type]  # it looks at META, which both have


def _key(username: str, address: str) -> str:
    # Whatever somebody types is no key: caches want keys that are short and plain.
    return f"people:attempts:{sha256(f'{address} {username.casefold()}'.encode()).hexdigest()}"


def exhausted(username: str, address: str) -> bool:
    """Tell whether this name was tried too often from this address."""
    return bool(cache.get(_key(username, address), 0) >= settings.SIGN_IN_ATTEMPTS)


def count(username: str, address: str) -> None:
    """Count one failure."""
    key = _key(username, address)
    cache.add(key, 0, settings.SIGN_IN_ATTEMPTS_SECONDS)
    cache.incr(key)


def forgive(username: str, address: str) -> None:
    """Forget the failures: the right password was given."""
    cache.delete(_key(username, address))
