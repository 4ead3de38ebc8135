"""The ledger's INSERT: one round trip on PostgreSQL, with the event in the same statement.

A statement of its own is a transaction of its own: transfer and event are committed together although nothing says
BEGIN. Where a transaction is already open, a savepoint keeps a refusal from poisoning it.
"""

import datetime as dt
import json
from collections.abc import Sequence
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState

from holdfast.outbox import after_commit_wakeup, emit, emit_many, insertion, insertion_many
from holdfast.prepared import Statement
from holdfast_wallet.events import TransferPosted
from holdfast_wallet.exceptions import AccountNotFound
from holdfast_wallet.models import Account, Transfer
from holdfast_wallet.services import refusals
from holdfast_wallet.services.requests import Posting

_TRANSFER = Transfer._meta.db_table
_ACCOUNT = Account._meta.db_table
_OWNER = Account._meta.get_field("owner")

_FILLED = "number, source_balance_minor, target_balance_minor, source_version, target_version, recorded_at"
# The time as microseconds: Django's loader for psycopg takes ten times as long for a timestamp.
_ANSWER = _FILLED.replace("recorded_at", "(extract(epoch FROM recorded_at) * 1000000)::bigint")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_GIVEN = "id, source_id, target_id, amount_minor, currency, kind, journal_id"
_EXTRA = "reverses_id, hold_id, effective_at, metadata"

# The scope is part of the statement: for somebody else's account there is nothing to select, and so nothing is posted.
_SCOPE = f"FROM {_ACCOUNT} WHERE id = %s::uuid AND owner_id IS NOT DISTINCT FROM %s"

_PLAIN = f"""
    INSERT INTO {_TRANSFER} ({_GIVEN}, metadata)
    SELECT %s::uuid, %s::uuid, %s::uuid, %s::bigint, %s, %s, %s::uuid, '{{}}'::jsonb
    {_SCOPE} RETURNING {_FILLED}"""

# Each parameter costs the server a microsecond or two, so most transfers do without these four.
_FULL = f"""
    INSERT INTO {_TRANSFER} ({_GIVEN}, {_EXTRA})
    SELECT %s::uuid, %s::uuid, %s::uuid, %s::bigint, %s, %s, %s::uuid, %s::uuid, %s::uuid, %s::timestamptz, %s::jsonb
    {_SCOPE} RETURNING {_FILLED}"""

# One JSON array, not an array for each column: psycopg takes longer to escape those than the server to post the rest.
_MANY = f"""
    INSERT INTO {_TRANSFER} ({_GIVEN}, {_EXTRA})
    SELECT asked.id, source_id, target_id, amount_minor, asked.currency, kind, journal_id, reverses_id, hold_id,
           effective_at, metadata
    FROM (
        SELECT (value ->> 0)::uuid AS id, (value ->> 1)::uuid AS source_id, (value ->> 2)::uuid AS target_id,
               (value ->> 3)::bigint AS amount_minor, value ->> 4 AS currency, value ->> 5 AS kind,
               (value ->> 6)::uuid AS journal_id, (value ->> 7)::uuid AS reverses_id, (value ->> 8)::uuid AS hold_id,
               (value ->> 9)::timestamptz AS effective_at, (value ->> 10)::jsonb AS metadata,
               (value ->> 11)::uuid AS scope_id, value ->> 12 AS owner_id, position
        FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS item(value, position)
    ) AS asked
    JOIN {_ACCOUNT} AS scope ON scope.id = scope_id AND scope.owner_id::text IS NOT DISTINCT FROM asked.owner_id
    ORDER BY position
    RETURNING id, {_ANSWER}"""  # noqa: S608 - nobody's words but ours

# Many plain transfers by the door for them, with their events in the same statement: a batch is one round trip. The
# scopes are looked at before, for the same reason as above.
_BATCH = f"""
    INSERT INTO holdfast_wallet_batch (transfers, accounts)
    SELECT transfers, accounts
    FROM (SELECT %s::jsonb AS transfers, %s::uuid[] AS accounts, %s::jsonb AS scopes) AS asked
    WHERE NOT EXISTS (
        SELECT FROM jsonb_array_elements(scopes) AS scope
        WHERE NOT EXISTS (
            SELECT FROM {_ACCOUNT}
            WHERE id = (scope ->> 0)::uuid AND owner_id::text IS NOT DISTINCT FROM scope ->> 1))
    RETURNING posted, recorded_at"""  # noqa: S608 - nobody's words but ours

