"""Idempotency keys: a request that is sent twice has one effect and one answer.

``IdempotencyMixin`` goes in front of a ``DomainAPIView``, or ``IdempotencyKeyMixin`` where the verb keeps the key
itself; ``purge_keys`` forgets what is old enough. The draft of the
header field: draft-ietf-httpapi-idempotency-key-header.
"""

from holdfast.idempotency.mixin import IdempotencyKeyMixin, IdempotencyMixin
from holdfast.idempotency.retention import purge_keys

__all__ = ["IdempotencyKeyMixin", "IdempotencyMixin", "purge_keys"]
