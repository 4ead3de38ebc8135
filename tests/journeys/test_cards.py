"""Stories of cards: ordered by color, watched, frozen, lost; against a real server that stands in for Stripe."""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from holdfast.testing import drain_outbox
from holdfast_cards import selectors
from holdfast_cards.states import Verb
from holdfast_cards.testing import run_worker
from holdfast_cards.testing.sandbox import Sandbox, running_sandbox
from people.models import User
from people.selectors import find_person
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.usefixtures("flushable")

Newcomer = Callable[..., Visitor]
SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"


@pytest.fixture
def stripe(settings: Any) -> Iterator[Sandbox]:
    """The card provider of the settings, to break."""
    with running_sandbox("stripe") as sandbox:
        sandbox.webhooks.secret = SECRET
        options = {"base_url": sandbox.base_url, "api_key": sandbox.api_key, "webhook_secrets": [SECRET]}
        provider = {
            "BACKEND": "holdfast_cards.backends.stripe.StripeProvider",
            "OPTIONS": {**options, "designs": {"pink": "pd_pink", "black": "pd_black"}},
        }
        settings.HOLDFAST_CARDS = {**settings.HOLDFAST_CARDS, "PROVIDER": provider}
        settings.CARD_SANDBOX_PAGE = f"{sandbox.server.url}/"
        yield sandbox


def card_of(visitor: Visitor):
    return selectors.cards_of(holder_id=find_person(visitor.username).pk).first()


def tell(sandbox: Sandbox) -> None:
    """Deliver the provider's newest event, as its webhook would, and let the relay work."""
    event = sandbox.events[-1]
    body = json.dumps(event.payload).encode()
    headers = sandbox.dialect.sign(event, body, secret=SECRET, at=time.time())
    assert Client().generic("POST", "/api/v1/cards/webhooks/stripe/", body, headers=headers).status_code == 204
    drain_outbox()


def test_from_a_color_to_a_frozen_card(newcomer: Newcomer, stripe: Sandbox):
    ada = newcomer("ada", first_name="Ada")
    assert "No card yet" in ada.open("/cards/").text
    assert "Your pink card is ordered." in ada.open("/cards/new/").submit(color="pink").text
    assert "Pink debit card, ordered" in ada.text

    (theirs,) = stripe.cards
    assert theirs.owner == User.objects.get(username="ada").external_id
    stripe.befall(theirs.id, "ship")
    tell(stripe)
    assert "Sent" in ada.open(f"/cards/{card_of(ada).id}/life/").text

    drain_outbox()
    assert "Your card is on its way" in ada.open("/activity/").text
    card = f"/cards/{card_of(ada).id}"
    assert "You can pay with it." in ada.open(f"{card}/").submit(action=f"{card}/activate/").text
    assert "It is frozen" in ada.submit(action=f"{card}/freeze/").text
    assert stripe.cards[0].status == "inactive"
    assert "It works again." in ada.submit(action=f"{card}/unfreeze/").text
    assert "Pink debit card, activated" in ada.open("/cards/").text
    assert stripe.server.url in ada.text


def test_a_lost_answer_is_shown_as_what_it_is_and_repaired(newcomer: Newcomer, stripe: Sandbox, settings):
    settings.HOLDFAST_CARDS = {**settings.HOLDFAST_CARDS, "SECOND_TRY_SECONDS": 0, "RETRY_SECONDS": 0.0}
    ada = newcomer("ada")
    stripe.arm("cut_after")
    ada.open("/cards/new/").submit(color="black")

    assert "The provider has not answered yet. We keep asking; nothing is ordered twice." in ada.text
    assert card_of(ada).state == "requested"
    again = ada.client.post("/cards/new/", {"color": "pink", "key": "01a1f963-e36c-7cfb-850f-62a35cc1a943"})
    assert again.status_code == 409
    assert "A card is being made for this holder already." in again.content.decode()
    run_worker()
    assert "Black debit card, ordered" in ada.open("/cards/").text
    assert len(stripe.cards) == 1


def test_a_double_click_is_one_card(newcomer: Newcomer, stripe: Sandbox):
    ada = newcomer("ada")
    key = re.search(r'name="key" value="([^"]+)"', ada.open("/cards/new/").text)[1]
    for _ in range(2):
        assert ada.client.post("/cards/new/", {"color": "pink", "key": key}).status_code == 302

    assert len(stripe.cards) == 1


def test_a_stolen_card_ends_and_another_comes(newcomer: Newcomer, stripe: Sandbox):
    ada = newcomer("ada")
    ada.open("/cards/new/").submit(color="pink")
    old = card_of(ada)
    ada.open(f"/cards/{old.id}/lost/").submit(reason="stolen", replace="on")

    assert "Nobody pays with it any more. Another is ordered." in ada.text
    assert [card.status for card in stripe.cards] == ["canceled", "inactive"]
    assert card_of(ada).replaces_id == old.id
    assert "Opposed" in ada.open(f"/cards/{old.id}/").text


