"""Where a webhook may go. Whoever may enter a URL could otherwise have this server call its own neighbors (SSRF).

The name is resolved here, each address is looked at, and the connection is made to an address that was looked at: a
second resolution could answer otherwise.
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from holdfast.outbox.conf import settings

# IPv6 addresses that have an IPv4 address in their last 32 bits, and lead to it: by a public translator (RFC 6052),
# translated (RFC 2765), compatible (RFC 4291, long deprecated).
_IPV4_AT_THE_END = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")))
_SIXTO4 = ipaddress.ip_network("2002::/16")
# Not public, whatever this Python's tables say: a translator of one's own network (RFC 8215), site-local addresses
# (RFC 3879), the anycast address of 6to4 relays (RFC 7526).
_NOT_PUBLIC = tuple(map(ipaddress.ip_network, ("64:ff9b:1::/48", "fec0::/10", "192.88.99.0/24")))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Refused(Exception):
    """A webhook must not go there."""


@dataclass(frozen=True)
class Target:
    """A URL, taken apart and found well-formed."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


def parse(url: str) -> Target:
    """Take a URL apart. Raises ``Refused`` where it is malformed, has credentials, or should be https."""
    if any(character <= " " or character >= "\x7f" for character in url):
        raise Refused("The URL has characters that belong percent-encoded.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except (ValueError, UnicodeError):
        raise Refused("The URL is malformed.") from None
    if parts.scheme not in ("https", "http"):
        raise Refused("The URL is not https.")
    if parts.scheme == "http" and not settings.WEBHOOK_ALLOW_HTTP:
        raise Refused("The URL is not https, and WEBHOOK_ALLOW_HTTP is off.")
    if parts.username is not None or parts.password is not None:
        raise Refused("The URL has credentials in it.")
    if not host or port == 0:
        raise Refused("The URL names no host.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def resolve(target: Target) -> list[str]:
    """Return the addresses of a host. Raises ``Refused`` if one of them is not public, ``OSError`` if there is none."""
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_rest, sockaddr in found))
    for address in addresses:
        if not allowed(ipaddress.ip_address(address.partition("%")[0])):
            raise Refused(f"{target.host} is {address}, which is not a public address.")
    return addresses


def allowed(address: Address) -> bool:
    """Whether webhooks may go to an address: a public one, or one in ``WEBHOOK_ALLOWED_NETWORKS``."""
    if any(address in ipaddress.ip_network(network) for network in settings.WEBHOOK_ALLOWED_NETWORKS):
        return True
    if isinstance(address, ipaddress.IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return allowed(inner)
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOT_PUBLIC)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address leads to in the end."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if any(address in network for network in _IPV4_AT_THE_END):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _SIXTO4:
        return address.sixtofour
    return None
