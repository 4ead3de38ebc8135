"""Verbs read and write where the router says that cards are written: a replica that lags behind decides nothing."""

import datetime as dt
import uuid

import pytest
from django.test import override_settings

from holdfast.ids import uuid7
from holdfast_cards import exceptions as no
from holdfast_cards import services
from holdfast_cards.backends.holders import UserAttribute
from holdfast_cards.models import Discrepancy, Operation
from holdfast_cards.ports import ProviderCard
from holdfast_cards.states import CardState, OperationState
from holdfast_cards.testing import make_card
from tests.cards.doubles import CLASSES, KEY_AND_REFERENCE, webhook
from tests.foundation.routers import ReplicaIsDown, a_primary_elsewhere

pytestmark = pytest.mark.django_db(transaction=True)

APPS = ("holdfast", "holdfast_cards")
TYPES = {"Result", "Work"}
CARDS = "/api/v1/cards/"


class Verbs:
    """The verbs of cards; it remembers which of them were called."""

    def __init__(self):
        self.called = set()

    def __getattr__(self, name):
        self.called.add(name)
        return getattr(services, name)


@pytest.fixture
def replica_is_down(settings):
    settings.DATABASE_ROUTERS = [ReplicaIsDown(*APPS)]


@pytest.fixture
def provider(replica_is_down, use):
    return use(**KEY_AND_REFERENCE, events=True)


def test_no_verb_asks_a_replica(provider, clock, holder):
    verbs = Verbs()
    card = orders_and_changes(verbs, holder)
    decisions(verbs, provider)
    inbox(verbs, provider, card)
    upkeep(verbs, provider, clock)
    assert verbs.called == set(services.__all__) - TYPES


def orders_and_changes(verbs, holder):
    order = {"holder_id": holder.pk, "color": "pink", "key": "first"}
    card = verbs.request_card(**order).card
    assert verbs.request_card(**order).replayed
    with pytest.raises(no.KeyReused):
        verbs.request_card(**{**order, "color": "black"})
    mine = {"card_id": card.id, "holder_id": holder.pk}
    with pytest.raises(no.TransitionNotAllowed):
        verbs.freeze_card(**mine)
    for verb in (verbs.activate_card, verbs.freeze_card, verbs.unfreeze_card, verbs.unfreeze_card):
        verb(**mine)
    new = verbs.replace_card(**mine, reason="damaged", key="second").card
    assert verbs.replace_card(**mine, reason="damaged", key="second").replayed
    verbs.activate_card(card_id=new.id, holder_id=holder.pk)  # and the one that it replaces is to end
    assert verbs.work().operations == 1
    verbs.oppose_card(card_id=new.id, holder_id=holder.pk, reason="lost")
    last = verbs.request_card(holder_id=holder.pk, color="pink").card
    assert verbs.cancel_card(card_id=last.id, holder_id=holder.pk).card.state == CardState.CANCELLED
    return verbs.request_card(holder_id=holder.pk, color="pink").card


def decisions(verbs, provider):
    def waiting():
        return Operation.objects.using("default").get(card=make_card(state="requested")).id

    provider.put(ProviderCard(id="adopted", status="ORDERED", state=CardState.ORDERED))
    verbs.adopt_card(operation_id=waiting(), provider_card_id="adopted")
    verbs.declare_without_effect(operation_id=waiting())
    verbs.send_again(operation_id=waiting())
    verbs.retry_now(operation_id=waiting())

    card = make_card()
    Operation.objects.filter(card=card).update(
        state=OperationState.NEEDS_REVIEW, last_reason="color_mismatch", ended_at=None
    )
    found = Discrepancy.objects.create(kind="color", provider="dummy", provider_card_id="x", card=card)
    verbs.resolve_discrepancy(discrepancy_id=found.id, note="He likes it.")
    assert Operation.objects.using("default").get(card=card).state == OperationState.SUCCEEDED


def inbox(verbs, provider, card):
    theirs = provider.put(provider.cards[card.provider_card_id], state=CardState.SENT)
    for shown in (theirs, ProviderCard(id="stranger", status="SENT", state=CardState.SENT)):
        headers, body = webhook(shown, event_id=shown.id)
        told = {"provider": "dummy", "headers": headers, "body": body}
        notice = verbs.receive_webhook(**told)
        assert verbs.receive_webhook(**told) is None
        for _time in range(2):
            verbs.apply_notice(notice_id=notice.id)


