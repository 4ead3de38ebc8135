"""The forty failures of a card's life, each with the right answer; a test names its row.

The rows are those of the table in the documentation (docs/concepts/cards.md). Rows 5, 7 and 34 are also played with
real processes and SIGKILL, in test_kill.py.
"""

import ast
import datetime as dt
import logging
import re
from pathlib import Path

import pytest
from django.db import OperationalError

from holdfast_cards import services
from holdfast_cards.models import Attempt, Card, Discrepancy, Notice, Operation
from holdfast_cards.services import operations
from holdfast_cards.services.recovery import pause_seconds
from holdfast_cards.services.rows import load_operation
from holdfast_cards.states import CardState, DiscrepancyKind, NoticeState, OperationState, Verb
from holdfast_cards.testing import make_card
from tests.cards.doubles import (
    CLASSES,
    KEY,
    KEY_AND_REFERENCE,
    LIST,
    NONE,
    REFERENCE,
    tell,
    until_quiet,
    webhook,
)

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = set(range(1, 41))

each_class = pytest.mark.parametrize("options", CLASSES.values(), ids=CLASSES.keys())
recovering = pytest.mark.parametrize(
    "options", [KEY, KEY_AND_REFERENCE, REFERENCE, LIST], ids=["key", "key and reference", "reference", "list"]
)
looking = pytest.mark.parametrize("options", [REFERENCE, LIST], ids=["reference", "list"])


def test_each_of_the_forty_rows_has_a_test_that_names_it():
    named = {
        int(number)
        for file in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef)
        for number in re.findall(r"(?<=row_)\d\d", node.name)
    }
    assert named == ROWS


def ask(client, color="pink", key=None, **headers):
    given = {"Idempotency-Key": key} if key else {}
    return client.post("/api/v1/cards/", {"color": color}, format="json", headers={**given, **headers})


def the_card():
    return Card.objects.get()


def the_operation():
    return Operation.objects.get()


def intend(holder, **options):
    """Commit the wish and die before anything else: what deferring leaves is what a crash would."""
    return services.request_card(holder_id=holder.pk, color="pink", wait=False, **options)


def die_in_flight(holder, provider, *, created):
    """Commit wish and claim, let the provider have made the card or not, and die."""
    result = intend(holder, key="k")
    operation = load_operation(operation_id=result.operation.id)
    gate = operations.Gate()
    operations._take_baseline(gate, operation)
    assert operations._claim(operation, generation=operation.generation)
    if created:
        provider.create(operation.payload, key=str(operation.key))


# Rows 1 to 7: processes and databases that die


def test_row_01_a_database_that_is_down_before_the_wish_sends_nothing(client, provider, monkeypatch):
    def down(*_args, **_kwargs):
        raise OperationalError("the database is down")

    monkeypatch.setattr(Card, "save", down)
    client.raise_request_exception = False
    response = ask(client, key="k")

    assert (response.status_code, response.json()["code"]) == (503, "holdfast.database_unavailable")
    assert response.headers["Retry-After"]
    assert provider.calls == []
    monkeypatch.undo()
    assert ask(client, key="k").status_code == 201


@each_class
def test_row_02_killed_after_the_wish_it_is_sent_at_once(use, options, holder, client, clock):
    provider = use(**options)
    intend(holder, key="k")

    services.work()

    assert the_card().state == CardState.ORDERED
    assert ask(client, key="k").status_code == 201
    assert provider.posts == 1


def test_row_02_the_holder_who_asks_again_helps_it_on(provider, holder, client):
    intend(holder, key="k")

    response = ask(client, key="k")

    assert (response.status_code, response.headers["Idempotency-Replayed"]) == (201, "true")
    assert provider.posts == 1


@recovering
@pytest.mark.parametrize("created", [False, True], ids=["row_03 before the call", "row_04 before the answer"])
def test_rows_row_03_and_row_04_killed_in_flight_one_card_is_made_or_found(
    use, options, created, holder, client, clock
):
    provider = use(**options)
    die_in_flight(holder, provider, created=created)

    response = ask(client, key="k")
    assert (response.status_code, response.json()["state"]) == (202, "requested")
    assert services.work().operations == 0, "the lease still holds"
    until_quiet(clock)

    assert len(provider.cards) == 1
    assert the_card().provider_card_id in provider.cards
    assert the_operation().state == OperationState.SUCCEEDED
    assert ask(client, key="k").status_code == 201