def test_a_card_is_ended_without_another(newcomer: Newcomer, stripe: Sandbox):
    ada = newcomer("ada")
    ada.open("/cards/new/").submit(color="pink")
    first = card_of(ada)
    ada.open(f"/cards/{first.id}/lost/")
    assert ada.client.post(f"/cards/{first.id}/lost/", {"reason": "lost", "key": str(first.id)}).status_code == 302
    assert card_of(ada).state == "opposed"
    ada.open("/cards/new/").submit(color="black")
    assert "The card is ended." in ada.open(f"/cards/{card_of(ada).id}/end/").submit().text


def test_what_is_not_mine_or_makes_no_sense_is_refused(newcomer: Newcomer, stripe: Sandbox):
    ada, ben = newcomer("ada"), newcomer("ben")
    ada.open("/cards/new/").submit(color="pink")
    card = f"/cards/{card_of(ada).id}"

    for page in ("/", "/life/", "/lost/", "/end/"):
        ben.open(card + page, status=404)
    for step in ("activate", "freeze", "unfreeze", "lost", "end"):
        typed = {"reason": "lost", "key": str(card_of(ada).id)}
        assert ben.client.post(f"{card}/{step}/", typed).status_code == 404, step
    assert card_of(ada).state == "ordered"
    assert ada.client.post(f"{card}/melt/").status_code == 404
    assert (
        "The card is not in a state that allows this."
        in ada.client.post(f"{card}/freeze/", follow=True).content.decode()
    )
    assert ada.client.post("/cards/new/", {"color": "green", "key": str(card_of(ada).id)}).status_code == 422


def test_a_bank_that_cannot_freeze_does_not_offer_it(newcomer: Newcomer, settings):
    with running_sandbox("bank") as bank:
        provider = {
            "BACKEND": "holdfast_cards.backends.bank.BankProvider",
            "OPTIONS": {"base_url": bank.base_url},
        }
        settings.HOLDFAST_CARDS = {**settings.HOLDFAST_CARDS, "PROVIDER": provider}
        ada = newcomer("ada")
        ada.open("/cards/new/").submit(color="pink")

        assert selectors.offered().verbs == {Verb.ISSUE}
        assert "freeze" not in ada.text
        assert "Lost or stolen" not in ada.text


def test_where_only_a_person_can_tell_the_page_says_so(newcomer: Newcomer, settings):
    with running_sandbox("bank") as bank:
        provider = {
            "BACKEND": "holdfast_cards.backends.bank.BankProvider",
            "OPTIONS": {"base_url": bank.base_url},
        }
        settings.HOLDFAST_CARDS = {**settings.HOLDFAST_CARDS, "PROVIDER": provider, "RETRY_SECONDS": 0.0}
        bank.arm("cut_after")
        ada = newcomer("ada")
        ada.open("/cards/new/").submit(color="pink")
        run_worker()

        page = ada.open(f"/cards/{card_of(ada).id}/").text
        assert "One of us asks what became of it. Nothing is ordered twice." in page
        assert "We keep asking" not in page
        assert bank.posts == 1


def test_the_superuser_is_known_outside_by_the_id_of_the_environment(monkeypatch, stripe: Sandbox, transactional_db):
    monkeypatch.setenv("DJANGO_SUPERUSER_EXTERNAL_ID", "boss-7")
    boss = User.objects.create_superuser("boss", "boss@example.com", "correct-horse-battery")
    client = Client()
    client.force_login(boss)

    answer = client.post("/api/v1/cards/", {"color": "pink"}, content_type="application/json")

    assert answer.status_code == 201
    assert [card.owner for card in stripe.cards] == ["boss-7"]
    assert client.get("/admin/holdfast_cards/card/").status_code == 200


@pytest.mark.parametrize(
    ("name", "backend"),
    [("bank", "BankProvider"), ("stripe", "StripeProvider"), ("lithic", "LithicProvider"), ("", "DummyProvider")],
)
def test_the_environment_chooses_the_provider(monkeypatch, settings, name, backend):
    import environ

    from config.cards import settings_from
    from holdfast.conf import load_backend
    from holdfast_cards.conf import settings as cards

    for variable, value in {
        "CARD_PROVIDER": name,
        "CARD_PROVIDER_URL": "http://127.0.0.1:1/x",
        "CARD_PROVIDER_KEY": "key",
        "CARD_WEBHOOK_SECRET": SECRET,
    }.items():
        monkeypatch.setenv(variable, value)
    settings.HOLDFAST_CARDS = settings_from(environ.Env())

    assert type(load_backend(cards.PROVIDER)).__name__ == backend
