"""The provider's side of the failure table: what an adapter says of each failure, and what the provider has then."""

from pathlib import Path

import pytest

from holdfast.ids import uuid7
from holdfast_cards.ports import CardChange, NoAnswer
from holdfast_cards.states import CardState, Outcome, Verb
from holdfast_cards.testing.contract import IMPATIENT
from holdfast_cards.testing.sandbox import FaultKind, On
from tests.cards.adapters.providers import HOLDER, create, order, provider_of, stripe, wait_until

CREATED, NOTHING = 1, 0


@pytest.mark.parametrize(
    ("fault", "reason", "cards"),
    [
        pytest.param("cut_before", "remote_protocol_error", NOTHING, id="row 9: cut before"),
        pytest.param("hang_before", "read_timeout", NOTHING, id="row 9: hang before"),
        pytest.param("hang_after", "read_timeout", CREATED, id="row 4: answer lost"),
        pytest.param("cut_after", "remote_protocol_error", CREATED, id="row 9: cut after"),
        pytest.param("reset_after", "read_error", CREATED, id="row 9: reset"),
        pytest.param("half", "remote_protocol_error", CREATED, id="row 9: half answer"),
        pytest.param("garbage", "remote_protocol_error", CREATED, id="row 9: garbage"),
        pytest.param("bad_gzip", "decoding_error", CREATED, id="row 9: undecodable"),
        pytest.param("drip", "read_timeout", CREATED, id="row 10: slow drip"),
        pytest.param("oversized", "answer_too_large", CREATED, id="row 10: too large"),
        pytest.param("redirect", "http_302", NOTHING, id="row 14: redirect"),
        pytest.param("error_500_before", "http_500", NOTHING, id="row 16: 500, nothing created"),
        pytest.param("error_500_after", "http_500", CREATED, id="row 16: 500 although created"),
        pytest.param("not_json", "malformed_json", CREATED, id="row 19: malformed JSON"),
        pytest.param("no_id", "no_id", CREATED, id="row 19: without id"),
    ],
)
def test_the_outcome_is_unknown_whether_or_not_the_card_exists(sandbox, fault, reason, cards):
    sandbox.arm(fault, seconds=5)

    slow = fault in {"hang_before", "hang_after", "drip"}
    answer = create(impatient(sandbox) if slow else provider_of(sandbox))

    assert (answer.outcome, answer.reason, answer.card) == (Outcome.UNKNOWN, reason, None)
    assert answer.server_error == fault.startswith("error_500")
    assert len(sandbox.cards) == cards
    assert sandbox.posts == 1


def test_row_8_a_refused_connection_is_not_sent(sandbox):
    provider = provider_of(sandbox)

    with sandbox.server.refusing():
        refused = create(provider)

    assert (refused.outcome, refused.reason) == (Outcome.NOT_SENT, "connect_error")
    assert create(provider).outcome == Outcome.DONE
    assert sandbox.posts == 1


@pytest.mark.parametrize("status", [400, 402, 422])
def test_row_11_a_definite_refusal(sandbox, status):
    sandbox.arm("status", status=status)

    answer = create(provider_of(sandbox))

    assert (answer.outcome, answer.http_status) == (Outcome.REJECTED, status)


@pytest.mark.parametrize("status", [401, 403, 405])
def test_row_12_a_misconfiguration(sandbox, status):
    sandbox.arm("status", status=status)

    assert create(provider_of(sandbox)).outcome == Outcome.MISCONFIGURED


@pytest.mark.parametrize("name", ["bank", "stripe"])
def test_row_12_a_wrong_address_is_a_misconfiguration_too(name, request):
    # Lithic's 404 for a path cannot be told from its 404 for an account.
    sandbox = request.getfixturevalue(f"{name}_sandbox")
    provider = provider_of(sandbox)
    provider._transport.base_url += "/elsewhere"

    answer = create(provider)

    assert (answer.outcome, answer.http_status) == (Outcome.MISCONFIGURED, 404)