@pytest.mark.parametrize("created", [False, True])
def test_row_04_a_provider_that_tells_nothing_is_never_asked_twice(use, created, holder, clock):
    provider = use(**NONE)
    die_in_flight(holder, provider, created=created)

    until_quiet(clock)

    assert the_operation().state == OperationState.NEEDS_REVIEW
    assert provider.posts == int(created)
    assert the_card().state == CardState.REQUESTED


@recovering
def test_row_05_killed_after_the_answer_the_same_card_is_found(use, options, holder, clock):
    provider = use(**options)
    die_in_flight(holder, provider, created=True)

    until_quiet(clock)

    assert list(provider.cards) == [the_card().provider_card_id]


def test_row_06_killed_after_the_result_there_is_nothing_to_repair(provider, client):
    first = ask(client, key="k")

    again = ask(client, key="k")

    assert again.status_code == 201
    assert again.json() == first.json()
    assert not services.work()
    assert provider.posts == 1


def test_row_07_a_database_that_is_down_at_the_result_leaves_the_claim_and_a_line(
    provider, client, clock, monkeypatch, caplog
):
    def down(**_kwargs):
        raise OperationalError("the database is down")

    monkeypatch.setattr(operations, "lock_card", down)
    with caplog.at_level(logging.CRITICAL, "holdfast_cards"):
        response = ask(client, key="k")
    monkeypatch.undo()
    monkeypatch.setattr("django.utils.timezone.now", clock)

    assert response.status_code == 202
    assert response.headers["Location"].endswith(f"/{the_card().id}/")
    (line,) = [record.getMessage() for record in caplog.records]
    assert str(the_operation().id) in line
    assert next(iter(provider.cards)) in line
    assert the_operation().state == OperationState.IN_FLIGHT
    until_quiet(clock)
    assert list(provider.cards) == [the_card().provider_card_id]


# Rows 8 to 21: answers


def test_row_08_what_was_not_sent_is_sent_later(provider, client, clock):
    provider.faults.extend(["down", "down"])
    response = ask(client)

    assert response.status_code == 202
    assert int(response.headers["Retry-After"]) >= 1
    assert the_operation().state == OperationState.PENDING
    assert the_operation().sends == 0
    until_quiet(clock)
    assert the_card().state == CardState.ORDERED


def test_row_08_a_second_try_within_the_request_may_do(provider, client):
    provider.faults.append("down")

    assert ask(client).status_code == 201


@looking
def test_row_08_that_a_repetition_was_not_sent_says_nothing_about_the_first(use, options, client, clock):
    provider = use(**options)
    provider.faults.append("cut")
    ask(client)
    clock.turn(minutes=5)
    provider.faults.extend(["down"])
    services.work()

    assert the_operation().state == OperationState.UNKNOWN
    until_quiet(clock)
    assert len(provider.cards) == 1


def test_row_08_a_host_that_does_not_queue_refuses_and_frees_the_key(use, client):
    provider = use(**KEY, QUEUE_WHEN_DOWN=False, SECOND_TRY_SECONDS=0)
    provider.faults.append("down")
    response = ask(client, key="k")

    assert (response.status_code, response.json()["code"]) == (503, "holdfast_cards.provider_unavailable")
    assert the_card().state == CardState.FAILED
    assert the_operation().state == OperationState.REJECTED
    assert ask(client, key="k").status_code == 201


@pytest.mark.parametrize("fault", ["lost", "cut"])
@recovering
def test_row_09_an_answer_that_is_lost_is_found(use, options, fault, client, clock):
    provider = use(**options, SECOND_TRY_SECONDS=0)
    provider.faults.append(fault)
    response = ask(client)

    assert response.status_code == 202
    assert the_operation().state == OperationState.UNKNOWN
    until_quiet(clock)
    assert list(provider.cards) == [the_card().provider_card_id]
    assert the_card().state == CardState.ORDERED


def test_row_09_whatever_an_adapter_raises_is_an_unknown_outcome(provider, client, clock, monkeypatch):
    def broken(*_args, **_kwargs):
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    monkeypatch.setattr(provider, "create", broken)

    assert ask(client).status_code == 202
    assert the_operation().last_reason == "adapter_error"


