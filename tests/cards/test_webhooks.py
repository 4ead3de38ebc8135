"""The inbox: whatever comes, in whatever order, however often, the card ends where the provider has it."""

import datetime as dt
import itertools

import pytest

from holdfast.testing import drain_outbox
from holdfast_cards import exceptions as no
from holdfast_cards import services
from holdfast_cards.models import Card, Discrepancy, Notice, Operation
from holdfast_cards.ports import ProviderCard
from holdfast_cards.states import CardState, NoticeState, OperationState
from holdfast_cards.testing import make_card
from tests.cards.doubles import KEY_AND_REFERENCE, LIST, NONE, SECRET, tell, until_quiet, webhook

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/cards/webhooks/dummy/"
LIFE = [CardState.ORDERED, CardState.SENT, CardState.ACTIVATED, CardState.FROZEN, CardState.ACTIVATED]
ENDS = [[], [CardState.CANCELLED], [CardState.OPPOSED], [CardState.EXPIRED]]
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def snapshots(card, states):
    return [
        ProviderCard(id=card.provider_card_id, status=str(state).upper(), state=state, color=card.color)
        for state in states
    ]


@pytest.mark.slow
@pytest.mark.any_database
@pytest.mark.parametrize("end", ENDS, ids=str)
def test_every_permutation_of_webhooks_ends_in_the_same_state_where_nobody_can_look(use, end):
    """Each order of a whole life's webhooks, each of them twice: 24 x 4 lives, and the shuffled longest ones."""
    provider = use(**NONE)
    states = [*LIFE[:3], *end] or LIFE
    ends = set()
    for order in itertools.permutations(range(len(states))):
        card = make_card()
        shots = snapshots(card, states)
        for place in (*order, *order[:1]):
            notice = tell(
                shots[place],
                event_id=f"{card.id}-{place}",
                occurred_at=NOON + dt.timedelta(minutes=place),
            )
            if notice is not None:
                services.apply_notice(notice_id=notice.id)
        ends.add(Card.objects.get(id=card.id).state)
    assert ends == {states[-1]}
    assert provider.calls == []


@pytest.mark.parametrize("life", [LIFE[:4], LIFE], ids=["frozen", "unfrozen"])
def test_every_permutation_of_freezing_and_unfreezing_ends_in_the_newest(use, life):
    use(**NONE)
    ends = set()
    for order in itertools.permutations(range(2, len(life))):
        card = make_card(state="sent")
        for place in order:
            (shot,) = snapshots(card, [life[place]])
            notice = tell(shot, event_id=f"{card.id}-{place}", occurred_at=NOON + dt.timedelta(minutes=place))
            services.apply_notice(notice_id=notice.id)
        ends.add(Card.objects.get(id=card.id).state)
    assert ends == {life[-1]}


@pytest.mark.slow
@pytest.mark.any_database
@pytest.mark.parametrize("end", ENDS, ids=str)
@pytest.mark.parametrize("options", [KEY_AND_REFERENCE, LIST], ids=["get", "list"])
def test_every_permutation_ends_in_what_the_provider_shows_where_one_can_look(use, options, end):
    provider = use(**options)
    states = [*LIFE[:3], *end]
    for order in itertools.permutations(range(len(states))):
        card = make_card()
        shots = snapshots(card, states)
        provider.cards[card.provider_card_id] = ProviderCard(
            id=card.provider_card_id, status="", state=states[-1], holder=card.holder_reference
        )
        for place in order:
            services.apply_notice(notice_id=tell(shots[place], event_id=f"{card.id}-{place}").id)
        assert Card.objects.get(id=card.id).state == states[-1]
        assert card.transitions.count() == 1


def test_of_two_webhooks_of_one_moment_the_later_state_counts(use):
    use(**NONE)
    for order in ([0, 1], [1, 0]):
        card = make_card(state="sent")
        shots = snapshots(card, [CardState.ACTIVATED, CardState.FROZEN])
        for place in order:
            notice = tell(shots[place], event_id=f"{card.id}-{place}", occurred_at=NOON)
            services.apply_notice(notice_id=notice.id)
        assert Card.objects.get(id=card.id).state == CardState.FROZEN