# A refusal of the law, of a constraint or of a type, or what another transaction did to ours.
_REFUSED = frozenset({"WL", "23", "22", "40"})

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

# SQLite has one writer: a look at what the triggers made of the row is free of races. What they fill is zero until
# then. ``changes()`` is zero where there was nothing to select: then a row of that id is somebody else's.
_SQLITE = Statement(f"""
    INSERT INTO {_TRANSFER} ({_GIVEN}, {_EXTRA}, {_FILLED})
    SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, COALESCE(%s, strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now')), %s,
           0, 0, 0, 0, 0, strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now')
    FROM {_ACCOUNT} WHERE id = %s AND owner_id IS %s""")  # noqa: S608 - nobody's words but ours
_LOOK_SQLITE = Statement(f"SELECT {_FILLED} FROM {_TRANSFER} WHERE id = %s AND changes() = 1", read=lambda value: value)  # noqa: S608 - nobody's words but ours


def insert(asked: Posting, *, using: str) -> Transfer:
    """Post one transfer and its event, all or nothing.

    Raises ``AccountNotFound`` outside the scope, and ``django.db.DatabaseError`` for what the ledger refuses.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        # The attribute first: the method makes sure of the connection each time.
        if not connection.in_atomic_block and (connection.autocommit or connection.get_autocommit()):
            return _insert_postgresql(connection, asked)
        with transaction.atomic(using=using):
            return _insert_postgresql(connection, asked)
    with transaction.atomic(using=using):
        return _insert_sqlite(connection, asked)


def insert_batch(asked: Sequence[Posting], *, using: str) -> list[Transfer] | None:
    """Post several plain transfers and their events in this order with one statement, all or nothing.

    Returns ``None``, and has done nothing, where there is no such statement, or something of it would be refused: then
    ``insert_many``, or one after the other, says what.
    """
    connection = connections[using]
    if connection.vendor != "postgresql" or any(one.hold_id or one.reverses_id for one in asked):
        return None
    sides = {side.hex for one in asked for side in (one.source_id, one.target_id)}
    scopes = {(one.scope_id.hex, None if one.owner_id is None else str(one.owner_id)) for one in asked}
    told, told_parameters = insertion_many([_event(one) for one in asked], source="posted")
    given = [_encode([_batch_item(one) for one in asked]), f"{{{','.join(sides)}}}", _encode(list(scopes))]
    try:
        savepoint = transaction.atomic(using=using) if connection.in_atomic_block else nullcontext()
        with savepoint:
            row = _batch_and_told(told).row(connection, [*given, *told_parameters])
    except DatabaseError as error:
        if refusals.code_of(error)[:2] not in _REFUSED:
            raise
        return None
    if row is None:
        return None
    after_commit_wakeup(using)
    lines, recorded_us = row
    recorded_at = _EPOCH + dt.timedelta(microseconds=recorded_us)
    return [_transfer(one, filled, recorded_at, using) for one, filled in zip(asked, lines, strict=True)]


@lru_cache(maxsize=2)
def _batch_and_told(told: str) -> Statement:
    answer = "posted::text, (extract(epoch FROM recorded_at) * 1000000)::bigint::text"
    return Statement(f"WITH posted AS ({_BATCH}), told AS ({told}) SELECT {answer} FROM posted", read=json.loads)  # noqa: S608 - nobody's words but ours


def insert_many(asked: Sequence[Posting], *, using: str) -> list[Transfer]:
    """Post several transfers and their events in this order, all or nothing.

    Their accounts are locked by now. Raises as ``insert`` does.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        with transaction.atomic(using=using):
            return [_insert_sqlite(connection, one) for one in asked]
    with transaction.atomic(using=using):
        with connection.cursor() as cursor:
            cursor.execute(_MANY, [_encode([_full_parameters(one) for one in asked])])
            rows = cursor.fetchall()
        filled = {row[0]: row[1:] for row in rows}
        for one in asked:
            if one.id not in filled:
                raise AccountNotFound(account_id=str(one.scope_id))
        emit_many([_event(one) for one in asked], using=using)
    return [_answered(one, filled[one.id], using) for one in asked]


