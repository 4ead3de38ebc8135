"""The staff's pages: they look, and decide through the services."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from holdfast_cards import services
from holdfast_cards.models import Card, Discrepancy, Feed, Notice, Operation
from holdfast_cards.ports import ProviderCard
from holdfast_cards.states import CardState, OperationState
from holdfast_cards.testing import make_card, make_holder
from tests.cards.doubles import NONE, tell, until_quiet

pytestmark = pytest.mark.django_db(transaction=True)

MODELS = [Card, Operation, Notice, Discrepancy]


def page(model, row=None, step=""):
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    if row is None:
        return reverse(f"{name}_changelist")
    return reverse(f"{name}_{step or 'change'}", args=[row.pk])


@pytest.fixture
def staff():
    client = Client()
    client.force_login(make_holder(is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def everything(provider, holder):
    """A card with all that can hang on it."""
    card = services.request_card(holder_id=holder.pk, color="pink").card
    provider.put(provider.cards[card.provider_card_id], state=CardState.SENT)
    services.apply_notice(notice_id=tell(provider.cards[card.provider_card_id]).id)
    Discrepancy.objects.create(kind="color", provider="dummy", provider_card_id=card.provider_card_id, card=card)
    Feed.objects.create(provider="dummy", next_at=card.created_at)
    return Card.objects.get()


def messages(response):
    return [str(message) for message in response.context["messages"]]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_page_shows_its_rows(staff, everything, model):
    assert model._meta.verbose_name in staff.get(page(model)).content.decode()
    assert staff.get(page(model, model.objects.first())).status_code == 200


def test_the_feed_is_shown(staff, everything):
    assert "dummy" in staff.get(page(Feed)).content.decode()


@pytest.mark.parametrize("model", [*MODELS, Feed], ids=lambda model: model.__name__)
def test_nobody_adds_edits_or_deletes_by_hand(staff, everything, model):
    row = model.objects.first()
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert staff.get(reverse(f"{name}_add")).status_code == 403
    assert staff.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code == 403
    assert staff.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_the_page_of_a_card_tells_its_life(staff, everything):
    content = staff.get(page(Card, everything)).content.decode()

    assert "Requested" in content
    assert "A webhook" in content
    assert "card.changed" in content
    assert "A card of another color" in content


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_rows_are_found_by_their_ids(staff, everything, model):
    row = model.objects.first()
    found = staff.get(page(model), {"q": str(row.pk)}).context["cl"]
    nothing = staff.get(page(model), {"q": "nobody at all"}).context["cl"]

    assert [one.pk for one in found.queryset] == [row.pk]
    assert nothing.queryset.count() == 0


def test_cards_are_found_by_their_holder_their_operation_and_the_providers_id(staff, everything):
    operation = everything.operations.get()
    for term in (everything.holder.username, str(operation.pk), everything.provider_card_id):
        assert [one.pk for one in staff.get(page(Card), {"q": term}).context["cl"].queryset] == [everything.pk]


def test_a_step_is_taken_in_the_holders_name_and_logged(staff, everything):
    assert "will authorize" in staff.get(page(Card, everything, "activate")).content.decode()
    response = staff.post(page(Card, everything, "activate"), {}, follow=True)

    assert messages(response) == ["The card is activated."]
    assert Card.objects.get().state == CardState.ACTIVATED
    assert response.context["user"].logentry_set.count() == 1
    staff.post(page(Card, everything, "oppose"), {"reason": "stolen"})
    assert Card.objects.get().state == CardState.OPPOSED


def test_a_step_that_the_provider_does_not_answer_is_left_to_the_worker(staff, everything, provider):
    provider.faults.append("lost")
    response = staff.post(page(Card, everything, "activate"), {}, follow=True)

    assert messages(response) == ["The provider has not answered yet; the worker sees to it."]


def test_a_step_that_is_refused_says_why(staff, everything, provider):
    provider.faults.append("rejected")
    response = staff.post(page(Card, everything, "activate"), {}, follow=True)

    assert "The provider refused, and would refuse again." in messages(response)[0]


def test_who_may_only_look_takes_no_step(everything):
    looker = make_holder(is_staff=True)
    looker.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(looker)

    assert client.get(page(Card, everything)).context["steps"] == []
    assert client.post(page(Card, everything, "cancel"), {}).status_code == 403
    assert client.post(page(Operation, everything.operations.get(), "without-effect"), {}).status_code == 403


@pytest.fixture
def parked(use, holder, clock):
    provider = use(**NONE)
    provider.faults.append("lost")
    services.request_card(holder_id=holder.pk, color="pink")
    until_quiet(clock)
    return Operation.objects.get()


def test_the_review_queue_offers_the_decisions(staff, parked):
    assert [one.pk for one in staff.get(page(Operation), {"queue": "review"}).context["cl"].queryset] == [parked.pk]
    assert staff.get(page(Operation), {"queue": "open"}).context["cl"].queryset.count() == 1
    assert staff.get(page(Operation), {"queue": "overdue"}).context["cl"].queryset.count() == 0
    labels = [step["label"] for step in staff.get(page(Operation, parked)).context["steps"]]
    assert labels == ["It made this card", "It had no effect", "Send again", "Go on now"]


def test_a_card_is_adopted(staff, parked):
    response = staff.post(page(Operation, parked, "adopt"), {"provider_card_id": "card-7"}, follow=True)

    assert messages(response) == ["The card is ordered."]
    assert Card.objects.get().provider_card_id == "card-7"
    assert staff.get(page(Operation, parked)).context["steps"] == []


@pytest.mark.parametrize(
    ("step", "state"),
    [
        ("without-effect", OperationState.REJECTED),
        ("send-again", OperationState.PENDING),
        ("retry-now", OperationState.UNKNOWN),
    ],
)
def test_an_order_is_decided(staff, parked, step, state):
    assert messages(staff.post(page(Operation, parked, step), {}, follow=True))
    assert Operation.objects.get().state == state


def test_a_discrepancy_is_resolved(staff, provider):
    found = Discrepancy.objects.create(
        kind="unknown_card", provider="dummy", provider_card_id=ProviderCard(id="x", status="", state=None).id
    )
    assert staff.post(page(Discrepancy, found, "resolve"), {"note": ""}).status_code == 200
    response = staff.post(page(Discrepancy, found, "resolve"), {"note": "Made by hand."}, follow=True)

    assert messages(response) == ["It is resolved."]
    assert Discrepancy.objects.get().note == "Made by hand."
    assert make_card()
