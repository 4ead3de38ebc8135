"""No verb waits on the provider inside a transaction: not in its own, and not in its caller's."""

import pytest
from django.db import connections, transaction
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from holdfast_cards import services
from holdfast_cards.models import Card
from holdfast_cards.ports import ProviderCard
from holdfast_cards.states import CardState
from holdfast_cards.testing import make_card, make_holder
from tests.cards.doubles import KEY_AND_REFERENCE, LIST, tell

pytestmark = pytest.mark.django_db(transaction=True)


def request(card):
    services.request_card(holder_id=card.holder_id, color="pink")


def replace(card):
    services.replace_card(card_id=card.id, holder_id=card.holder_id, reason="stolen")


def oppose(card):
    services.oppose_card(card_id=card.id, holder_id=card.holder_id, reason="lost")


def on(verb):
    return lambda card: verb(card_id=card.id, holder_id=card.holder_id)


def adopt(card):
    waiting = make_card(state="requested", holder_reference="somebody")
    theirs = ProviderCard(id="adopted", status="ORDERED", state=CardState.ORDERED)
    the_provider().put(theirs)
    operation = waiting.operations.get()
    services.adopt_card(operation_id=operation.id, provider_card_id="adopted")


def apply(card):
    notice = tell(ProviderCard(id=card.provider_card_id, status="SENT", state=CardState.SENT))
    services.apply_notice(notice_id=notice.id)


def work(_card):
    services.work()


def carry_out(card):
    make_card(state="requested", holder_reference="somebody")
    services.work()


def the_provider():
    from holdfast.conf import load_backend
    from holdfast_cards.conf import settings

    return load_backend(settings.PROVIDER)


VERBS = {
    "request": (request, "activated", "create"),
    "replace": (replace, "activated", "create"),
    "activate": (on(services.activate_card), "sent", "activate"),
    "freeze": (on(services.freeze_card), "activated", "freeze"),
    "unfreeze": (on(services.unfreeze_card), "frozen", "unfreeze"),
    "cancel": (on(services.cancel_card), "activated", "cancel"),
    "oppose": (oppose, "activated", "oppose"),
    "adopt": (adopt, "activated", "get"),
    "apply a webhook": (apply, "ordered", "get"),
    "refresh": (lambda _card: services.refresh_cards(), "ordered", "get"),
    "read the feed": (lambda _card: services.read_feed(), "ordered", "events"),
    "cancel extra cards": (lambda _card: services.cancel_extra_cards(), "ordered", "cancel"),
    "work": (work, "ordered", "get"),
    "carry out an order": (carry_out, "ordered", "create"),
}
each_verb = pytest.mark.parametrize(("verb", "state", "called"), VERBS.values(), ids=VERBS.keys())


@pytest.fixture
def card(use):
    """A card that the provider knows, due for everything."""

    def make(state):
        provider = use(**KEY_AND_REFERENCE, events=True)
        card = make_card(state=state)
        provider.put(ProviderCard(id=card.provider_card_id, status="", state=CardState(state)))
        Card.objects.filter(id=card.id).update(next_refresh_at=card.created_at)
        card.discrepancies.create(kind="extra_card", provider="dummy", provider_card_id="extra")
        return card

    return make


@each_verb
def test_a_verb_calls_the_provider_outside_any_transaction(card, verb, state, called):
    verb(card(state))  # the provider of these tests refuses to be called inside one

    assert called in [call for call, _about in the_provider().calls]


@each_verb
def test_a_verb_refuses_to_run_in_its_callers_transaction(card, verb, state, called):
    it = card(state)
    with pytest.raises(RuntimeError), transaction.atomic():
        verb(it)

    assert called not in [call for call, _about in the_provider().calls if call not in ("get", "events")]


@pytest.fixture
def wrapped():
    """Let the host wrap each request in a transaction."""
    connections["default"].settings_dict["ATOMIC_REQUESTS"] = True
    yield
    connections["default"].settings_dict["ATOMIC_REQUESTS"] = False


def test_a_host_that_wraps_requests_in_transactions_changes_nothing(use, holder, wrapped):
    use(**LIST)
    client = APIClient()
    client.force_authenticate(holder)

    assert client.post("/api/v1/cards/", {"color": "pink"}, format="json").status_code == 201


def test_nor_does_it_for_the_steps_of_its_staff(card, wrapped):
    mine = card("activated")
    staff = Client()
    staff.force_login(make_holder(is_staff=True, is_superuser=True))

    assert staff.post(reverse("admin:holdfast_cards_card_freeze", args=[mine.pk]), {}).status_code == 302
    assert Card.objects.get().state == CardState.FROZEN
