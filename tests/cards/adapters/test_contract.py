"""Our own adapters keep the contract that we ship, over real HTTP; and what does not keep it is caught."""

import dataclasses

import pytest

from holdfast.http import Lost
from holdfast_cards.backends.dummy import DummyProvider
from holdfast_cards.ports import Answer
from holdfast_cards.states import Outcome
from holdfast_cards.testing.contract import HttpProviderContract, ProviderContract
from tests.cards.adapters.providers import SECRET, bank, create, lithic, provider_of, stripe


class TestBank(HttpProviderContract):
    """As the contract has it: a POST and nothing else."""

    @pytest.fixture
    def provider(self, bank_sandbox):
        return provider_of(bank_sandbox)

    def at(self, base_url, limits):
        return bank(base_url, limits=limits)


class TestBetterBank(HttpProviderContract):
    """A bank with keys and reads, of which settings tell."""

    many = 60

    @pytest.fixture
    def provider(self, bank_sandbox):
        bank_sandbox.choose(reads=True, keys=True, authorization="Token abc")
        return provider_of(bank_sandbox, reads=True, idempotency_header="Idempotency-Key", authorization="Token abc")

    def at(self, base_url, limits):
        return bank(base_url, limits=limits, reads=True, idempotency_header="Idempotency-Key")


class TestStripe(HttpProviderContract):
    many = 45

    @pytest.fixture
    def provider(self, stripe_sandbox):
        return provider_of(stripe_sandbox)

    def at(self, base_url, limits):
        return stripe(base_url, limits=limits)


class TestLithic(HttpProviderContract):
    many = 110

    @pytest.fixture
    def provider(self, lithic_sandbox):
        return provider_of(lithic_sandbox)

    def at(self, base_url, limits):
        return lithic(base_url, limits=limits)


class TestDummy(ProviderContract):
    @pytest.fixture
    def provider(self):
        return DummyProvider(
            webhook_secrets=[SECRET], find_by_reference=True, list_by_holder=True, get=True, events=True
        )


class TestAForgetfulProvider:
    """A contract that nothing fails proves nothing."""

    class Forgetful(DummyProvider):
        """Takes any color, makes a second card for a repeated key, finds others' cards, believes every webhook."""

        def compose(self, order):
            return {"reference": order.reference, "holder": order.holder.external_id, "color": order.color}

        def create(self, payload, *, key):
            self.count = getattr(self, "count", 0) + 1
            answer = super().create(payload, key=f"{key}-{self.count}")
            card = dataclasses.replace(answer.card, tracking_number="", carrier="4929 7316 0481 7253")
            return Answer(outcome=Outcome.DONE, card=card)

        def find_by_reference(self, *, reference, holder):
            return list(self.cards.values())

        def list_by_holder(self, *, holder):
            return list(self.cards.values())[:1]

        def get(self, card_id):
            return next(iter(self.cards.values()), None)

        def read_webhook(self, headers, body):
            return None

    @pytest.mark.parametrize(
        "law",
        [
            "test_one_key_makes_one_card",
            "test_nothing_gets_past_that_nobody_may_see",
            "test_a_card_can_be_read_again",
            "test_a_card_is_found_by_the_reference_of_its_order",
            "test_a_holders_cards_are_listed_all_and_nobody_elses",
            "test_a_webhook_that_is_not_the_providers_has_one_error",
            "test_a_color_that_there_is_not_cannot_be_ordered",
        ],
    )
    def test_is_caught(self, law):
        provider = self.Forgetful(find_by_reference=True, list_by_holder=True, get=True)

        with pytest.raises(AssertionError):
            getattr(ProviderContract(), law)(provider)

    def test_an_adapter_that_repeats_silently_is_caught(self):
        class Insistent(TestStripe):
            def at(self, base_url, limits):
                provider = super().at(base_url, limits)
                once = provider._transport.send

                def twice(*arguments, **options):
                    try:
                        return once(*arguments, **options)
                    except Lost:
                        return once(*arguments, **options)

                provider._transport.send = twice
                return provider

        with pytest.raises(AssertionError):
            Insistent().test_a_lost_answer_is_never_taken_for_anything_else()


def test_each_adapter_is_a_provider(sandbox):
    assert create(provider_of(sandbox)).outcome == Outcome.DONE