def upkeep(verbs, provider, clock):
    Discrepancy.objects.create(kind="extra_card", provider="dummy", provider_card_id="extra")
    make_card(state="activated", expires_on=clock().date() - dt.timedelta(days=3))
    assert (verbs.cancel_extra_cards(), verbs.expire_cards()) == (1, 1)
    verbs.read_feed()
    clock.turn(days=100)
    assert verbs.read_feed() > 1
    assert verbs.refresh_cards() > 1
    verbs.work()
    verbs.forget_webhooks()


@pytest.mark.parametrize("options", CLASSES.values(), ids=CLASSES.keys())
@pytest.mark.parametrize("fault", ["lost", "cut", "error_after"])
def test_what_became_of_a_lost_answer_is_found_without_a_replica(replica_is_down, use, clock, holder, options, fault):
    provider = use(**options)
    make_card(holder=holder)  # where only a list tells, the new one is not the one that there is
    provider.faults.append(fault)
    services.request_card(holder_id=holder.pk, color="pink")
    for _round in range(4):
        clock.turn(hours=2)
        services.work()
    ended = Operation.objects.using("default").latest("id")
    assert ended.state in (OperationState.SUCCEEDED, OperationState.NEEDS_REVIEW)


A_CARD = {"card_id": uuid7(), "holder_id": 1}
AN_OPERATION = {"operation_id": uuid7()}
CALLS = {
    "activate_card": A_CARD,
    "adopt_card": {**AN_OPERATION, "provider_card_id": "x"},
    "apply_notice": {"notice_id": uuid7()},
    "cancel_card": A_CARD,
    "cancel_extra_cards": {},
    "declare_without_effect": AN_OPERATION,
    "expire_cards": {},
    "forget_webhooks": {},
    "freeze_card": A_CARD,
    "oppose_card": {**A_CARD, "reason": "lost"},
    "read_feed": {},
    "receive_webhook": {"provider": "dummy"},  # and what it is told
    "refresh_cards": {},
    "replace_card": {**A_CARD, "reason": "lost"},
    "request_card": {"holder_id": 1, "color": "pink"},
    "resolve_discrepancy": {"discrepancy_id": uuid7(), "note": ""},
    "retry_now": AN_OPERATION,
    "send_again": AN_OPERATION,
    "unfreeze_card": A_CARD,
    "work": {},
}


@pytest.mark.parametrize("name", sorted(set(services.__all__) - TYPES))
def test_no_verb_begins_a_transaction_in_another_database_than_it_writes(provider, name):
    given = CALLS[name]
    if name == "receive_webhook":
        headers, body = webhook(ProviderCard(id="x", status="SENT", state=CardState.SENT))
        given = {**given, "headers": headers, "body": body}
    with a_primary_elsewhere(*APPS):
        getattr(services, name)(**given)


def test_whoever_writes_by_the_api_is_answered_without_a_replica(provider, client):
    def post(path, body=None, **headers):
        return client.post(f"{CARDS}{path}", body or {}, format="json", headers=headers)

    key = {"Idempotency-Key": str(uuid.uuid4())}
    ordered, again = (post("", {"color": "pink"}, **key) for _time in range(2))
    one = f"{ordered.json()['id']}/"
    changes = [post(f"{one}{step}/") for step in ("activate", "freeze", "unfreeze", "freeze")]
    replaced = post(f"{one}replace/", {"reason": "stolen"})
    new = f"{replaced.json()['id']}/"
    ends = [post(f"{new}oppose/", {"reason": "lost"}), post(f"{new}cancel/"), post(f"{new}freeze/")]
    headers, body = webhook(next(iter(provider.cards.values())))
    told = client.post(f"{CARDS}webhooks/dummy/", body, content_type="application/json", headers=headers)
    waits = post("", {"color": "pink"}, Prefer="respond-async")

    assert (ordered.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (201, 201, "true")
    assert ordered.json() == again.json()
    assert [answer.json().get("state") for answer in changes] == ["activated", "frozen", "activated", "frozen"]
    assert [answer.status_code for answer in (replaced, *ends, told, waits)] == [201, 200, 200, 409, 204, 202]


def test_a_holder_is_looked_up_where_users_are_written(holder):
    with override_settings(DATABASE_ROUTERS=[ReplicaIsDown("auth")]):
        assert UserAttribute("username").of(holder.pk).external_id == holder.username
