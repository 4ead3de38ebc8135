"""The rail of a house that reads its bank's statement by hand."""

import pytest

from adapters.manual_rail import ManualRail
from holdfast_wallet import selectors, services
from holdfast_wallet.testing import PaymentRailContract
from tests.journeys.test_pages import Newcomer, account_of, top_up


class TestManualRail(PaymentRailContract):
    @pytest.fixture
    def rail(self) -> ManualRail:
        return ManualRail()


@pytest.mark.django_db
def test_money_appears_when_the_staff_has_seen_it(newcomer: Newcomer, settings):
    settings.HOLDFAST_WALLET = settings.HOLDFAST_WALLET | {
        "PAYMENT_RAIL": {"BACKEND": "adapters.manual_rail.ManualRail"}
    }
    ada = newcomer("ada")

    top_up(ada, "50")
    assert "The payment is under way." in ada.text
    assert account_of(ada).balance_minor == 0

    payment = selectors.payments_of(owner_id=account_of(ada).owner_id).get()
    services.settle_payment(payment_id=payment.id)
    assert account_of(ada).balance_minor == 50_00