def test_row_10_an_answer_that_drips_past_the_deadline_is_unknown(client, clock, settings):
    from holdfast_cards.testing.sandbox import running_sandbox

    with running_sandbox("stripe") as sandbox:
        limits = {"connect_seconds": 1.0, "read_seconds": 0.5, "total_seconds": 0.6}
        settings.HOLDFAST_CARDS = {**stripe_settings(sandbox, limits=limits), "SECOND_TRY_SECONDS": 0}
        sandbox.arm("drip", seconds=5)
        response = ask(client)

        assert response.status_code == 202
        assert the_operation().state == OperationState.UNKNOWN
        until_quiet(clock)
        assert [card.id for card in sandbox.cards_of(the_card().holder_reference)] == [the_card().provider_card_id]


def stripe_settings(sandbox, **options):
    given = {"designs": {"pink": "pd_pink", "black": "pd_black"}, **options}
    return {
        "PROVIDER": {
            "BACKEND": "holdfast_cards.backends.stripe.StripeProvider",
            "OPTIONS": {"base_url": sandbox.base_url, "api_key": sandbox.api_key, **given},
        },
        "HOLDER_REFERENCE": {"BACKEND": "tests.cards.hosts.Addresses"},
    }


@each_class
def test_row_11_a_rejection_of_the_first_call_is_final(use, options, client):
    provider = use(**options)
    provider.faults.append("rejected")
    response = ask(client, key="k")

    problem = response.json()
    assert (response.status_code, problem["code"]) == (502, "holdfast_cards.provider_rejected")
    assert problem["context"]["retryable"] is False
    assert (the_card().state, the_operation().state) == (CardState.FAILED, OperationState.REJECTED)
    assert ask(client, key="k").status_code == 502, "the key stands for this request"
    assert ask(client, key="another").status_code == 201


@looking
def test_row_11_a_rejection_of_a_repetition_says_nothing_about_the_first(use, options, client, clock):
    provider = use(**options)
    provider.faults.append("cut")
    ask(client)
    clock.turn(minutes=5)
    provider.faults.append("rejected")
    services.work()

    assert the_operation().state == OperationState.UNKNOWN
    assert the_card().state == CardState.REQUESTED


def test_row_11_with_a_key_a_rejection_is_about_everything_sent_under_it(use, client, clock):
    provider = use(**KEY, SECOND_TRY_SECONDS=0)
    provider.faults.extend(["cut", "rejected"])
    ask(client)
    clock.turn(minutes=5)
    services.work()

    assert the_operation().state == OperationState.REJECTED


def test_row_12_a_provider_that_does_not_accept_us_pauses_the_order(provider, client, clock):
    provider.faults.append("misconfigured")
    response = ask(client, key="k")

    assert (response.status_code, response.json()["code"]) == (503, "holdfast_cards.provider_misconfigured")
    assert response.headers["Retry-After"]
    assert (the_card().state, the_operation().state) == (CardState.REQUESTED, OperationState.PENDING)
    assert the_operation().sends == 0
    until_quiet(clock)
    assert the_card().state == CardState.ORDERED
    assert ask(client, key="k").status_code == 201


@pytest.mark.parametrize("options", [KEY, KEY_AND_REFERENCE], ids=["key", "key and reference"])
def test_row_13_while_the_key_is_in_use_we_wait_with_the_same_key(use, options, client, clock):
    provider = use(**options, SECOND_TRY_SECONDS=0)
    provider.faults.append("in_use")
    response = ask(client)

    assert (response.status_code, response.headers["Retry-After"]) == (202, "2")
    assert the_operation().state == OperationState.UNKNOWN
    until_quiet(clock)
    assert {key for call, key in provider.calls if call == "create"} == {str(the_operation().key)}
    assert len(provider.cards) == 1


