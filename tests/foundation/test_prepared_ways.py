"""Statements without a cursor, on both databases: the same answers, errors and refusals as by Django's."""

from contextlib import nullcontext

import pytest
from django.db import IntegrityError, OperationalError, ProgrammingError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils.encoding import force_str

from holdfast.outbox.models import OutboxSubscriber
from holdfast.prepared import Statement

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = OutboxSubscriber._meta.db_table
NOW = "2026-01-01 00:00:00"
WRITE = Statement(f"INSERT INTO {TABLE} (name, kind, created_at) VALUES (%s, 'handler', '{NOW}')")
READ = Statement(f"SELECT name || '%%', kind FROM {TABLE} WHERE name = %s", read=force_str)
WAYS = {"without a cursor": nullcontext, "by Django's": lambda: CaptureQueriesContext(connection)}


@pytest.fixture(params=WAYS)
def way(request):
    with WAYS[request.param]():
        yield


def test_it_writes_and_reads_its_only_row(way):
    assert WRITE.row(connection, ["ada's"]) is None
    assert READ.row(connection, ["ada's"]) == ["ada's%", "handler"]
    assert READ.row(connection, ["bob's"]) is None


def test_what_the_database_refuses_is_an_error_of_djangos(way):
    WRITE.row(connection, ["ada's"])
    with pytest.raises(IntegrityError):
        WRITE.row(connection, ["ada's"])
    with pytest.raises((ProgrammingError, OperationalError)):
        Statement("SELECT nothing FROM nowhere").row(connection, [])
    assert READ.row(connection, ["ada's"]) == ["ada's%", "handler"]


def test_in_a_transaction_that_is_broken_nothing_is_sent(way):
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            WRITE.row(connection, ["ada's"])
    assert READ.row(connection, ["ada's"]) is None


def test_what_is_rolled_back_is_not_there(way):
    with transaction.atomic():
        WRITE.row(connection, ["ada's"])
        transaction.set_rollback(True)
    assert READ.row(connection, ["ada's"]) is None


def test_a_connection_that_was_closed_is_opened_again(way):
    WRITE.row(connection, ["ada's"])
    if connection.vendor == "postgresql":  # a test's SQLite lives in the memory of its connection
        connection.close()
    assert READ.row(connection, ["ada's"]) is not None
