"""Sealing: the hash chain grows behind the transfers, never in their way."""

import time

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, transaction
from django.db.models import Max

from holdfast.outbox import emit
from holdfast_wallet.conf import settings
from holdfast_wallet.events import TransfersSealed
from holdfast_wallet.models import Seal, Transfer
from holdfast_wallet.services.audit import Finding, verify_lines
from holdfast_wallet.services.chain import digest_of

POLL_SECONDS = 0.02


class LedgerCorruptError(Exception):
    """The ledger contradicts itself; carries the findings. Not a refusal: somebody has to look."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__(f"{len(findings)} findings, the first: {findings[0]}")


def seal(*, using: str = DEFAULT_DB_ALIAS) -> int:
    """Check the transfers that are not sealed yet, seal them, and return how many.

    Raises ``LedgerCorruptError`` for lines that do not continue those before them, and seals nothing of their block.
    Emits ``TransfersSealed`` for each block.
    """
    horizon = _horizon(using)
    sealed = 0
    while block := _seal_block(horizon, using):
        sealed += block
    return sealed


def _seal_block(horizon: int, using: str) -> int:
    limit: int = settings.SEAL_BLOCK_TRANSFERS
    before = Seal.objects.using(using).order_by("-id").first()
    start = before.last_number if before else 0
    numbers = list(
        Transfer.objects.using(using)
        .filter(number__gt=start, number__lte=horizon)
        .order_by("number")
        .values_list("number", flat=True)[:limit]
    )
    if not numbers:
        return 0
    first, last = numbers[0], numbers[-1]
    findings = list(verify_lines(first=first, last=last, using=using))
    if findings:
        raise LedgerCorruptError(findings)
    previous = before.digest if before else ""
    digest, count = digest_of(previous, first=first, last=last, using=using)
    try:
        with transaction.atomic(using=using):
            made = Seal(
                first_number=first, last_number=last, transfer_count=count, previous_digest=previous, digest=digest
            )
            made.save(using=using, force_insert=True)
            emit(
                TransfersSealed(seal_id=str(made.id), first_number=first, last_number=last, digest=digest), using=using
            )
    except IntegrityError:
        # Somebody else sealed after the same link: the chain cannot fork, and there is nothing left to do.
        return 0
    return count


# Who writes transfers in this database at the moment, but for ourselves.
_WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE relation = 'holdfast_wallet_transfer'::regclass
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND pid IS DISTINCT FROM pg_backend_pid()"""


def _horizon(using: str) -> int:
    """Return a number up to which no further transfer can appear; 0 where that cannot be known in time.

    On PostgreSQL a number is drawn before its transfer is committed, so a lower one may become visible after a higher
    one. But who draws a number has the table's lock by then, and keeps it until the end: when everybody who had it
    after we read the sequence has ended, each number up to there is either visible or was given up. Nobody waits for
    us, and what goes on in other tables and other databases does not matter.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        return Transfer.objects.using(using).aggregate(last=Max("number"))["last"] or 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM holdfast_wallet_transfer_number_seq")
        number = int(cursor.fetchone()[0])
        cursor.execute(_WRITERS)
        pending = set(cursor.fetchall())
        deadline = time.monotonic() + settings.SEAL_WAIT_SECONDS
        while pending:
            if time.monotonic() >= deadline:
                # A long transaction holds the horizon back; the next run will find it further on.
                return 0
            time.sleep(POLL_SECONDS)
            cursor.execute(_WRITERS)
            pending &= set(cursor.fetchall())
    return number
