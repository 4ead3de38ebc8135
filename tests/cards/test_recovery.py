"""What follows from what is known: a pure function, as a table and for everything that Hypothesis thinks of."""

import datetime as dt

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from holdfast_cards.models import Card, Operation
from holdfast_cards.ports import Capabilities
from holdfast_cards.services.recovery import LookUp, Review, Send, Wait, decide, pause_seconds
from holdfast_cards.states import Verb

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
SECOND, HOUR = dt.timedelta(seconds=1), dt.timedelta(hours=1)

KEY = {"idempotency_key": True}
REFERENCE = {"find_by_reference": True}
LIST = {"list_by_holder": True}


def can(**capabilities):
    return Capabilities(colors=("pink",), **capabilities)


def making(**fields):
    sent = {"first_sent_at": None, "last_sent_at": None} if not fields.get("sends") else {}
    since = fields.setdefault("created_at", NOW - 2 * HOUR)
    given_fields = {"trying_since": since, "verb": Verb.ISSUE, "card": Card(), **sent, **fields}
    return Operation(**given_fields)


def sent(ago=HOUR, **fields):
    return making(sends=1, first_sent_at=NOW - ago, last_sent_at=NOW - ago, **fields)


@pytest.mark.parametrize(
    ("operation", "capabilities", "step"),
    [
        (making(), {}, Send(0)),
        (making(generation=2), KEY, Send(2)),
        (sent(), {}, Review("outcome_unknown")),
        (sent(SECOND), KEY, Send(0)),
        (sent(), KEY, Send(0)),
        (sent(server_errors=1), KEY, Send(0)),
        (sent(server_errors=2), KEY, Review("outcome_unknown")),
        (sent(server_errors=2), KEY | REFERENCE, LookUp()),
        (sent(23 * HOUR, created_at=NOW - 23 * HOUR), KEY, Review("outcome_unknown")),
        (sent(23 * HOUR - SECOND, created_at=NOW - 23 * HOUR), KEY, Send(0)),
        (sent(23 * HOUR, created_at=NOW - 23 * HOUR), KEY | LIST, Review("outcome_unknown")),
        (sent(23 * HOUR, created_at=NOW - 23 * HOUR, baseline=[]), KEY | LIST, LookUp()),
        (sent(59 * SECOND), REFERENCE, Wait(NOW + SECOND)),
        (sent(60 * SECOND), REFERENCE, LookUp()),
        (sent(), LIST, Review("outcome_unknown")),
        (sent(59 * SECOND, baseline=["a"]), LIST, Wait(NOW + SECOND)),
        (sent(baseline=["a"]), LIST, LookUp()),
        (sent(created_at=NOW - 73 * HOUR), KEY | REFERENCE, Review("too_old")),
        (making(created_at=NOW - 73 * HOUR), KEY, Review("too_old")),
    ],
)
def test_making_a_card(operation, capabilities, step):
    assert decide(operation=operation, capabilities=can(**capabilities), now=NOW) == step


@pytest.mark.parametrize(
    ("operation", "capabilities", "step"),
    [
        (making(verb=Verb.FREEZE, card=Card(provider_card_id="c")), {}, Send(0)),
        (sent(verb=Verb.FREEZE, card=Card(provider_card_id="c")), {}, Send(1)),
        (sent(verb=Verb.FREEZE, card=Card(provider_card_id="c")), {"get": True}, LookUp()),
        (making(verb=Verb.CANCEL, card=Card()), {"get": True}, Wait(NOW + HOUR)),
        (making(verb=Verb.CANCEL, card=Card(), created_at=NOW - 90 * SECOND), {}, Wait(NOW + 90 * SECOND)),
        (making(verb=Verb.CANCEL, card=Card(), created_at=NOW), {}, Wait(NOW + 5 * SECOND)),
    ],
)
def test_changing_a_card(operation, capabilities, step):
    assert decide(operation=operation, capabilities=can(**capabilities), now=NOW) == step


operations = st.builds(
    lambda age, first, last, sends, **fields: making(
        created_at=NOW - age,
        sends=sends,
        first_sent_at=NOW - first if sends else None,
        last_sent_at=NOW - min(first, last) if sends else None,
        **fields,
    ),
    age=st.timedeltas(dt.timedelta(0), dt.timedelta(days=5)),
    first=st.timedeltas(dt.timedelta(0), dt.timedelta(days=5)),
    last=st.timedeltas(dt.timedelta(0), dt.timedelta(days=5)),
    sends=st.integers(0, 5),
    server_errors=st.integers(0, 5),
    baseline=st.none() | st.lists(st.text(max_size=3), max_size=3),
    generation=st.integers(0, 3),
)
abilities = st.builds(can, idempotency_key=st.booleans(), find_by_reference=st.booleans(), list_by_holder=st.booleans())


@given(operation=operations, capabilities=abilities)
def test_nothing_is_sent_again_but_under_a_key_that_is_kept(operation, capabilities):
    step = decide(operation=operation, capabilities=capabilities, now=NOW)

    if isinstance(step, Send) and operation.sends:
        assert capabilities.idempotency_key
        assert step.generation == operation.generation
        assert NOW - operation.first_sent_at < dt.timedelta(hours=23)
        assert operation.server_errors < 2


@given(operation=operations, capabilities=abilities)
def test_nobody_waits_for_what_lies_behind_or_looks_where_nothing_can_be_seen(operation, capabilities):
    step = decide(operation=operation, capabilities=capabilities, now=NOW)

    if isinstance(step, Wait):
        assert step.until > NOW
    if isinstance(step, LookUp):
        assert capabilities.find_by_reference or operation.baseline is not None
        assert NOW - operation.last_sent_at >= dt.timedelta(seconds=60)


@given(attempts=st.integers(0, 10_000), asked=st.none() | st.floats(-1e9, 1e9))
def test_a_pause_is_never_longer_than_an_hour(attempts, asked):
    assert 0 <= pause_seconds(attempts=attempts, asked=asked) <= 3_600


@override_settings(HOLDFAST_CARDS={"RETRY_SECONDS": 2.0})
def test_the_bound_of_a_pause_doubles():
    assert all(pause_seconds(attempts=3) <= 16 for _ in range(200))
    assert max(pause_seconds(attempts=3) for _ in range(200)) > 8