@pytest.mark.parametrize(
    "fault", [{"kind": "redirect"}, {"kind": "status", "status": 408}, {"kind": "status", "status": 418}]
)
def test_row_14_any_other_status_is_unknown_and_no_redirect_is_followed(fault, client, clock, settings):
    from holdfast_cards.testing.sandbox import running_sandbox

    with running_sandbox("stripe") as sandbox:
        settings.HOLDFAST_CARDS = {**stripe_settings(sandbox), "SECOND_TRY_SECONDS": 0}
        sandbox.arm(**fault)

        assert ask(client).status_code == 202
        assert the_operation().state == OperationState.UNKNOWN
        assert sandbox.posts == 1
        until_quiet(clock)
        assert len(sandbox.cards_of(the_card().holder_reference)) == 1


def test_row_15_asked_to_wait_we_wait_as_long(provider, client, clock):
    provider.faults.append("limited")
    response = ask(client)

    assert (response.status_code, response.headers["Retry-After"]) == (202, "7")
    assert (the_operation().state, the_operation().sends) == (OperationState.PENDING, 0)
    clock.turn(seconds=6)
    assert services.work().operations == 0
    clock.turn(seconds=2)
    assert services.work().operations == 1
    assert the_card().state == CardState.ORDERED


def test_row_15_nobody_makes_us_wait_longer_than_an_hour():
    assert pause_seconds(attempts=1, asked=86_400) == 3_600
    assert pause_seconds(attempts=1, asked=-5) == 0


@pytest.mark.parametrize("fault", ["error", "error_after"])
def test_row_16_an_error_of_the_bank_promises_nothing(use, fault, client, clock):
    provider = use(**NONE)
    provider.faults.append(fault)

    assert ask(client).status_code == 202
    assert the_operation().state == OperationState.UNKNOWN
    until_quiet(clock)
    assert the_operation().state == OperationState.NEEDS_REVIEW
    assert provider.posts == 1


@pytest.mark.parametrize("fault", ["error", "error_after"])
def test_row_17_an_error_saved_for_the_key_is_not_heard_for_ever(use, fault, client, clock):
    provider = use(**KEY_AND_REFERENCE)
    provider.faults.append(fault)
    ask(client)
    until_quiet(clock)

    operation = the_operation()
    assert operation.state == OperationState.SUCCEEDED
    assert operation.generation == (1 if fault == "error" else 0), "a new key only where the card is provably absent"
    assert list(provider.cards) == [the_card().provider_card_id]


def test_row_17_where_nobody_can_look_the_key_is_never_changed(use, client, clock):
    provider = use(**KEY)
    provider.faults.append("error_after")
    ask(client)
    until_quiet(clock)

    assert the_operation().state == OperationState.NEEDS_REVIEW
    assert the_operation().generation == 0
    assert len(provider.cards) == 1


def test_row_18_a_key_that_the_provider_may_have_forgotten_is_not_sent_again(use, holder, clock):
    provider = use(**KEY)
    die_in_flight(holder, provider, created=True)
    clock.turn(hours=23, minutes=1)
    until_quiet(clock)

    assert provider.posts == 1
    assert the_operation().state == OperationState.NEEDS_REVIEW


def test_row_18_the_card_of_a_forgotten_key_is_looked_up(use, holder, clock):
    provider = use(**KEY_AND_REFERENCE)
    die_in_flight(holder, provider, created=True)
    clock.turn(hours=23, minutes=1)
    until_quiet(clock)

    assert provider.posts == 1
    assert list(provider.cards) == [the_card().provider_card_id]


@pytest.mark.parametrize("kind", ["no_id", "not_json", "half", "garbage", "bad_gzip", "oversized"])
def test_row_19_an_answer_without_a_readable_id_is_unknown(kind, client, clock, settings):
    from holdfast_cards.testing.sandbox import running_sandbox

    with running_sandbox("stripe") as sandbox:
        settings.HOLDFAST_CARDS = {**stripe_settings(sandbox), "SECOND_TRY_SECONDS": 0}
        sandbox.arm(kind)

        assert ask(client).status_code == 202
        assert the_operation().state == OperationState.UNKNOWN
        until_quiet(clock)
        assert [card.id for card in sandbox.cards_of(the_card().holder_reference)] == [the_card().provider_card_id]


def answering(provider, monkeypatch, **changes):
    """Let the provider's answers show the card otherwise than it is."""
    import dataclasses

    create = provider.create

    def changed(payload, *, key):
        answer = create(payload, key=key)
        card = dataclasses.replace(answer.card, **changes)
        provider.cards[card.id] = card
        return dataclasses.replace(answer, card=card)

    monkeypatch.setattr(provider, "create", changed)


