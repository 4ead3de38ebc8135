"""The vendors' own SDKs: pointed at the sandbox they prove its dialects, and their types prove our requests."""

import builtins
import sys
import types
import typing
from typing import Literal, get_args, get_origin

import pytest

from holdfast.ids import uuid7
from holdfast_cards.backends import lithic as our_lithic
from holdfast_cards.backends import stripe as our_stripe
from holdfast_cards.ports import CardChange
from holdfast_cards.states import CardKind, CardState, OpposeReason, ReplaceReason, Verb
from holdfast_cards.testing.sandbox import CANARY_CVV, CANARY_PAN, On
from tests.cards.adapters.providers import HOLDER, create, order, provider_of

typing_extensions = pytest.importorskip("typing_extensions")
stripe = pytest.importorskip("stripe")
lithic = pytest.importorskip("lithic")


@pytest.fixture
def stripe_client(stripe_sandbox):
    http_client = stripe.RequestsClient(timeout=30)
    client = stripe.StripeClient(
        stripe_sandbox.api_key,
        base_addresses={"api": stripe_sandbox.base_url},
        http_client=http_client,
        max_network_retries=0,
    )
    yield client.v1
    http_client.close()


@pytest.fixture
def lithic_client(lithic_sandbox):
    with lithic.Lithic(
        api_key=lithic_sandbox.api_key, base_url=lithic_sandbox.base_url, max_retries=0, timeout=30
    ) as client:
        yield client


STRIPE_CARD = {
    "type": "physical",
    "currency": "eur",
    "cardholder": HOLDER.external_id,
    "personalization_design": "pd_black",
    "metadata": {"cards_operation": "reference-1"},
    "shipping": {
        "name": "Ada Lovelace",
        "address": {"line1": "12 Rue de la Paix", "city": "Paris", "postal_code": "75002", "country": "FR"},
    },
}
LITHIC_CARD = {
    "type": "PHYSICAL",
    "account_token": HOLDER.external_id,
    "product_id": "2",
    "memo": "reference-1",
    "shipping_address": {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "address1": "12 Rue de la Paix",
        "city": "Paris",
        "state": "Paris",
        "postal_code": "75002",
        "country": "FRA",
    },
}


# --- The sandbox's dialects


def test_stripes_sdk_and_our_adapter_see_the_same_card(stripe_sandbox, stripe_client):
    provider = provider_of(stripe_sandbox)
    theirs = stripe_client.issuing.cards.create(STRIPE_CARD)
    ours = create(provider).card

    read = provider.get(theirs.id)
    assert (read.color, read.state, read.reference) == ("black", CardState.ORDERED, "reference-1")
    assert (read.last4, read.holder) == (theirs.last4, HOLDER.external_id)
    assert (read.expires_on.month, read.expires_on.year) == (theirs.exp_month, theirs.exp_year)
    again = stripe_client.issuing.cards.retrieve(ours.id)
    assert (again.id, again.status, again.shipping.status) == (ours.id, "inactive", "pending")


def test_stripes_sdk_walks_all_pages(stripe_sandbox, stripe_client):
    made = [stripe_client.issuing.cards.create(STRIPE_CARD).id for _ in range(23)]

    listed = [each.id for each in stripe_client.issuing.cards.list({"limit": 10}).auto_paging_iter()]

    assert listed == list(reversed(made))
    assert [card.id for card in provider_of(stripe_sandbox).list_by_holder(holder=HOLDER.external_id)] == listed


def test_stripes_sdk_changes_a_card_and_reads_of_it_in_the_events(stripe_sandbox, stripe_client):
    card = stripe_client.issuing.cards.create(STRIPE_CARD)

    stripe_client.issuing.cards.update(card.id, {"status": "active"})
    canceled = stripe_client.issuing.cards.update(card.id, {"status": "canceled", "cancellation_reason": "stolen"})

    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "stolen")
    events = stripe_client.events.list({"types": ["issuing_card.updated"], "limit": 10})
    assert [event.data.object.status for event in events] == ["canceled", "active"]
    assert all(event.request.idempotency_key for event in events)


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"color": "pink"}, "InvalidRequestError", "parameter_unknown"),
        ({"type": "golden"}, "InvalidRequestError", "parameter_invalid"),
        ({"currency": ""}, "InvalidRequestError", "parameter_missing"),
        ({"personalization_design": "pd_none"}, "InvalidRequestError", "resource_missing"),
        ({"shipping": {"name": "Ada"}}, "InvalidRequestError", "parameter_missing"),
    ],
)
def test_stripes_sdk_understands_what_the_sandbox_refuses(stripe_client, change, error, code):
    with pytest.raises(getattr(stripe, error)) as refusal:
        stripe_client.issuing.cards.create({**STRIPE_CARD, **change})

    assert refusal.value.code == code
    assert refusal.value.http_status == 400