def test_a_webhook_is_applied_when_the_outbox_tells_of_it(provider, client):
    card = make_card()
    provider.put(ProviderCard(id=card.provider_card_id, status="SENT", state=CardState.SENT))
    headers, body = webhook(provider.cards[card.provider_card_id])

    assert client.generic("POST", URL, body, headers=headers).status_code == 204
    assert Card.objects.get().state == CardState.ORDERED
    drain_outbox()
    assert Card.objects.get().state == CardState.SENT
    assert Notice.objects.get().state == NoticeState.DONE
    assert card.transitions.get().notice_id == Notice.objects.get().id


def test_an_applied_webhook_applied_again_changes_nothing(provider):
    card = make_card()
    theirs = provider.put(ProviderCard(id=card.provider_card_id, status="SENT", state=CardState.SENT))
    notice = tell(theirs)
    for _ in range(3):
        services.apply_notice(notice_id=notice.id)

    assert card.transitions.count() == 1
    assert [call for call, _id in provider.calls] == ["get"]


def test_while_the_provider_does_not_show_the_card_the_webhook_waits(provider, clock):
    card = make_card()
    theirs = provider.put(ProviderCard(id=card.provider_card_id, status="SENT", state=CardState.SENT))
    notice = tell(theirs)
    provider.unreadable = True
    services.apply_notice(notice_id=notice.id)
    assert Notice.objects.get().state == NoticeState.DEFERRED
    assert Notice.objects.get().reason == "read_timeout"
    provider.unreadable = False
    until_quiet(clock)

    assert Card.objects.get().state == CardState.SENT


def test_what_was_fetched_before_somebody_else_wrote_is_fetched_again(provider):
    card = make_card(state="activated")
    theirs = provider.put(ProviderCard(id=card.provider_card_id, status="ACTIVE", state=CardState.ACTIVATED))
    notice = tell(theirs)
    fetch = provider.get

    def late(card_id):
        provider.get = fetch
        old = fetch(card_id)
        services.freeze_card(card_id=card.id, holder_id=card.holder_id)
        return old

    provider.get = late
    services.apply_notice(notice_id=notice.id)

    assert Card.objects.get().state == CardState.FROZEN
    assert [step.target_state for step in card.transitions.all()] == ["frozen"]


def test_a_card_that_others_write_all_the_time_is_left_for_later(provider):
    card = make_card()
    theirs = provider.put(ProviderCard(id=card.provider_card_id, status="SENT", state=CardState.SENT))
    notice = tell(theirs)
    fetch = provider.get

    def busy(card_id):
        from django.db.models import F

        Card.objects.update(version=F("version") + 1)
        return fetch(card_id)

    provider.get = busy
    services.apply_notice(notice_id=notice.id)

    assert (Notice.objects.get().state, Notice.objects.get().reason) == (NoticeState.DEFERRED, "busy")


def test_a_webhook_of_an_order_that_failed_here_is_a_card_too_many(provider, holder, clock):
    provider.faults.extend(["lost", "lost"])
    result = services.request_card(holder_id=holder.pk, color="pink")
    services.declare_without_effect(operation_id=result.operation.id)
    (card,) = provider.cards.values()
    services.apply_notice(notice_id=tell(card).id)

    assert Card.objects.get().state == CardState.FAILED
    assert Discrepancy.objects.get().kind == "extra_card"
    services.work()
    assert provider.cards[card.id].state == CardState.CANCELLED


def test_an_order_in_review_is_settled_by_its_webhook(use, holder, clock):
    provider = use(**NONE)
    provider.faults.append("lost")
    services.request_card(holder_id=holder.pk, color="pink")
    until_quiet(clock)
    assert Operation.objects.get().state == OperationState.NEEDS_REVIEW
    (card,) = provider.cards.values()
    services.apply_notice(notice_id=tell(card).id)

    assert Operation.objects.get().state == OperationState.SUCCEEDED
    assert Card.objects.get().state == CardState.ORDERED


def test_a_webhook_about_no_card_is_ignored(provider):
    notice = tell(ProviderCard(id="", status="ORDERED", state=CardState.ORDERED))
    services.apply_notice(notice_id=notice.id)

    assert (Notice.objects.get().state, Notice.objects.get().reason) == (NoticeState.IGNORED, "about_no_card")


