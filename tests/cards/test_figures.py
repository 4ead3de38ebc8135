"""What the cards tell whoever watches."""

import datetime as dt

import pytest
from django.utils import timezone

from holdfast_cards import selectors, services
from holdfast_cards.models import Discrepancy, Notice, Operation
from holdfast_cards.states import CardState, DiscrepancyKind
from holdfast_cards.testing import make_card
from tests.cards.doubles import NONE, until_quiet

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timezone.now() - dt.timedelta(hours=1)


def told():
    return {figure.name: figure.value for figure in selectors.figures()}


def test_cards_are_counted_by_state_with_those_that_there_are_none_of():
    make_card(state=CardState.FROZEN)
    make_card(state=CardState.FROZEN)

    assert told()["cards"] == dict.fromkeys(CardState.values, 0) | {"frozen": 2}


def test_what_waits_for_a_person_is_told(use, holder, clock):
    use(**NONE).faults.append("lost")
    services.request_card(holder_id=holder.pk, color="pink")
    until_quiet(clock)
    Discrepancy.objects.create(kind=DiscrepancyKind.EXTRA_CARD, provider="dummy")

    assert told()["operations"]["needs_review"] == 1
    assert told()["discrepancies"] == 1


def test_what_nobody_works_on_is_late(provider, holder):
    provider.faults.append("limited")
    services.request_card(holder_id=holder.pk, color="pink")
    assert told()["operations_late_seconds"] == told()["webhooks_late_seconds"] == 0
    Operation.objects.update(next_attempt_at=LONG_AGO)
    Notice.objects.create(provider="dummy", event_id="evt_1", next_at=LONG_AGO)

    now = told()
    assert now["operations"]["pending"] == now["webhooks"] == 1
    assert now["operations_late_seconds"] >= 3600
    assert now["webhooks_late_seconds"] >= 3600
