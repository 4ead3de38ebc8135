"""Both sides at once: our services and the shipped adapters over real HTTP to the sandbox, its webhooks back to us.

On PostgreSQL only: the test server's threads would share SQLite's one connection in memory, and its transactions.
"""

import pytest
from django.urls import reverse

from holdfast_cards import services
from holdfast_cards.models import Card
from holdfast_cards.states import CardState
from holdfast_cards.testing import make_holder, run_worker
from tests.cards.adapters.providers import SECRET

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
HASTY = {"connect_seconds": 2, "read_seconds": 0.5, "total_seconds": 1}
OPTIONS = {
    "bank": {},
    "stripe": {"api_key": "sk_test_sandbox", "designs": {"pink": "pd_pink", "black": "pd_black"}},
    "lithic": {"api_key": "lithic-sandbox", "products": {"pink": "1", "black": "2"}},
}
# What happens there, and what becomes of the card here.
LIFE = [("ship", CardState.SENT), ("activate", CardState.ACTIVATED), ("cancel", CardState.CANCELLED)]


@pytest.fixture
def plugged(sandbox, live_server, settings):
    """Plug the sandbox into the project, both ways."""
    name = sandbox.name
    options = {"base_url": sandbox.base_url, "webhook_secrets": [SECRET], "limits": HASTY, **OPTIONS[name]}
    provider = f"holdfast_cards.backends.{name}.{name.capitalize()}Provider"
    settings.HOLDFAST_CARDS = {
        "PROVIDER": {"BACKEND": provider, "OPTIONS": options},
        "HOLDER_REFERENCE": {"BACKEND": "tests.cards.hosts.Addresses"},
        "SETTLE_SECONDS": 0.0,
        "RETRY_SECONDS": 0.0,
        "SECOND_TRY_SECONDS": 0.0,
    }
    address = live_server.url + reverse("holdfast_cards:webhook", kwargs={"provider": name})
    sandbox.choose(webhook_url=address, webhook_secret=SECRET)
    return sandbox


def order(sandbox):
    """Order a card, and return it once everybody has been told of whatever there is to tell."""
    result = services.request_card(holder_id=make_holder().pk, color="pink")
    return seen(sandbox, result.card)


def seen(sandbox, card):
    sandbox.settle()
    run_worker()
    return Card.objects.get(pk=card.pk)


def test_a_card_lives_here_as_it_lives_there(plugged):
    card = order(plugged)
    assert card.state == CardState.ORDERED

    for happening, state in LIFE:
        plugged.befall(card.provider_card_id, happening)
        assert seen(plugged, card).state == state

    assert [delivery.note for event in plugged.events for delivery in event.deliveries] == ["204"] * 4


@pytest.mark.parametrize(
    "fault", ["cut_after", "hang_after", "half", "garbage", "not_json", "no_id", "error_500_after"]
)
def test_a_card_whose_answer_is_lost_is_found_and_never_made_again(plugged, fault):
    # Without keys and reads the webhook is the bank's only way to tell.
    plugged.arm(fault, seconds=3)

    card = order(plugged)

    assert (card.state, card.provider_card_id) == (CardState.ORDERED, plugged.cards[0].id)
    assert len(plugged.cards) == 1


@pytest.mark.parametrize("fault", ["cut_before", "error_500_before", "rate_limited"])
def test_a_card_that_was_not_made_is_made_once_or_left_to_a_person(plugged, fault):
    plugged.arm(fault, retry_after="0")

    card = order(plugged)

    made = 0 if plugged.name == "bank" and fault != "rate_limited" else 1
    assert len(plugged.cards) == made
    assert (card.state == CardState.ORDERED) == bool(made)


def test_a_provider_that_is_switched_off_gets_the_order_later(plugged):
    with plugged.server.refusing():
        result = services.request_card(holder_id=make_holder().pk, color="pink")
        assert result.is_open

    assert seen(plugged, result.card).state == CardState.ORDERED
    assert len(plugged.cards) == 1


@pytest.mark.parametrize(
    "fault", ["webhook_late", "webhook_early", "webhook_twice", "webhook_reordered", "webhook_never", "webhook_forged"]
)
def test_whatever_becomes_of_a_webhook_the_card_is_right_in_the_end(plugged, fault):
    card = order(plugged)
    plugged.arm(fault, seconds=60)

    for happening, _ in LIFE[:2]:
        plugged.befall(card.provider_card_id, happening)
        plugged.settle()
    plugged.server.advance(61)

    assert seen(plugged, card).state == CardState.ACTIVATED
