"""Who reacts to whose events, seen from outside."""

import pytest
from django.core import mail

from holdfast.outbox import DeliveryFailed
from holdfast.testing import drain_outbox
from holdfast_artisan_shop.testing import make_order, make_product, make_shop
from holdfast_catalog_notify import services as catalog
from holdfast_catalog_notify.backends.email import EmailChannel
from people import services as people
from people.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def greta() -> User:
    return people.register_person(
        username="greta", email="greta@example.org", password="correct-horse-battery", role="artisan"
    )


def sell_out(artisan: User) -> None:
    """Sell of five pieces so many that too few are left."""
    bowl = make_product(shop=make_shop(owner=artisan, name="Holm Stoneware"), name="Tea bowl", stock=5)
    make_order(product=bowl, quantity=2)


def test_what_runs_out_is_mailed_to_the_artisan_with_the_way_to_it(greta, settings):
    settings.SITE_URL = "https://shop.example.org"
    sell_out(greta)
    drain_outbox()

    (told,) = mail.outbox
    assert told.to == ["greta@example.org"]
    assert told.subject == "Tea bowl is running out"
    assert "Tea bowl of Holm Stoneware is running out: 3 left." in told.body
    assert "https://shop.example.org/workshop/" in told.body


def test_a_mail_that_could_not_be_sent_is_the_same_mail_again(greta, monkeypatch, settings):
    settings.HOLDFAST_OUTBOX = {"RETRY_SECONDS": [0, 0]}
    sent = []

    def fail_once(_self, message):
        sent.append(message.id)
        if len(sent) == 1:
            raise DeliveryFailed("The server is away.")

    monkeypatch.setattr(EmailChannel, "send", fail_once)
    sell_out(greta)
    for _ in range(2):
        drain_outbox(raise_errors=False)

    assert len(sent) == 2
    assert len(set(sent)) == 1


def test_who_has_no_address_or_whose_mail_came_back_is_not_mailed(greta):
    catalog.note_bounce(provider_id="", address="greta@example.org", reason="It bounced.", suppress=True)
    sell_out(greta)
    nobody = User.objects.create_user("nobody")
    sell_out(nobody)
    drain_outbox()

    assert mail.outbox == []
