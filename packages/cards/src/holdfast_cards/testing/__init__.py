"""For the tests of a host: makers, what every adapter keeps, and a provider to break.

::

    def test_a_holder_freezes_his_card(client):
        card = make_card(state="activated")
        ...

    class TestOurBank(ProviderContract):
        @pytest.fixture
        def provider(self):
            return OurBank(base_url="https://sandbox.ourbank.example", api_key="...")

``contract`` holds ``ProviderContract`` and ``HttpProviderContract``, ``sandbox`` the stand-in for real providers;
``backends.dummy.DummyProvider`` plays failures in memory.
"""

from holdfast_cards.testing.contract import HttpProviderContract, ProviderContract
from holdfast_cards.testing.makers import make_card, make_holder, run_worker

__all__ = ["HttpProviderContract", "ProviderContract", "make_card", "make_holder", "run_worker"]