def test_a_webhook_of_a_status_that_we_do_not_know_changes_no_state(use):
    use(**NONE)
    card = make_card()
    notice = tell(ProviderCard(id=card.provider_card_id, status="IN_LIMBO", state=None))
    services.apply_notice(notice_id=notice.id)

    card = Card.objects.get()
    assert (card.state, card.provider_status, card.anomalies) == ("ordered", "IN_LIMBO", ["unrecognized_status"])


def test_a_provider_that_is_not_ours_has_no_door(provider, client):
    headers, body = webhook(ProviderCard(id="a", status="SENT", state=CardState.SENT))
    response = client.generic("POST", "/api/v1/cards/webhooks/stripe/", body, headers=headers)

    assert (response.status_code, response.json()["code"]) == (404, "holdfast_cards.provider_not_found")


def test_a_provider_without_webhooks_has_no_door(use, client):
    use(webhook_secrets=[])
    assert client.post("/api/v1/cards/webhooks/dummy/").status_code == 404


def test_the_door_is_open_without_a_login_and_for_a_look(provider, client):
    client.force_authenticate(None)
    headers, body = webhook(ProviderCard(id="a", status="SENT", state=CardState.SENT))

    assert client.generic("POST", URL, body, headers=headers).status_code == 204
    assert client.head(URL).status_code == 200
    assert client.get(URL).status_code == 405


def test_a_body_that_is_too_large_is_not_read(use, client):
    use(WEBHOOK_MAX_BYTES=1000)
    headers, _body = webhook(ProviderCard(id="a", status="SENT", state=CardState.SENT))
    response = client.generic("POST", URL, b"x" * 1001, headers=headers)

    assert response.status_code == 413
    assert not Notice.objects.exists()


def test_a_new_secret_and_the_old_one_are_both_taken_while_they_rotate(use):
    new = "whsec_" + "bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3"
    use(webhook_secrets=[SECRET, new])
    card = ProviderCard(id="a", status="SENT", state=CardState.SENT)

    assert tell(card, event_id="old", secret=SECRET)
    assert tell(card, event_id="new", secret=new)


def test_old_webhooks_are_forgotten_and_those_that_wait_are_not(provider, clock):
    for number in range(3):
        services.apply_notice(notice_id=tell(ProviderCard(id="", status="", state=None), event_id=f"{number}").id)
    waiting = tell(ProviderCard(id="a", status="SENT", state=CardState.SENT), event_id="waiting")
    clock.turn(days=89)
    assert services.forget_webhooks() == 0
    clock.turn(days=2)

    assert services.forget_webhooks(limit=2) == 2
    assert services.forget_webhooks() == 1
    assert [one.id for one in Notice.objects.all()] == [waiting.id]


def test_a_worker_that_dies_with_a_webhook_leaves_it_to_the_next(provider, clock, monkeypatch):
    card = make_card()
    theirs = provider.put(ProviderCard(id=card.provider_card_id, status="SENT", state=CardState.SENT))
    notice = tell(theirs)

    class Killed(BaseException):
        pass

    def die(card_id):
        raise Killed

    monkeypatch.setattr(provider, "get", die)
    with pytest.raises(Killed):
        services.apply_notice(notice_id=notice.id)
    monkeypatch.delattr(provider, "get")
    services.apply_notice(notice_id=notice.id)
    assert Card.objects.get().state == CardState.ORDERED, "somebody may still be at it"
    clock.turn(seconds=61)
    services.work()

    assert Card.objects.get().state == CardState.SENT


def test_a_webhook_on_which_we_break_is_not_tried_for_ever(provider, clock, monkeypatch, caplog):
    card = make_card()
    theirs = provider.put(ProviderCard(id=card.provider_card_id, status="SENT", state=CardState.SENT))
    notice = tell(theirs)
    Notice.objects.update(received_at=clock())

    def breaks(**_kwargs):
        raise ValueError("a bug")

    monkeypatch.setattr("holdfast_cards.services.inbox.observe", breaks)
    clock.turn(minutes=1)
    services.work()
    assert str(notice.id) in caplog.text
    assert Notice.objects.get().state == NoticeState.DEFERRED
    clock.turn(hours=25)
    services.work()

    assert (Notice.objects.get().state, Notice.objects.get().reason) == (NoticeState.FAILED, "error")


def test_an_invalid_webhook_is_one_refusal_to_the_caller(provider):
    with pytest.raises(no.InvalidSignature):
        services.receive_webhook(provider="dummy", headers={}, body=b"")
