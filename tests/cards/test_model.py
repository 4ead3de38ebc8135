"""A life of its own: whatever holders, providers, crashes, webhooks and clocks do in whatever order, the books agree.

The provider is in memory and watches that nobody calls it inside a transaction; the clock is turned, not waited for.
``LIVES=200`` leads so many lives with each kind of provider; without it a few.
"""

import contextlib
import os
from collections import Counter
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from holdfast.conf import load_backend
from holdfast_cards import services
from holdfast_cards.exceptions import CardsError
from holdfast_cards.models import Attempt, Card, CardTransition, Discrepancy, Feed, Notice, Operation
from holdfast_cards.services import gate
from holdfast_cards.states import FINAL, LIVE, OPEN, CardState, OperationState
from holdfast_cards.testing import make_holder
from tests.cards.doubles import CLASSES, Clock, tell, until_quiet

LIVES = int(os.environ.get("LIVES", "5"))
FAULTS = ("lost", "cut", "down", "rejected", "limited", "misconfigured", "error", "error_after", "in_use")
VERBS = (services.activate_card, services.freeze_card, services.unfreeze_card, services.cancel_card)


class Killed(BaseException):
    """The process dies here."""


class CardsMachine(RuleBasedStateMachine):
    """One provider class, two holders."""

    options: dict[str, object] = {}

    @initialize()
    def begin(self):
        for model in (Attempt, CardTransition, Discrepancy, Notice, Feed, Operation):
            model.objects.all().delete()
        Card.objects.update(replaces=None)
        Card.objects.all().delete()
        spec = {"BACKEND": "tests.cards.doubles.WatchfulProvider", "OPTIONS": dict(self.options)}
        self.overridden = override_settings(HOLDFAST_CARDS={"PROVIDER": spec, "SECOND_TRY_SECONDS": 0})
        self.overridden.enable()
        self.provider = load_backend(spec)
        self.clock = Clock()
        self.patch = mock.patch.object(timezone, "now", self.clock)
        self.patch.start()
        self.holders = [make_holder(), make_holder()]
        self.payloads = {}
        self.told = 0

    def teardown(self):
        if not hasattr(self, "provider"):
            return
        try:
            self.provider.faults.clear()
            self.provider.unreadable = False
            gate._circuits.clear()
            until_quiet(self.clock, rounds=500)
            self.nothing_is_forgotten()
            self.the_books_agree()
        finally:
            self.patch.stop()
            self.overridden.disable()

    # What happens

    @rule(who=st.integers(0, 1), color=st.sampled_from(["pink", "black"]), key=st.none() | st.sampled_from("abc"))
    def ask(self, who, color, key):
        with contextlib.suppress(CardsError):
            services.request_card(holder_id=self.holders[who].pk, color=color, key=key)

    @rule(fault=st.sampled_from(FAULTS), who=st.integers(0, 1))
    def ask_and_fail(self, fault, who):
        self.provider.faults.append(fault)
        self.ask(who, "pink", None)
        self.provider.faults.clear()

    @rule(who=st.integers(0, 1))
    def ask_and_die_before_the_result(self, who):
        with contextlib.suppress(Killed), mock.patch("holdfast_cards.services.operations._settle", side_effect=Killed):
            self.ask(who, "black", None)

    @rule(who=st.integers(0, 1))
    def ask_and_die_before_the_call(self, who):
        with contextlib.suppress(Killed), mock.patch.object(self.provider, "create", side_effect=Killed):
            self.ask(who, "pink", None)

    @rule(who=st.integers(0, 1))
    def ask_and_die_before_the_claim(self, who):
        with contextlib.suppress(CardsError):
            services.request_card(holder_id=self.holders[who].pk, color="pink", wait=False)

    @precondition(lambda self: Card.objects.exists())
    @rule(which=st.integers(0, 20), verb=st.sampled_from(VERBS), fault=st.none() | st.sampled_from(FAULTS))
    def change(self, which, verb, fault):
        cards = list(Card.objects.order_by("id"))
        card = cards[which % len(cards)]
        if fault:
            self.provider.faults.append(fault)
        with contextlib.suppress(CardsError):
            verb(card_id=card.id, holder_id=card.holder_id)
        self.provider.faults.clear()

    @precondition(lambda self: self.provider.cards)
    @rule(which=st.integers(0, 20), state=st.sampled_from(sorted(CardState)))
    def something_befalls_a_card(self, which, state):
        cards = sorted(self.provider.cards.values(), key=lambda card: card.id)
        card = cards[which % len(cards)]
        forward = list(CardState).index(state) > list(CardState).index(card.state)
        if card.state in LIVE and state != CardState.REQUESTED and forward:
            self.provider.put(card, state=state)

    @precondition(lambda self: self.provider.cards)
    @rule(which=st.integers(0, 20), twice=st.booleans())
    def a_webhook_comes(self, which, twice):
        cards = sorted(self.provider.cards.values(), key=lambda card: card.id)
        self.told += 1
        for _ in range(1 + twice):
            card = cards[which % len(cards)]
            notice = tell(card, event_id=f"told-{self.told}", occurred_at=self.clock())
            if notice is not None:
                services.apply_notice(notice_id=notice.id)

    @rule()
    def the_worker_works(self):
        services.work()

    @rule(fault=st.sampled_from(FAULTS))
    def the_worker_works_and_fails(self, fault):
        self.provider.faults.extend([fault] * 3)
        services.work()
        self.provider.faults.clear()

    @rule()
    def the_provider_cannot_be_read_for_a_while(self):
        self.provider.unreadable = True
        services.work()
        self.provider.unreadable = False

    @rule(seconds=st.sampled_from([1, 10, 61, 3_601, 82_000]))
    def time_passes(self, seconds):
        self.clock.turn(seconds=seconds)

    @precondition(lambda self: Operation.objects.filter(state=OperationState.NEEDS_REVIEW).exists())
    @rule()
    def a_person_looks(self):
        operation = Operation.objects.filter(state=OperationState.NEEDS_REVIEW).select_related("card").first()
        made = [card for card in self.provider.cards.values() if card.reference == str(operation.id)]
        with contextlib.suppress(CardsError):
            if operation.makes_a_card and made:
                services.adopt_card(operation_id=operation.id, provider_card_id=made[0].id)
            else:
                services.declare_without_effect(operation_id=operation.id)

    # What holds

    @invariant()
    def no_order_makes_two_cards(self):
        if not hasattr(self, "provider"):
            return
        made = Counter(card.reference for card in self.provider.cards.values())
        assert {reference: count for reference, count in made.items() if count > 1} == {}

    @invariant()
    def every_payload_and_every_final_state_stays(self):
        if not hasattr(self, "provider"):
            return
        for operation in Operation.objects.all():
            assert self.payloads.setdefault(operation.id, operation.payload) == operation.payload
        left = CardTransition.objects.filter(source_state__in=FINAL)
        assert not left.exists()
        assert not connection.in_atomic_block

    @invariant()
    def the_log_of_a_life_leads_to_its_state(self):
        if not hasattr(self, "provider"):
            return
        for card in Card.objects.prefetch_related("transitions"):
            steps = [CardState.REQUESTED, *(step.target_state for step in card.transitions.all())]
            assert steps[-1] == card.state
            assert [step.source_state for step in card.transitions.all()] == steps[:-1]

    def nothing_is_forgotten(self):
        for operation in Operation.objects.filter(state__in=OPEN):
            assert operation.state == OperationState.NEEDS_REVIEW

    def the_books_agree(self):
        ours = {card.provider_card_id: card for card in Card.objects.exclude(provider_card_id=None)}
        assert ours.keys() <= self.provider.cards.keys()
        waiting = set(map(str, Operation.objects.filter(state__in=OPEN).values_list("id", flat=True)))
        reported = set(Discrepancy.objects.values_list("provider_card_id", flat=True))
        for theirs in self.provider.cards.values():
            assert theirs.id in ours or theirs.reference in waiting or theirs.id in reported
        if self.provider.capabilities.get:
            self.clock.turn(days=2)
            services.work()
            for theirs in self.provider.cards.values():
                if theirs.id in ours and theirs.state not in FINAL:
                    assert Card.objects.get(provider_card_id=theirs.id).state == theirs.state


CASES = {}
for name, options in CLASSES.items():
    machine = type(f"Machine_{name}", (CardsMachine,), {"options": options})
    machine.TestCase.settings = settings(
        max_examples=LIVES, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
    )
    CASES[name] = machine.TestCase


@pytest.mark.slow
@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_whatever_happens_the_books_agree(case):
    case("runTest").runTest()