def test_stripes_sdk_understands_keys_limits_and_errors(stripe_sandbox, stripe_client):
    cards, key = stripe_client.issuing.cards, {"idempotency_key": "key-1"}
    first = cards.create(STRIPE_CARD, key)
    assert cards.create(STRIPE_CARD, key).id == first.id
    with pytest.raises(stripe.IdempotencyError):
        cards.create({**STRIPE_CARD, "currency": "usd"}, key)
    for fault, options, error in (
        ("rate_limited", {}, stripe.RateLimitError),
        ("error_500_before", {}, stripe.APIError),
        ("status", {"status": 401}, stripe.AuthenticationError),
        ("cut_after", {}, stripe.APIConnectionError),
    ):
        stripe_sandbox.arm(fault, **options)
        with pytest.raises(error):
            cards.create(STRIPE_CARD)
    with pytest.raises(stripe.InvalidRequestError):
        cards.retrieve("ic_none")


def test_lithics_sdk_and_our_adapter_see_the_same_card(lithic_sandbox, lithic_client):
    provider = provider_of(lithic_sandbox)
    theirs = lithic_client.cards.create(**LITHIC_CARD)
    ours = create(provider).card

    # It shows the number to who may see it; our adapter to nobody.
    assert (theirs.pan, theirs.cvv) == (CANARY_PAN, CANARY_CVV)
    read = provider.get(theirs.token)
    assert CANARY_PAN not in repr(read)
    assert (read.color, read.state, read.reference) == ("black", CardState.ORDERED, "reference-1")
    assert (read.last4, read.holder) == (theirs.last_four, theirs.account_token)
    assert (f"{read.expires_on.month:02d}", str(read.expires_on.year)) == (theirs.exp_month, theirs.exp_year)
    again = lithic_client.cards.retrieve(ours.id)
    assert (again.token, again.state, again.memo) == (ours.id, "PENDING_FULFILLMENT", ours.reference)


def test_lithics_sdk_walks_all_pages_and_filters_by_memo(lithic_sandbox, lithic_client):
    made = [lithic_client.cards.create(**{**LITHIC_CARD, "memo": f"order-{n}"}).token for n in range(23)]

    listed = [card.token for card in lithic_client.cards.list(account_token=HOLDER.external_id, page_size=10)]

    assert listed == list(reversed(made))
    assert [card.memo for card in lithic_client.cards.list(memo="order-7")] == ["order-7"]
    found = provider_of(lithic_sandbox).find_by_reference(reference="order-1", holder=HOLDER.external_id)
    assert [card.id for card in found] == [made[1]]


def test_lithics_sdk_changes_a_card_and_reads_of_it_in_the_events(lithic_sandbox, lithic_client):
    card = lithic_client.cards.create(**LITHIC_CARD)
    lithic_sandbox.befall(card.token, "ship")

    lithic_client.cards.update(card.token, state="OPEN")
    closed = lithic_client.cards.update(card.token, state="CLOSED", substatus="LOST")

    assert (closed.state, closed.substatus) == ("CLOSED", "LOST")
    events = list(lithic_client.events.list(event_types=["card.updated", "card.shipped"], with_content=True))
    assert [event.event_type for event in events] == ["card.updated", "card.updated", "card.shipped"]
    assert events[0].payload["state"] == "CLOSED"
    with pytest.raises(lithic.BadRequestError):
        lithic_client.cards.update(card.token, state="OPEN")


def test_lithics_sdk_understands_limits_and_errors(lithic_sandbox, lithic_client):
    for fault, options, error in (
        ("rate_limited", {}, lithic.RateLimitError),
        ("error_500_before", {}, lithic.InternalServerError),
        ("status", {"status": 401}, lithic.AuthenticationError),
        ("cut_after", {}, lithic.APIConnectionError),
    ):
        lithic_sandbox.arm(fault, **options)
        with pytest.raises(error):
            lithic_client.cards.create(**LITHIC_CARD)
    with pytest.raises(lithic.NotFoundError):
        lithic_client.cards.retrieve("none")
    with pytest.raises(lithic.BadRequestError):
        lithic_client.cards.create(**{**LITHIC_CARD, "type": "GOLDEN"})


def test_why_no_sdk_is_in_the_path_of_an_order(lithic_sandbox):
    """Left to itself it sends an order three times and no key with it: three cards."""
    with lithic.Lithic(api_key=lithic_sandbox.api_key, base_url=lithic_sandbox.base_url) as client:
        lithic_sandbox.arm("cut_after", times=3)
        with pytest.raises(lithic.APIConnectionError):
            client.cards.create(**LITHIC_CARD)

    assert [seen.key for seen in lithic_sandbox.requests] == [""] * 3
    assert len(lithic_sandbox.cards) == 3


# --- The adapters' requests


def orders(provider):
    for kind in CardKind:
        yield order(provider, kind=kind)
        for reason in ReplaceReason:
            yield order(provider, kind=kind, replaces="card", replace_reason=reason)


def changes():
    for verb in (Verb.ACTIVATE, Verb.FREEZE, Verb.UNFREEZE, Verb.CANCEL):
        yield CardChange(verb=verb)
    for reason in OpposeReason:
        yield CardChange(verb=Verb.OPPOSE, reason=reason)