def _insert_postgresql(connection: BaseDatabaseWrapper, asked: Posting) -> Transfer:
    plain = asked.reverses_id is None and asked.hold_id is None and asked.effective_at is None and not asked.metadata
    told, told_parameters = insertion(_event(asked), source="posted")
    statement = _posted_and_told(_PLAIN if plain else _FULL, told)
    parameters = _plain_parameters(asked) if plain else _full_parameters(asked)
    row = statement.row(connection, parameters + told_parameters)
    if row is None:
        raise AccountNotFound(account_id=str(asked.scope_id))
    after_commit_wakeup(connection.alias)
    return _answered(asked, row, connection.alias)


@lru_cache(maxsize=8)
def _posted_and_told(posted: str, told: str) -> Statement:
    return Statement(f"WITH posted AS ({posted}), told AS ({told}) SELECT {_ANSWER} FROM posted")  # noqa: S608 - nobody's words but ours


def _insert_sqlite(connection: BaseDatabaseWrapper, asked: Posting) -> Transfer:
    parameters = _full_parameters(asked)
    parameters[-1] = _OWNER.get_db_prep_value(asked.owner_id, connection)
    if asked.effective_at is not None:
        parameters[9] = connection.ops.adapt_datetimefield_value(asked.effective_at)
    _SQLITE.row(connection, parameters)
    row = _LOOK_SQLITE.row(connection, [asked.id.hex])
    if row is None:
        raise AccountNotFound(account_id=str(asked.scope_id))
    emit(_event(asked), using=connection.alias)
    return _transfer(asked, row[:-1], row[-1].replace(tzinfo=dt.UTC), connection.alias)


# All parameters are text, so that the server infers their types from the statement: psycopg gives integers of
# different sizes different types, and then there would be a prepared statement for each combination.


def _plain_parameters(asked: Posting) -> list[Any]:
    return [
        asked.id.hex,
        asked.source_id.hex,
        asked.target_id.hex,
        str(asked.amount_minor),
        asked.currency,
        asked.kind,
        asked.journal_id.hex,
        asked.scope_id.hex,
        None if asked.owner_id is None else str(asked.owner_id),
    ]


def _full_parameters(asked: Posting) -> list[Any]:
    *given, scope_id, owner_id = _plain_parameters(asked)
    return [
        *given,
        asked.reverses_id and asked.reverses_id.hex,
        asked.hold_id and asked.hold_id.hex,
        asked.effective_at and asked.effective_at.isoformat(),
        asked.metadata_json,
        scope_id,
        owner_id,
    ]


def _batch_item(asked: Posting) -> list[Any]:
    return [
        asked.id.hex,
        asked.source_id.hex,
        asked.target_id.hex,
        asked.amount_minor,
        asked.currency,
        asked.kind,
        asked.journal_id.hex,
        asked.effective_at and asked.effective_at.isoformat(),
        asked.metadata_json,
    ]


def _event(asked: Posting) -> TransferPosted:
    return TransferPosted(
        transfer_id=str(asked.id),
        journal_id=str(asked.journal_id),
        kind=asked.kind,
        source_id=str(asked.source_id),
        target_id=str(asked.target_id),
        amount_minor=asked.amount_minor,
        currency=asked.currency,
        reverses_id=None if asked.reverses_id is None else str(asked.reverses_id),
        hold_id=None if asked.hold_id is None else str(asked.hold_id),
    )


def _answered(asked: Posting, answer: Sequence[Any], using: str) -> Transfer:
    return _transfer(asked, answer[:-1], _EPOCH + dt.timedelta(microseconds=answer[-1]), using)


def _transfer(asked: Posting, filled: Sequence[Any], recorded_at: dt.datetime, using: str) -> Transfer:
    number, source_balance, target_balance, source_version, target_version = filled
    # As unpickling makes one: Model.__init__ would take as long as everything else that the client does here.
    transfer = Transfer.__new__(Transfer)
    state = transfer._state = ModelState()  # noqa: SLF001 - see above
    state.adding = False
    state.db = using
    transfer.__dict__.update(
        id=asked.id,
        number=number,
        source_id=asked.source_id,
        target_id=asked.target_id,
        amount_minor=asked.amount_minor,
        currency=asked.currency,
        source_balance_minor=source_balance,
        target_balance_minor=target_balance,
        source_version=source_version,
        target_version=target_version,
        kind=asked.kind,
        journal_id=asked.journal_id,
        reverses_id=asked.reverses_id,
        hold_id=asked.hold_id,
        effective_at=asked.effective_at or recorded_at,
        recorded_at=recorded_at,
        metadata=json.loads(asked.metadata_json) if asked.metadata else {},
    )
    return transfer
