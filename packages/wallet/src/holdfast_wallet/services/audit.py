"""The audit: everything recomputed, and what is wrong said exactly.

Each check is SQL that returns the rows that are wrong. What it compares it reads with one statement, and so at one
moment: the audit takes no lock and may run while the ledger works.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

from holdfast_wallet.models import Seal, Transfer
from holdfast_wallet.selectors import VERIFIED_KEY
from holdfast_wallet.services.chain import digest_of

logger = logging.getLogger("holdfast_wallet")

BLOCK = 5_000
NOTHING_SEALED = -(2**63)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is wrong: where, what it should be and what it is."""

    check: str
    message: str
    account_id: UUID | None = None
    transfer_id: UUID | None = None
    expected: str = ""
    found: str = ""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a check has come."""

    check: str
    done: int
    total: int


@dataclass(frozen=True)
class _Check:
    """One statement; its rows are (account, transfer, expected, found) of what is wrong."""

    name: str
    message: str
    sql: str


# Over the whole ledger: a few rows for each account, hold or reversal.
_SUMMARIES = (
    _Check(
        "currency_sum",
        "The balances of a currency do not add up to zero.",
        """SELECT NULL, NULL, currency || ' 0', currency || ' ' || sum(balance_minor)
           FROM holdfast_wallet_account GROUP BY currency HAVING sum(balance_minor) <> 0""",
    ),
    _Check(
        "account_balance",
        "An account's balance is not that of its last line.",
        """SELECT account.id, line.transfer_id, COALESCE(line.balance_minor, 0), account.balance_minor
           FROM holdfast_wallet_account AS account
           LEFT JOIN holdfast_wallet_entry AS line ON line.account_id = account.id AND line.version = account.version
           WHERE account.balance_minor <> COALESCE(line.balance_minor, 0)""",
    ),
    _Check(
        "account_version",
        "An account does not have as many lines as its version says.",
        """SELECT account.id, NULL, account.version, (
               (SELECT count(*) FROM holdfast_wallet_transfer WHERE source_id = account.id)
               + (SELECT count(*) FROM holdfast_wallet_transfer WHERE target_id = account.id)) AS lines
           FROM holdfast_wallet_account AS account
           WHERE account.version <> (
               (SELECT count(*) FROM holdfast_wallet_transfer WHERE source_id = account.id)
               + (SELECT count(*) FROM holdfast_wallet_transfer WHERE target_id = account.id))""",
    ),
    _Check(
        "account_limits",
        "An account is beyond its limits.",
        """SELECT id, NULL, 'between ' || COALESCE(CAST(held_minor - overdraft_limit_minor AS text), 'any')
                  || ' and ' || COALESCE(CAST(maximum_balance_minor AS text), 'any'), balance_minor
           FROM holdfast_wallet_account
           WHERE balance_minor < held_minor - overdraft_limit_minor OR balance_minor > maximum_balance_minor
              OR held_minor < 0 OR state = 'closed' AND (balance_minor <> 0 OR held_minor <> 0)""",
    ),
    _Check(
        "account_held",
        "What is held on an account is not what its open holds set aside.",
        """SELECT account.id, NULL, COALESCE(sum(hold.amount_minor - hold.captured_minor - hold.released_minor), 0),
                  account.held_minor
           FROM holdfast_wallet_account AS account
           LEFT JOIN holdfast_wallet_hold AS hold ON hold.account_id = account.id AND hold.state = 'open'
           GROUP BY account.id, account.held_minor
           HAVING account.held_minor
               <> COALESCE(sum(hold.amount_minor - hold.captured_minor - hold.released_minor), 0)""",
    ),
    _Check(
        "hold_history",
        "What was captured and released of a hold is not what its history says.",
        """SELECT hold.account_id, NULL,
                  'hold ' || CAST(hold.id AS text) || ': ' || sum(CASE WHEN kind = 'placed' THEN step.amount_minor
                  ELSE 0 END) || '/' || sum(CASE WHEN kind = 'captured' THEN step.amount_minor ELSE 0 END) || '/' ||
                  sum(CASE WHEN kind IN ('released', 'expired') THEN step.amount_minor ELSE 0 END), hold.amount_minor
                  || '/' || hold.captured_minor || '/' || hold.released_minor
           FROM holdfast_wallet_hold AS hold LEFT JOIN holdfast_wallet_holdevent AS step ON step.hold_id = hold.id
           GROUP BY hold.id, hold.account_id, hold.amount_minor, hold.captured_minor, hold.released_minor
           HAVING COALESCE(sum(CASE WHEN kind = 'placed' THEN step.amount_minor ELSE 0 END), 0) <> hold.amount_minor
               OR COALESCE(sum(CASE WHEN kind = 'captured' THEN step.amount_minor ELSE 0 END), 0) <> hold.captured_minor
               OR COALESCE(sum(CASE WHEN kind IN ('released', 'expired') THEN step.amount_minor ELSE 0 END), 0)
                  <> hold.released_minor""",
    ),
    _Check(
        "hold_captures",
        "What was captured of a hold is not what its transfers paid.",
        """SELECT hold.account_id, NULL, COALESCE(sum(capture.amount_minor), 0), hold.captured_minor
           FROM holdfast_wallet_hold AS hold
           LEFT JOIN holdfast_wallet_transfer AS capture ON capture.hold_id = hold.id AND capture.source_id =
           hold.account_id GROUP BY hold.id, hold.account_id, hold.captured_minor
           HAVING COALESCE(sum(capture.amount_minor), 0) <> hold.captured_minor""",
    ),
    _Check(
        "hold_state",
        "A hold is over but has something left, or is open and has nothing left.",
        """SELECT account_id, NULL, CASE WHEN state = 'open' THEN 'something left' ELSE '0 left' END,
                  amount_minor - captured_minor - released_minor
           FROM holdfast_wallet_hold
           WHERE (state = 'open') <> (amount_minor - captured_minor - released_minor > 0)""",
    ),
    _Check(
        "reversals",
        "The reversals of a transfer give back more than it moved, or not where it came from.",
        """SELECT original.target_id, original.id, 'at most ' || original.amount_minor, sum(reversal.amount_minor)
           FROM holdfast_wallet_transfer AS reversal
           JOIN holdfast_wallet_transfer AS original ON original.id = reversal.reverses_id
           WHERE reversal.reverses_id IS NOT NULL
           GROUP BY original.id, original.target_id, original.amount_minor
           HAVING sum(reversal.amount_minor) > original.amount_minor
               OR sum(CASE WHEN reversal.source_id = original.target_id AND reversal.target_id = original.source_id
                           THEN 0 ELSE 1 END) > 0""",
    ),
    _Check(
        "reversals_of_reversals",
        "A transfer reverses a reversal.",
        """SELECT reversal.source_id, reversal.id, 'an original', 'a reversal of ' || CAST(original.reverses_id AS text)
           FROM holdfast_wallet_transfer AS reversal
           JOIN holdfast_wallet_transfer AS original ON original.id = reversal.reverses_id
           WHERE reversal.reverses_id IS NOT NULL AND original.reverses_id IS NOT NULL""",
    ),
    _Check(
        "payments",
        "A settled payment is not what its transfer moved.",
        """SELECT payment.account_id, payment.transfer_id, payment.amount_minor, COALESCE(posted.amount_minor, 0)
           FROM holdfast_wallet_payment AS payment
           LEFT JOIN holdfast_wallet_transfer AS posted ON posted.id = payment.transfer_id
           WHERE payment.state = 'settled' AND payment.amount_minor <> COALESCE(posted.amount_minor, 0)""",
    ),
    # A payment is settled under its own id, in one transaction with its transfer; or in its own journal to the
    # suspense account, where its account does not take it. (Somebody else's transfer of that id is not taken for one:
    # whoever chooses keys could cry wolf.)
    _Check(
        "payment_transfer",
        "A payment and the transfer that settles it do not belong together.",
        """SELECT payment.account_id, posted.id, payment.direction || ' ' || CAST(payment.id AS text) || ' settled',
                  payment.state || ' by ' || COALESCE(CAST(payment.transfer_id AS text), 'nothing')
           FROM holdfast_wallet_payment AS payment JOIN holdfast_wallet_transfer AS posted
               ON posted.id = payment.id OR posted.id = payment.transfer_id
               JOIN holdfast_wallet_account AS taker ON taker.id = CASE payment.direction
                         WHEN 'deposit' THEN posted.target_id ELSE posted.source_id END
           WHERE payment.state = 'settled' AND posted.id = payment.transfer_id
                  AND (posted.currency <> payment.currency OR posted.amount_minor <> payment.amount_minor
                       OR NOT (posted.id = payment.id AND payment.account_id = taker.id
                               OR posted.id <> payment.id AND posted.journal_id = payment.id
                                  AND taker.role = 'suspense'))
              OR payment.state <> 'settled' AND posted.amount_minor = payment.amount_minor
                  AND (payment.direction = 'deposit' AND posted.kind = 'deposit'
                       AND posted.target_id = payment.account_id
                       OR payment.direction = 'withdrawal' AND posted.hold_id = payment.hold_id)""",
    ),
    _Check(
        "payment_hold",
        "A withdrawal on its way has no money set aside, or one that is over still has.",
        """SELECT payment.account_id, NULL,
                  CASE WHEN payment.state = 'pending' THEN payment.amount_minor ELSE 0 END,
                  COALESCE(hold.amount_minor - hold.captured_minor - hold.released_minor, 0)
           FROM holdfast_wallet_payment AS payment LEFT JOIN holdfast_wallet_hold AS hold ON hold.id = payment.hold_id
           WHERE (payment.direction = 'withdrawal' OR payment.hold_id IS NOT NULL)
             -- While it is pending its fee is set aside, too.
             AND CASE WHEN payment.state = 'pending'
                      THEN COALESCE(hold.amount_minor - hold.captured_minor - hold.released_minor, 0)
                           < payment.amount_minor
                      ELSE COALESCE(hold.amount_minor - hold.captured_minor - hold.released_minor, 0) <> 0 END""",
    ),
)

# Over the lines, block by block: each is compared with the one before it on its account.
_LINES = (
    _Check(
        "line_sequence",
        "A line has none before it: one is missing, or its number is wrong.",
        """SELECT line.account_id, line.transfer_id, 'a line ' || (line.version - 1), 'none'
           FROM holdfast_wallet_entry AS line
           LEFT JOIN holdfast_wallet_entry AS before
               ON before.account_id = line.account_id AND before.version = line.version - 1
           WHERE line.number BETWEEN {first} AND {last} AND line.version <> 1 AND before.version IS NULL""",
    ),
    _Check(
        "line_balance",
        "A line's balance is not that of the line before it and its own amount.",
        """SELECT line.account_id, line.transfer_id, COALESCE(before.balance_minor, 0) + line.amount_minor,
                  line.balance_minor
           FROM holdfast_wallet_entry AS line
           LEFT JOIN holdfast_wallet_entry AS before
               ON before.account_id = line.account_id AND before.version = line.version - 1
           WHERE line.number BETWEEN {first} AND {last}
             AND (before.version IS NOT NULL OR line.version = 1)
             AND line.balance_minor <> COALESCE(before.balance_minor, 0) + line.amount_minor""",
    ),
    _Check(
        "line_order",
        "A line has a lower number than the one before it.",
        """SELECT line.account_id, line.transfer_id, 'after number ' || before.number, 'number ' || line.number
           FROM holdfast_wallet_entry AS line
           JOIN holdfast_wallet_entry AS before
               ON before.account_id = line.account_id AND before.version = line.version - 1
           WHERE line.number BETWEEN {first} AND {last} AND line.number <= before.number""",
    ),
    _Check(
        "line_amount",
        "A transfer moves no amount, a negative one, or from an account to itself.",
        """SELECT source_id, id, 'a positive amount to another account', amount_minor
           FROM holdfast_wallet_transfer
           WHERE number BETWEEN {first} AND {last}
             AND (amount_minor NOT BETWEEN 1 AND 1000000000000000000 OR source_id = target_id)""",
    ),
    _Check(
        "line_hold",
        "A transfer captures a hold that does not exist or is another account's.",
        """SELECT line.source_id, line.id, 'hold ' || CAST(line.hold_id AS text),
                  COALESCE('one of account ' || CAST(hold.account_id AS text), 'none')
           FROM holdfast_wallet_transfer AS line LEFT JOIN holdfast_wallet_hold AS hold ON hold.id = line.hold_id
           WHERE line.number BETWEEN {first} AND {last} AND line.hold_id IS NOT NULL
             AND (hold.id IS NULL OR hold.account_id <> line.source_id)""",
    ),
    _Check(
        "line_reverses",
        "A transfer reverses one that does not exist.",
        """SELECT line.source_id, line.id, 'transfer ' || CAST(line.reverses_id AS text), 'none'
           FROM holdfast_wallet_transfer AS line
           LEFT JOIN holdfast_wallet_transfer AS original ON original.id = line.reverses_id
           WHERE line.number BETWEEN {first} AND {last} AND line.reverses_id IS NOT NULL AND original.id IS NULL""",
    ),
    _Check(
        "line_account",
        "A transfer names an account that does not exist or has another currency.",
        """SELECT line.account_id, line.transfer_id, COALESCE(account.currency, 'an account'), line.currency
           FROM holdfast_wallet_entry AS line LEFT JOIN holdfast_wallet_account AS account ON account.id =
           line.account_id WHERE line.number BETWEEN {first} AND {last}
             AND (account.id IS NULL OR account.currency <> line.currency)""",
    ),
)

# Of what only the audit asks, not sealing: a ledger from before the law kept the times in order, when a clock was set
# back, is as good as another.
_TIMES = (
    _Check(
        "line_time",
        "A line has an earlier time than the one before it.",
        """SELECT line.account_id, line.transfer_id, 'not before ' || CAST(before.recorded_at AS text),
                  CAST(line.recorded_at AS text)
           FROM holdfast_wallet_entry AS line
           JOIN holdfast_wallet_entry AS before
               ON before.account_id = line.account_id AND before.version = line.version - 1
           WHERE line.number BETWEEN {first} AND {last} AND line.recorded_at < before.recorded_at""",
    ),
)


def verify(*, expect_digest: str = "", using: str = DEFAULT_DB_ALIAS) -> Iterator[Finding | Progress]:
    """Recompute everything, and yield what is wrong and how far it is.

    Sums, balances, sequences, running balances, limits, holds, reversals, payments and the hash chain: nothing but
    ``Progress`` means that every cent can be explained. The chain proves what was sealed only to somebody who kept a
    digest: ``expect_digest`` is one that was told some time, and that the chain must still lead to. It covers the
    transfers, and whose accounts they were, but not holds: one that vanishes from everywhere leaves no trace.

    What it found in all is remembered for whoever watches (``selectors.last_verification``).
    """
    found = 0
    for step in _steps(expect_digest, using):
        found += isinstance(step, Finding)
        yield step
    # Who stops halfway has verified nothing, and who looks at a copy says nothing about the ledger.
    if using == DEFAULT_DB_ALIAS:
        _remember(found)


def _remember(found: int) -> None:
    try:
        cache.set(VERIFIED_KEY, (timezone.now(), found), timeout=None)
    except Exception:  # whatever a cache raises that is down
        logger.exception("The cache does not answer.")


def _steps(expect_digest: str, using: str) -> Iterator[Finding | Progress]:
    for done, check in enumerate(_SUMMARIES, start=1):
        yield from _findings(check, using)
        yield Progress(check="accounts", done=done, total=len(_SUMMARIES))
    done, total = 0, Transfer.objects.using(using).count()
    numbers = Transfer.objects.using(using).order_by("number").values_list("number", flat=True)
    block = list(numbers[:BLOCK])
    while block:
        yield from verify_lines(first=block[0], last=block[-1], using=using)
        for check in _TIMES:
            yield from _findings(check, using, first=block[0], last=block[-1])
        done += len(block)
        yield Progress(check="lines", done=done, total=max(done, total))
        block = list(numbers.filter(number__gt=block[-1])[:BLOCK])
    yield from _verify_chain(expect_digest, using)


def verify_lines(*, first: int, last: int, using: str = DEFAULT_DB_ALIAS) -> Iterator[Finding]:
    """Check the lines of the transfers of some numbers, each against the line before it."""
    for check in _LINES:
        yield from _findings(check, using, first=first, last=last)


def _findings(check: _Check, using: str, **numbers: int) -> Iterator[Finding]:
    with connections[using].cursor() as cursor:
        cursor.execute(check.sql.format(**numbers) if numbers else check.sql)
        rows = cursor.fetchall()
    for account_id, transfer_id, expected, found in rows:
        yield Finding(
            check=check.name,
            message=check.message,
            account_id=_uuid(account_id),
            transfer_id=_uuid(transfer_id),
            expected=str(expected),
            found=str(found),
        )


def _verify_chain(expect_digest: str, using: str) -> Iterator[Finding | Progress]:
    reached = not expect_digest
    seals = Seal.objects.using(using).order_by("id")
    total, previous, sealed_to = seals.count(), "", NOTHING_SEALED
    for done, seal in enumerate(seals.iterator(), start=1):
        if seal.previous_digest != previous or seal.first_number <= sealed_to:
            yield Finding(
                check="seal_chain",
                message=f"Seal {seal.id} does not continue the one before it.",
                expected=previous or "the first seal",
                found=seal.previous_digest or "a first seal",
            )
        unsealed = Transfer.objects.using(using).filter(number__gt=sealed_to, number__lt=seal.first_number).first()
        digest, count = digest_of(seal.previous_digest, first=seal.first_number, last=seal.last_number, using=using)
        if unsealed is not None or count != seal.transfer_count:
            yield Finding(
                check="seal_count",
                message=f"Seal {seal.id} covers another number of transfers than when it was made.",
                transfer_id=unsealed.id if unsealed else None,
                expected=str(seal.transfer_count),
                found=str(count + (unsealed is not None)),
            )
        elif digest != seal.digest:
            yield Finding(
                check="seal_digest",
                message=f"A transfer of {seal.first_number} to {seal.last_number} is not what it was when sealed.",
                expected=seal.digest,
                found=digest,
            )
        reached = reached or digest == expect_digest
        previous, sealed_to = seal.digest, seal.last_number
        yield Progress(check="seals", done=done, total=total)
    if not reached:
        yield Finding(
            check="seal_expected",
            message="No seal has the digest that was kept elsewhere: what it sealed was changed and sealed anew.",
            expected=expect_digest,
            found=previous or "no seal",
        )


def _uuid(value: Any) -> UUID | None:
    """Return an id as SQL gave it: a UUID on PostgreSQL, 32 digits on SQLite."""
    return value if value is None or isinstance(value, UUID) else UUID(str(value))