def test_row_12_a_wrong_key_is_a_misconfiguration_too(stripe_sandbox):
    answer = create(provider_of(stripe_sandbox, api_key="sk_test_wrong"))

    assert (answer.outcome, answer.http_status) == (Outcome.MISCONFIGURED, 401)
    assert stripe_sandbox.cards == []


@pytest.mark.parametrize("key", ["with a\nnewline", "naïve"])
def test_a_key_that_no_header_can_hold_is_refused_at_the_start(key):
    with pytest.raises(ValueError, match="header"):
        stripe("http://127.0.0.1", api_key=key)


@pytest.mark.parametrize("status", [408, 409, 418, 503])
def test_row_14_any_other_status_is_unknown(sandbox, status):
    sandbox.arm("status", status=status)

    assert create(provider_of(sandbox)).outcome == Outcome.UNKNOWN


@pytest.mark.parametrize(("asked", "seconds"), [("7", 7.0), ("0.5", 0.5), ("soon", None), (None, None), ("-3", None)])
def test_row_15_too_many_requests(sandbox, asked, seconds):
    sandbox.arm("rate_limited", retry_after=asked)

    answer = create(provider_of(sandbox))

    assert (answer.outcome, answer.retry_after_seconds) == (Outcome.LIMITED, seconds)


def test_row_16_a_bank_may_promise_that_500_creates_nothing(bank_sandbox):
    bank_sandbox.arm("error_500_before")

    answer = create(provider_of(bank_sandbox, error_500_means_not_created=True))

    assert answer.outcome == Outcome.LIMITED


def test_row_20_an_unknown_status_does_not_lose_the_card(sandbox):
    sandbox.arm("unknown_status")

    answer = create(provider_of(sandbox))

    assert answer.outcome == Outcome.DONE
    assert (answer.card.id, answer.card.status, answer.card.state) == (sandbox.cards[0].id, "MISLAID", None)
    assert "unrecognized_status" in answer.card.anomalies


def test_row_21_a_card_of_another_color_is_told(sandbox):
    sandbox.arm("wrong_color")

    answer = create(provider_of(sandbox), color="black")

    assert (answer.outcome, answer.card.color) == (Outcome.DONE, "pink")


# --- Keys


@pytest.mark.parametrize("name", ["stripe", "lithic"])
def test_row_4_the_same_key_finds_the_card_whose_answer_was_lost(name, request):
    sandbox = request.getfixturevalue(f"{name}_sandbox")
    sandbox.arm("cut_after")
    provider, key = provider_of(sandbox), str(uuid7())
    payload = provider.compose(order(provider))

    lost, found = provider.create(payload, key=key), provider.create(payload, key=key)

    assert (lost.outcome, found.outcome) == (Outcome.UNKNOWN, Outcome.DONE)
    assert [card.id for card in sandbox.cards] == [found.card.id]
    assert [seen.replayed for seen in sandbox.requests] == [False, True]


@pytest.mark.parametrize(("fault", "cards"), [("error_500_before", 0), ("error_500_after", 1)])
def test_row_17_a_saved_500_is_replayed_and_the_reference_tells_the_truth(stripe_sandbox, fault, cards):
    stripe_sandbox.arm(fault)
    provider, key = provider_of(stripe_sandbox), str(uuid7())
    wanted = order(provider)

    answers = [provider.create(provider.compose(wanted), key=key) for _ in range(3)]

    assert [(answer.outcome, answer.server_error) for answer in answers] == [(Outcome.UNKNOWN, True)] * 3
    assert len(stripe_sandbox.cards) == cards
    found = provider.find_by_reference(reference=wanted.reference, holder=HOLDER.external_id)
    assert len(found) == cards


def test_row_18_a_key_that_was_forgotten_makes_a_second_card(stripe_sandbox):
    provider, key = provider_of(stripe_sandbox), str(uuid7())
    payload = provider.compose(order(provider))
    first = provider.create(payload, key=key)

    stripe_sandbox.server.advance(provider.capabilities.key_retention_seconds - 1)
    assert provider.create(payload, key=key).card.id == first.card.id
    stripe_sandbox.server.advance(2)

    assert provider.create(payload, key=key).card.id != first.card.id