def test_row_20_a_card_of_an_unknown_status_is_made(provider, client, monkeypatch):
    answering(provider, monkeypatch, status="IN_LIMBO", state=None)
    response = ask(client)

    assert (response.status_code, response.json()["anomalies"]) == (201, ["unrecognized_status"])
    assert (the_card().state, the_card().provider_status) == (CardState.ORDERED, "IN_LIMBO")
    assert the_operation().state == OperationState.SUCCEEDED


def test_row_21_a_card_of_another_color_is_kept_and_a_person_asked(provider, client, monkeypatch):
    answering(provider, monkeypatch, color="black")
    response = ask(client)

    assert (response.status_code, response.json()["anomalies"]) == (201, ["color_mismatch"])
    assert (the_card().color, the_card().actual_color) == ("pink", "black")
    assert (the_card().state, the_operation().state) == (CardState.ORDERED, OperationState.NEEDS_REVIEW)
    found = Discrepancy.objects.get()
    assert found.kind == DiscrepancyKind.COLOR
    services.resolve_discrepancy(discrepancy_id=found.id, note="She likes it.")
    assert the_operation().state == OperationState.SUCCEEDED


# Rows 22 to 29: webhooks


def test_row_22_a_webhook_before_the_answer_settles_the_order_and_the_answer_changes_nothing(provider, client):
    def meanwhile():
        (card,) = provider.cards.values()
        services.apply_notice(notice_id=tell(card).id)
        assert the_card().state == CardState.ORDERED
        assert the_operation().state == OperationState.SUCCEEDED

    provider.meanwhile = meanwhile
    response = ask(client)

    assert response.status_code == 201
    assert [step.source for step in the_card().transitions.all()] == ["webhook"]
    assert not Discrepancy.objects.exists()


@pytest.mark.parametrize("options", [NONE, LIST], ids=["none", "list"])
def test_row_23_without_a_reference_the_holders_only_open_order_takes_the_card(use, options, holder, client, clock):
    provider = use(**options)
    provider.faults.append("lost")
    ask(client)
    (card,) = provider.cards.values()
    services.apply_notice(notice_id=tell(provider.put(card, reference="")).id)

    assert the_card().provider_card_id == card.id
    assert the_operation().state == OperationState.SUCCEEDED


def test_row_23_a_webhook_that_fits_no_order_waits_a_day_and_is_a_discrepancy_then(use, client, clock):
    provider = use(**NONE)
    provider.faults.append("lost")
    ask(client)
    (card,) = provider.cards.values()
    stranger = provider.put(card, id="card-of-another", holder="another", reference="")
    notice = tell(stranger)
    services.apply_notice(notice_id=notice.id)

    assert Notice.objects.get().state == NoticeState.DEFERRED
    assert not Discrepancy.objects.exists()
    clock.turn(hours=25)
    until_quiet(clock)
    assert Notice.objects.get().state == NoticeState.FAILED
    assert Discrepancy.objects.get(kind=DiscrepancyKind.UNKNOWN_CARD).provider_card_id == "card-of-another"


def test_row_23_a_deferred_webhook_is_applied_when_its_card_is_known(use, client, clock):
    provider = use(**NONE)
    noticed = []

    def meanwhile():
        (card,) = provider.cards.values()
        # Of another color than the order: nobody can say yet that it is this one.
        notice = tell(provider.put(card, color="black", state=CardState.SENT, reference=""))
        services.apply_notice(notice_id=notice.id)
        noticed.append(Notice.objects.get().state)

    provider.meanwhile = meanwhile
    ask(client)
    assert noticed == [NoticeState.DEFERRED]
    assert the_card().state == CardState.ORDERED
    until_quiet(clock)
    assert the_card().state == CardState.SENT


def test_row_24_a_webhook_out_of_order_is_a_reason_to_look(provider, client):
    ask(client)
    (card,) = provider.cards.values()
    late = provider.put(card, state=CardState.SENT)
    provider.put(card, state=CardState.ACTIVATED)

    services.apply_notice(notice_id=tell(late).id)

    assert the_card().state == CardState.ACTIVATED


