"""Transactions are of the database that the router names when they begin."""

import pytest
from django.db import transaction

from holdfast.outbox.models import OutboxEvent
from holdfast.transactions import atomic_for
from tests.foundation.routers import a_primary_elsewhere

pytestmark = pytest.mark.django_db(transaction=True)


@atomic_for(OutboxEvent)
def verb():
    """Something that is all or nothing."""
    return transaction.get_connection().in_atomic_block


def test_a_verb_is_in_a_transaction_each_time_and_its_block_ends_with_it():
    assert (verb(), verb()) == (True, True)
    assert not transaction.get_connection().in_atomic_block


def test_the_router_is_asked_when_a_verb_runs_and_not_when_it_is_read():
    with a_primary_elsewhere("holdfast"):
        verb()
    assert verb()


def test_what_must_be_durable_is_no_part_of_the_callers_transaction():
    with atomic_for(OutboxEvent, durable=True):
        pass
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"), atomic_for(OutboxEvent, durable=True):
        pass