def test_row_13_a_key_in_use_is_unknown_and_later_it_is_done(stripe_sandbox):
    stripe_sandbox.arm("late_create", seconds=20)
    provider, key = provider_of(stripe_sandbox), str(uuid7())
    payload = provider.compose(order(provider))

    lost, in_use = impatient(stripe_sandbox).create(payload, key=key), provider.create(payload, key=key)
    stripe_sandbox.server.release()
    wait_until(lambda: bool(stripe_sandbox.cards))
    found = provider.create(payload, key=key)

    assert (lost.outcome, lost.reason) == (Outcome.UNKNOWN, "read_timeout")
    assert (in_use.outcome, in_use.http_status) == (Outcome.UNKNOWN, 409)
    assert found.card.id == stripe_sandbox.cards[0].id
    assert len(stripe_sandbox.cards) == 1


def test_row_40_other_parameters_with_the_same_key_are_refused(stripe_sandbox):
    provider, key = provider_of(stripe_sandbox), str(uuid7())
    create(provider, key=key)

    assert create(provider, key=key, color="pink").outcome == Outcome.REJECTED


# --- Reads


@pytest.mark.parametrize(
    "fault", ["status", "rate_limited", "redirect", "cut_after", "hang_before", "half", "not_json"]
)
def test_a_read_that_fails_is_no_answer(sandbox, fault):
    sandbox.dialect.reads = True
    options = {"reads": True} if sandbox.name == "bank" else {}
    provider = provider_of(sandbox, **options)
    hasty = impatient(sandbox, **options) if fault == "hang_before" else provider
    card = create(provider).card
    for on, read in (
        (On.GET, lambda asked: asked.get(card.id)),
        (On.LIST, lambda asked: asked.list_by_holder(holder=HOLDER.external_id)),
    ):
        sandbox.arm(fault, on=on, seconds=5)

        with pytest.raises(NoAnswer):
            read(hasty)

        read(provider)


def test_a_new_card_may_be_missing_from_lists_for_a_while(stripe_sandbox):
    stripe_sandbox.choose(list_lag_seconds=30)
    provider = provider_of(stripe_sandbox)
    card = create(provider).card

    assert provider.list_by_holder(holder=HOLDER.external_id) == []
    stripe_sandbox.server.advance(31)

    assert provider.list_by_holder(holder=HOLDER.external_id) == [card]


# --- Changes


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "hang_after", "error_500_before", "error_500_after"])
@pytest.mark.parametrize("name", ["stripe", "lithic"])
def test_row_36_a_change_with_an_unknown_outcome_may_be_sent_again(name, fault, request):
    sandbox = request.getfixturevalue(f"{name}_sandbox")
    provider = provider_of(sandbox)
    card = create(provider).card
    sandbox.arm(fault, on=On.UPDATE, seconds=5)
    change = CardChange(verb=Verb.ACTIVATE)

    asked = impatient(sandbox) if fault == "hang_after" else provider
    lost = asked.change(card.id, change, key=str(uuid7()))
    again = provider.change(card.id, change, key=str(uuid7()))

    assert lost.outcome == Outcome.UNKNOWN
    assert again.card.state == CardState.ACTIVATED
    assert provider.get(card.id).state == CardState.ACTIVATED


@pytest.mark.parametrize("name", ["stripe", "lithic"])
def test_what_is_over_cannot_be_undone(name, request):
    sandbox = request.getfixturevalue(f"{name}_sandbox")
    provider = provider_of(sandbox)
    card = create(provider).card
    provider.change(card.id, CardChange(verb=Verb.CANCEL), key=str(uuid7()))

    answer = provider.change(card.id, CardChange(verb=Verb.ACTIVATE), key=str(uuid7()))

    assert answer.outcome == Outcome.REJECTED


def test_every_fault_of_requests_has_a_test_here():
    source = Path(__file__).read_text()
    untried = [kind for kind in FaultKind if not kind.is_of_webhooks and f'"{kind}"' not in source]

    assert untried == []


def impatient(sandbox, **options):
    """Return an adapter that does not wait long for what never comes."""
    return provider_of(sandbox, limits=IMPATIENT, **options)