def test_row_24_where_nobody_can_look_only_what_is_newer_and_forward_counts(use, client):
    provider = use(**NONE)
    ask(client)
    (card,) = provider.cards.values()
    noon = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    activated = provider.put(card, state=CardState.ACTIVATED)
    sent = provider.put(card, state=CardState.SENT)

    services.apply_notice(notice_id=tell(activated, event_id="b", occurred_at=noon).id)
    services.apply_notice(notice_id=tell(sent, event_id="a", occurred_at=noon - dt.timedelta(hours=1)).id)
    services.apply_notice(notice_id=tell(sent, event_id="c", occurred_at=noon + dt.timedelta(hours=1)).id)

    assert the_card().state == CardState.ACTIVATED


def test_row_25_a_webhook_that_comes_twice_is_stored_once(provider, client):
    ask(client)
    (card,) = provider.cards.values()
    headers, body = webhook(card)
    url = "/api/v1/cards/webhooks/dummy/"

    answers = [client.generic("POST", url, body, headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert Notice.objects.count() == 1


def test_row_26_a_lost_webhook_is_made_up_for_by_looking(provider, client, clock):
    ask(client)
    (card,) = provider.cards.values()
    provider.put(card, state=CardState.SENT)
    clock.turn(minutes=59)
    assert services.work().refreshed == 0
    clock.turn(minutes=2)
    services.work()

    assert the_card().state == CardState.SENT
    provider.put(card, state=CardState.ACTIVATED)
    clock.turn(hours=2)
    services.work()
    clock.turn(hours=23)
    assert services.work().refreshed == 0
    clock.turn(hours=2)
    assert services.work().refreshed == 1


def test_row_26_a_lost_webhook_is_made_up_for_by_the_providers_log(use, client, clock):
    provider = use(**KEY_AND_REFERENCE, events=True)
    ask(client)
    services.work()
    (card,) = provider.cards.values()
    provider.put(card, state=CardState.SENT)
    clock.turn(minutes=6)

    assert services.work().events == 1
    assert the_card().state == CardState.SENT
    assert the_card().transitions.last().source == "webhook"


@pytest.mark.parametrize("hostile", ["unsigned", "forged", "old", "ahead", "changed", "not utf-8"])
def test_row_27_a_webhook_that_is_not_verified_leaves_nothing(provider, client, hostile, clock):
    ask(client)
    (card,) = provider.cards.values()
    headers, body = webhook(card)
    match hostile:
        case "unsigned":
            headers = {}
        case "forged":
            headers, body = webhook(card, secret="whsec_" + "Z" * 32)
        case "old":
            headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) - 301)
        case "ahead":
            headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 301)
        case "changed":
            body = body.replace(b"ORDERED", b"EXPIRED")
        case "not utf-8":
            body = b"\xff\xfe"
    response = client.generic("POST", "/api/v1/cards/webhooks/dummy/", body, headers=headers)

    assert (response.status_code, response.json()["code"]) == (400, "holdfast_cards.invalid_signature")
    assert not Notice.objects.exists()


def test_row_28_a_webhook_about_a_card_of_nobody_is_a_discrepancy(provider, client):
    ask(client)
    (card,) = provider.cards.values()
    orphan = provider.put(card, id="orphan", reference="")
    notice = tell(orphan)
    services.apply_notice(notice_id=notice.id)

    found = Discrepancy.objects.get()
    assert (found.kind, found.provider_card_id, found.card) == (DiscrepancyKind.UNKNOWN_CARD, "orphan", None)
    assert Notice.objects.get().state == NoticeState.DONE


def test_row_29_while_the_database_is_down_the_sender_is_to_come_again(provider, client, monkeypatch):
    ask(client)
    (card,) = provider.cards.values()
    headers, body = webhook(card)

    def down(*_args, **_kwargs):
        raise OperationalError("the database is down")

    monkeypatch.setattr(Notice, "save", down)
    client.raise_request_exception = False
    response = client.generic("POST", "/api/v1/cards/webhooks/dummy/", body, headers=headers)

    assert response.status_code == 503
    monkeypatch.undo()
    assert client.generic("POST", "/api/v1/cards/webhooks/dummy/", body, headers=headers).status_code == 204


