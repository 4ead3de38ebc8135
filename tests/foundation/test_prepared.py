"""Prepared statements: the same by each of the ways that lead to the database."""

from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from holdfast.prepared import Statement

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

MEASURE = Statement("SELECT length(%s::text) + length(%s::text), coalesce(length(%s::text), -1)")
NOTHING = Statement("SELECT 1 WHERE %s::boolean")
WRITE = Statement("INSERT INTO notes (text) VALUES (%s)")


@pytest.fixture
def notes():
    """A table of this session, and what is in it: a new session, since another test's has prepared statements, too."""
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE notes (text text)")

    def read():
        with connection.cursor() as cursor:
            cursor.execute("SELECT text FROM notes")
            return [text for (text,) in cursor.fetchall()]

    yield read
    connection.close()


def prepared():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'holdfast_%'")
        return cursor.fetchone()[0]


@contextmanager
def by_itself():
    yield
    assert prepared()


@contextmanager
def listened_to():
    with CaptureQueriesContext(connection) as queries:
        yield
    assert queries.captured_queries


@contextmanager
def behind_a_pooler():
    connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
    try:
        yield
        assert not prepared()
    finally:
        del connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]


@contextmanager
def in_a_transaction():
    with transaction.atomic():
        yield


@pytest.mark.parametrize("way", [by_itself, listened_to, behind_a_pooler, in_a_transaction])
def test_each_way_reads_and_writes_the_same(way, notes):
    with way():
        assert MEASURE.row(connection, ["Лампа", "", None]) == [5, -1]
        assert NOTHING.row(connection, ["f"]) is None
        for text in ("", "Лампа", None):
            assert WRITE.row(connection, [text]) is None
        assert notes() == ["", "Лампа", None]


def test_what_a_session_has_forgotten_it_learns_again_and_does_once(notes):
    WRITE.row(connection, ["one"])
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    WRITE.row(connection, ["two"])
    assert notes() == ["one", "two"]


def test_within_a_transaction_what_was_forgotten_is_an_error_of_djangos(notes):
    @transaction.atomic
    def forget_and_write():
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
        WRITE.row(connection, ["two"])

    WRITE.row(connection, ["one"])
    with pytest.raises(DatabaseError):
        forget_and_write()
    WRITE.row(connection, ["three"])
    assert notes() == ["one", "three"]


def test_a_session_that_a_pool_lends_to_another_is_not_prepared_twice(notes):
    WRITE.row(connection, ["one"])
    other = connection.copy()
    # As a pool does: the session goes back, and out again to the next thread's connection.
    other.connection, other.health_check_done = connection.connection, True
    other.autocommit = connection.autocommit

    WRITE.row(other, ["two"])

    assert notes() == ["one", "two"]
    assert prepared() == 1
