"""The prepared statement: the same transfer by each of the ways that lead to the database."""

from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from holdfast.ids import uuid7
from holdfast_wallet import exceptions, services
from holdfast_wallet.testing import make_account, make_transfer
from tests.wallet.bank import eur, findings, fresh

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def names():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE name LIKE 'holdfast_%'")
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture
def ada():
    return make_account(funds="100.00")


@pytest.fixture
def bob():
    return make_account()


@contextmanager
def with_a_wrapper():
    heard = []
    with connection.execute_wrapper(lambda execute, *rest: (heard.append(rest[0]), execute(*rest))[1]):
        yield
    assert any("holdfast_wallet_transfer" in sql for sql in heard)


@contextmanager
def listened_to():
    with CaptureQueriesContext(connection) as queries:
        yield
    assert any("holdfast_wallet_transfer" in query["sql"] for query in queries)


@contextmanager
def behind_a_pooler():
    connection.close()
    connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
    try:
        yield
        assert names() == set()
    finally:
        del connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]


@contextmanager
def in_a_transaction():
    with transaction.atomic():
        yield


@contextmanager
def by_itself():
    yield
    assert names()


@contextmanager
def on_a_new_session():
    make_transfer(source=make_account(funds="1.00"), target=make_account())
    connection.close()
    yield


@pytest.mark.parametrize(
    "way",
    [by_itself, with_a_wrapper, listened_to, behind_a_pooler, in_a_transaction, on_a_new_session],
)
def test_each_way_posts_the_same(ada, bob, way):
    with way():
        posted = make_transfer(source=ada, target=bob, amount="40.00")
        services.post_transfers(
            requests=[
                services.TransferRequest(
                    key=uuid7(), source_id=ada.id, target_id=bob.id, amount=eur(1), owner_id=ada.owner_id
                )
            ]
        )
        with pytest.raises(exceptions.InsufficientFunds):
            make_transfer(source=ada, target=bob, amount="60.00")
    stored = fresh(posted)
    for field in posted._meta.concrete_fields:
        assert getattr(posted, field.attname) == getattr(stored, field.attname), field.attname
    assert fresh(bob).balance == eur(41)
    assert findings() == []


def test_a_session_that_forgot_what_was_prepared_learns_it_again(ada, bob):
    make_transfer(source=ada, target=bob)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    make_transfer(source=ada, target=bob)
    assert fresh(bob).balance == eur(2)


def test_a_session_that_was_cut_is_an_error_of_djangos(ada, bob):
    make_transfer(source=ada, target=bob)
    with connection.cursor() as cursor, pytest.raises(DatabaseError):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(DatabaseError):
        make_transfer(source=ada, target=bob)
    connection.close()
    make_transfer(source=ada, target=bob)
    assert findings() == []