def test_what_we_ask_of_stripe_is_what_its_types_allow(stripe_sandbox):
    from stripe.params.issuing import CardCreateParams, CardListParams, CardUpdateParams

    provider = provider_of(stripe_sandbox)
    for wanted in orders(provider):
        assert_typed(provider.compose(wanted), CardCreateParams)
    card = create(provider).card
    for change in changes():
        provider.change(card.id, change, key=str(uuid7()))
    provider.list_by_holder(holder=HOLDER.external_id)
    for seen in stripe_sandbox.requests:
        if seen.operation == On.UPDATE:
            assert_typed(seen.params, CardUpdateParams)
        if seen.operation == On.LIST:
            assert seen.params.keys() <= hints_of(CardListParams).keys()
    assert {seen.operation for seen in stripe_sandbox.requests} == {On.CREATE, On.UPDATE, On.LIST}


def test_what_we_ask_of_lithic_is_what_its_types_allow(lithic_sandbox):
    from lithic.types import CardCreateParams, CardListParams, CardUpdateParams, EventListParams

    provider = provider_of(lithic_sandbox)
    for wanted in orders(provider):
        assert_typed(provider.compose(wanted), CardCreateParams)
    card = create(provider).card
    for change in changes():
        provider.change(card.id, change, key=str(uuid7()))
    provider.find_by_reference(reference="reference", holder=HOLDER.external_id)
    provider.events(after="")
    named = {On.LIST: CardListParams, On.EVENTS: EventListParams}
    for seen in lithic_sandbox.requests:
        if seen.operation == On.UPDATE:
            assert_typed(seen.params, CardUpdateParams)
        if seen.operation in named:
            assert seen.params.keys() <= hints_of(named[seen.operation]).keys()
    known = literals(hints_of(EventListParams)["event_types"])
    assert set(our_lithic.EVENT_TYPES) <= known


def test_each_word_of_stripes_for_a_card_means_something_to_us():
    hints = hints_of(stripe.issuing.Card)
    shipping = hints_of(stripe.issuing.Card.Shipping)

    assert literals(hints["status"]) == {"active", "inactive", "canceled"}
    assert literals(hints["cancellation_reason"]) <= our_stripe.CANCELED.keys()
    assert literals(shipping["status"]) <= our_stripe.SHIPPING


def test_each_word_of_lithics_for_a_card_means_something_to_us():
    from lithic.types import NonPCICard

    hints = hints_of(NonPCICard)

    assert literals(hints["state"]) == our_lithic.STATES.keys()
    assert our_lithic.CLOSED.keys() <= literals(hints["substatus"])


def test_the_checker_of_types_can_fail():
    from stripe.params.issuing import CardCreateParams

    good = {"type": "physical", "currency": "eur"}
    assert_typed(good, CardCreateParams)
    for bad in ({"type": "physical"}, {**good, "color": "pink"}, {**good, "replacement_reason": "bored"}):
        with pytest.raises(AssertionError):
            assert_typed(bad, CardCreateParams)
    with pytest.raises(AssertionError):
        assert_typed({**good, "shipping": {"name": "Ada", "address": {"line1": "1"}}}, CardCreateParams)


def literals(hint):
    """Return every literal in a type, however deep."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return set().union(*(literals(inner) for inner in get_args(hint)))


def assert_typed(value, hint):
    """Check a value against the type that an SDK has for it."""
    hint = stripped(hint)
    if typing_extensions.is_typeddict(hint):
        hints = hints_of(hint)
        assert isinstance(value, dict)
        assert value.keys() <= hints.keys(), f"{hint.__name__} has no {value.keys() - hints.keys()}"
        missing = {name for name, inner in hints.items() if required(hint, inner)} - value.keys()
        assert not missing, f"{hint.__name__} needs {missing}"
        for name, inner in value.items():
            assert_typed(inner, hints[name])
    elif get_origin(hint) in (typing.Union, types.UnionType):
        choices = get_args(hint)
        # Stripe writes "one of these, or any text that may be added": of what is written out, we use no other.
        known = literals(hint)
        assert not known or value in known, f"{value!r} is none of {known}"
        assert known or any(fits(value, choice) for choice in choices)
    elif get_origin(hint) is Literal:
        assert value in get_args(hint), f"{value!r} is none of {get_args(hint)}"
    elif get_origin(hint) is dict:
        assert isinstance(value, dict)
    else:
        assert isinstance(value, hint), f"{value!r} is no {hint}"


def fits(value, hint):
    try:
        assert_typed(value, hint)
    except (AssertionError, TypeError):
        return False
    return True


class Names(dict):
    """The names of a module; what an SDK imports for type checkers alone may be anything."""

    def __missing__(self, name):
        return getattr(builtins, name, object)


def hints_of(owner):
    names = Names({**vars(typing_extensions), **vars(sys.modules[owner.__module__])})
    return typing.get_type_hints(owner, localns=names, include_extras=True)


def stripped(hint):
    while get_origin(hint) in (typing_extensions.Required, typing_extensions.NotRequired, typing.Annotated):
        hint = get_args(hint)[0]
    return hint


def required(owner, hint):
    if get_origin(hint) in (typing_extensions.Required, typing_extensions.NotRequired):
        return get_origin(hint) is typing_extensions.Required
    return owner.__total__
