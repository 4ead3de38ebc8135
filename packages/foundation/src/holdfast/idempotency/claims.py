"""Claiming a key: one INSERT says whether this request is the first, a repetition, or somebody else's.

Two ways, one table:

- **In the effect's transaction** (``lease_seconds=None``). The row is inserted, the verb runs, the answer is written
  into the row, and all of it commits at once or not at all. A process that dies leaves nothing behind. A twin must not
  wait for the row (it would hold a worker and a connection), so on PostgreSQL the INSERT first tries an advisory lock
  on the key: no lock, no row, "still running". SQLite has one writer at a time; there the twin waits for its turn and
  finds the answer.
- **With a lease**, for verbs that must commit more than once (intent, network call, result). The claim commits by
  itself and ends with its lease; whoever takes it over gets a new ``claim`` id, and the former holder can no longer
  store an answer.
"""

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.db import connections, router
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone

from holdfast.idempotency.exceptions import IdempotencyKeyReused, RequestStillRunning
from holdfast.idempotency.models import IdempotencyKey

# On a conflict only an expired lease of the very same request is taken over; any other row stays as it is and nothing
# is returned.
_INSERT = """
    INSERT INTO holdfast_idempotencykey (scope, key, fingerprint, claim, claimed_until, created_at)
    SELECT %s, %s, %s, %s, %s, %s WHERE {free}
    ON CONFLICT (scope, key) DO UPDATE SET claim = excluded.claim, claimed_until = excluded.claimed_until
    WHERE holdfast_idempotencykey.status IS NULL
      AND holdfast_idempotencykey.claimed_until < excluded.created_at
      AND holdfast_idempotencykey.fingerprint = excluded.fingerprint
    RETURNING id
"""
_UNLOCKED = "pg_try_advisory_xact_lock(hashtextextended(%s, 0))"


def database() -> str:
    """Return the alias of the database that holds the keys; only an effect in the same one commits with its answer."""
    return router.db_for_write(IdempotencyKey)


@dataclass(frozen=True)
class Claim:
    """One request's attempt to be the one that runs."""

    scope: str
    key: str
    fingerprint: str
    id: UUID = field(default_factory=uuid4)

    def take(self, *, lease_seconds: float | None = None) -> HttpResponse | None:
        """Claim the key; return the stored answer if there is one already.

        Raises ``IdempotencyKeyReused``, ``RequestStillRunning``.
        """
        if self._insert(lease_seconds):
            return None
        row = IdempotencyKey.objects.using(database()).filter(scope=self.scope, key=self.key).first()
        if row is None:  # the lock was taken by one that has not committed
            raise RequestStillRunning
        if row.fingerprint != self.fingerprint:
            raise IdempotencyKeyReused(idempotency_key=self.key)
        if row.status is None:
            raise RequestStillRunning
        return HttpResponse(
            bytes(row.body or b""), status=row.status, headers={**(row.headers or {}), "Idempotency-Replayed": "true"}
        )

    def store(self, response: HttpResponse) -> None:
        """Write the answer into the claimed row, unless the claim was taken over."""
        self._mine().update(
            status=response.status_code, headers=_kept(response), body=response.content, claimed_until=None
        )

    def give_up(self) -> None:
        """Free the key, so that the request can be tried again at once."""
        self._mine().delete()

    def _mine(self) -> QuerySet[IdempotencyKey]:
        return IdempotencyKey.objects.using(database()).filter(scope=self.scope, key=self.key, claim=self.id)

    def _insert(self, lease_seconds: float | None) -> bool:
        connection = connections[database()]
        now = timezone.now()
        until = None if lease_seconds is None else now + dt.timedelta(seconds=lease_seconds)
        adapt = connection.ops.adapt_datetimefield_value
        claim = self.id if connection.features.has_native_uuid_field else self.id.hex
        parameters = [self.scope, self.key, self.fingerprint, claim, adapt(until), adapt(now)]
        free = "true"
        if lease_seconds is None and connection.vendor == "postgresql":
            free = _UNLOCKED
            parameters.append(f"holdfast.idempotency {self.scope} {self.key}")
        with connection.cursor() as cursor:
            cursor.execute(_INSERT.format(free=free), parameters)
            return cursor.fetchone() is not None


def _kept(response: HttpResponse) -> dict[str, str]:
    # Vary and Allow belong to the exchange, not to the answer; DRF sets them anew on each.
    return {name: value for name, value in response.headers.items() if name.lower() not in ("vary", "allow")}