# Rows 30 to 33: holders


def test_row_30_a_double_click_is_one_request(provider, client):
    first, second = ask(client, key="k"), ask(client, key="k")

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.json()["id"] == second.json()["id"]
    assert provider.posts == 1


def test_row_30_the_twin_of_a_running_request_is_told_of_the_same_card(provider, client):
    answers = []
    provider.meanwhile = lambda: answers.append(ask(client, key="k"))
    response = ask(client, key="k")

    (twin,) = answers
    assert (response.status_code, twin.status_code) == (201, 202)
    assert twin.json()["id"] == response.json()["id"]
    assert twin.headers["Location"] == response.headers["Location"]
    assert provider.posts == 1


def test_row_31_a_second_device_is_told_of_the_open_request(provider, client):
    answers = []
    provider.meanwhile = lambda: answers.append(ask(client, key="another"))
    response = ask(client, key="one")

    (refused,) = answers
    assert (refused.status_code, refused.json()["code"]) == (409, "holdfast_cards.request_already_open")
    assert refused.json()["context"]["location"] == response.headers["Location"]
    assert Card.objects.count() == provider.posts == 1


def test_row_32_a_key_for_another_color_is_refused(provider, client):
    ask(client, "pink", key="k")
    response = ask(client, "black", key="k")

    assert (response.status_code, response.json()["code"]) == (422, "holdfast_cards.key_reused")
    assert the_card().color == "pink"


def test_row_33_without_a_key_the_constraint_still_protects(provider, client, holder):
    intend(holder)
    response = ask(client)

    assert (response.status_code, response.json()["code"]) == (409, "holdfast_cards.request_already_open")


def test_row_33_a_host_may_demand_a_key(use, client):
    use(**KEY, REQUIRE_IDEMPOTENCY_KEY=True)
    response = ask(client)

    assert (response.status_code, response.json()["code"]) == (400, "holdfast.idempotency_key_required")
    assert not Card.objects.exists()


# Rows 34 to 40: time


@pytest.mark.parametrize("options", [KEY, KEY_AND_REFERENCE], ids=["key", "key and reference"])
def test_row_34_who_wakes_behind_his_lease_finds_it_done(use, options, client, clock):
    provider = use(**options)

    def meanwhile():
        clock.turn(seconds=31)
        services.work()
        assert the_operation().state == OperationState.SUCCEEDED

    provider.meanwhile = meanwhile
    response = ask(client)

    assert response.status_code == 201
    assert len(provider.cards) == 1
    assert not Discrepancy.objects.exists()
    assert Attempt.objects.count() == 2


def test_row_34_a_second_card_is_written_down_and_cancelled(use, client, clock):
    provider = use(**REFERENCE)

    def meanwhile():
        # The first card is not shown yet: the list lags behind, longer than we wait for it.
        (hidden,) = provider.cards.values()
        provider.cards.clear()
        clock.turn(minutes=2)
        services.work()
        provider.cards[hidden.id] = hidden

    provider.meanwhile = meanwhile
    ask(client)

    first, second = provider.cards
    assert the_card().provider_card_id in provider.cards
    found = Discrepancy.objects.get()
    assert found.kind == DiscrepancyKind.EXTRA_CARD
    assert {found.provider_card_id, the_card().provider_card_id} == {first, second}
    services.work()
    assert provider.cards[found.provider_card_id].state == CardState.CANCELLED
    assert Discrepancy.objects.get().state == "resolved"


def test_row_35_who_dies_before_the_extra_card_is_cancelled_leaves_it_to_the_next(provider, client, clock):
    ask(client)
    (card,) = provider.cards.values()
    extra = provider.put(card, id="extra")
    Discrepancy.objects.create(kind="extra_card", provider="dummy", provider_card_id="extra", card=the_card())
    provider.faults.append("cut")
    services.work()
    assert provider.cards[extra.id].state == CardState.ORDERED
    clock.turn(minutes=10)
    services.work()

    assert provider.cards[extra.id].state == CardState.CANCELLED
    assert the_card().state == CardState.ORDERED


@pytest.mark.parametrize("fault", ["lost", "cut", "error_after"])
def test_row_36_a_change_of_unknown_outcome_is_repeated_or_seen(provider, client, clock, fault):
    ask(client)
    card_id = the_card().id
    client.post(f"/api/v1/cards/{card_id}/activate/", {}, format="json")
    provider.faults.append(fault)
    response = client.post(f"/api/v1/cards/{card_id}/freeze/", {}, format="json")

    assert (response.status_code, response.json()["state"]) == (202, "activated")
    assert response.json()["under_way"] == ["freeze"]
    until_quiet(clock)
    assert the_card().state == CardState.FROZEN
    assert Operation.objects.get(verb=Verb.FREEZE).state == OperationState.SUCCEEDED


def test_row_37_a_request_may_be_cancelled_while_its_outcome_is_open(use, client, clock):
    provider = use(**KEY)
    provider.faults.extend(["lost", "lost"])
    ask(client)
    card_id = the_card().id
    response = client.post(f"/api/v1/cards/{card_id}/cancel/", {}, format="json")

    assert (response.status_code, response.json()["state"]) == (202, "requested")
    assert response.json()["under_way"] == ["cancel"]
    until_quiet(clock)
    assert the_card().state == CardState.CANCELLED
    assert [step.target_state for step in the_card().transitions.all()] == ["ordered", "cancelled"]
    assert next(iter(provider.cards.values())).state == CardState.CANCELLED


def test_row_37_the_cancellation_of_a_request_that_fails_has_nothing_to_do(use, client, clock):
    provider = use(**KEY)
    provider.faults.extend(["cut", "cut", "rejected"])
    ask(client)
    client.post(f"/api/v1/cards/{the_card().id}/cancel/", {}, format="json")
    until_quiet(clock)

    assert the_card().state == CardState.FAILED
    assert {one.verb: one.state for one in Operation.objects.all()} == {"issue": "rejected", "cancel": "succeeded"}


@pytest.mark.parametrize("end", [CardState.EXPIRED, CardState.OPPOSED, CardState.CANCELLED])
def test_row_38_a_card_that_the_provider_ends_by_itself_is_over(provider, client, clock, end):
    ask(client)
    (card,) = provider.cards.values()
    provider.put(card, state=end)
    clock.turn(hours=2)
    services.work()

    assert the_card().state == end
    provider.put(card, state=CardState.ACTIVATED)
    services.apply_notice(notice_id=tell(card).id)
    assert the_card().state == end, "what is over stays over"
    assert Discrepancy.objects.get().kind == DiscrepancyKind.RESURRECTION


@pytest.mark.parametrize("skew", [-86_400, -60, 60, 86_400])
@looking
def test_row_39_no_clock_of_ours_is_compared_with_the_providers(use, options, holder, clock, skew):
    provider = use(**options)
    make_card(holder=holder, holder_reference=str(holder.pk))
    old = provider._make({"color": "pink", "holder": str(holder.pk), "reference": ""}, "old")
    Card.objects.update(provider_card_id=old.id)
    die_in_flight(holder, provider, created=True)
    clock.turn(seconds=skew)
    until_quiet(clock)

    assert len(provider.cards) == 2
    assert Card.objects.order_by("-id").first().provider_card_id in set(provider.cards) - {old.id}


@pytest.mark.parametrize("created", [False, True])
def test_row_39_a_card_that_was_there_before_is_never_taken_for_the_new_one(use, holder, clock, created):
    provider = use(**LIST)
    order = {"color": "pink", "holder": str(holder.pk), "reference": ""}
    old = provider._make(order, "made at the counter")  # a card that we do not know
    die_in_flight(holder, provider, created=created)
    until_quiet(clock)

    assert len(provider.cards) == 2
    assert the_card().provider_card_id in set(provider.cards) - {old.id}


def test_row_40_what_is_sent_is_frozen_when_it_is_wished_for(use, holder, clock, monkeypatch):
    provider = use(**KEY)
    intend(holder)
    payload = the_operation().payload
    sent = []
    create = provider.create
    monkeypatch.setattr(provider, "compose", lambda order: {"built": "otherwise"})
    monkeypatch.setattr(provider, "create", lambda body, *, key: sent.append(body) or create(body, key=key))
    provider.faults.extend(["lost"])
    until_quiet(clock)

    assert sent == [payload, payload]
    assert the_operation().payload == payload
