"""What an adapter makes of an answer: every word of the provider's, and nothing that it was not asked for."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_cards.backends import reading
from holdfast_cards.backends.countries import ALPHA_3
from holdfast_cards.ports import Address, CardChange, Holder, NoAnswer, ProviderCard
from holdfast_cards.states import CardKind, CardState, OpposeReason, ReplaceReason, Verb
from holdfast_cards.testing.contract import ADDRESS
from holdfast_cards.testing.sandbox import CANARY_CVV, CANARY_PAN, Happening
from tests.cards.adapters.providers import HOLDER, MAKERS, bank, create, lithic, order, provider_of, stripe
from tests.cards.adapters.test_signatures import json_values

NOWHERE = "http://127.0.0.1"
FIELDS = [
    "id", "token", "status", "state", "color", "metadata", "shipping", "expiration_date", "exp_month", "exp_year",
    "last4", "last_four", "cardholder", "memo", "pan", "cvv",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2030-11-30", dt.date(2030, 11, 30)),
        ("11/30", dt.date(2030, 11, 30)),
        ("2/2028", dt.date(2028, 2, 29)),
        ("02/28", dt.date(2028, 2, 29)),
        ("2030-02-30", None),
        ("13/30", None),
        ("2030", None),
        ("", None),
        (None, None),
        (203011, None),
        ("٢/٢٠٣٠", None),
    ],
)
def test_a_date_is_read_in_each_of_its_shapes_or_not_at_all(text, day):
    assert reading.day(text) == day


@given(st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_no_date_raises(value):
    assert isinstance(reading.day(value), (dt.date, type(None)))
    assert isinstance(reading.iso_moment(value), (dt.datetime, type(None)))
    assert isinstance(reading.moment(value), (dt.datetime, type(None)))


@pytest.mark.parametrize(
    ("value", "text"),
    [("card-1", "card-1"), (42, "42"), (0, "0"), (True, ""), (1.5, ""), (None, ""), ("", ""), ("a" * 256, "")],
)
def test_the_bank_may_spell_its_ids_or_count_them(value, text):
    card = bank(NOWHERE).read_card({"id": value, "status": "ORDERED", "color": "COLOR_1"})

    assert (card.id if card else "") == text


@pytest.mark.parametrize("text", ["with\x00nul", "\ud800", "new\nline", "\u202e"])
def test_what_no_database_or_page_should_hold_is_not_taken_for_text(text):
    assert reading.text({"name": text}, "name") == ""


def test_each_word_of_the_banks_is_one_of_ours():
    for word in ("ORDERED", "SENT", "ACTIVATED", "CANCELLED", "EXPIRED", "OPPOSED", "FAILED"):
        card = bank(NOWHERE).read_card({"id": 1, "status": word, "color": "COLOR_2", "expiration_date": "2030-01-31"})
        assert (card.state, card.color, card.anomalies) == (CardState[word], "black", ())


def test_an_unreadable_answer_of_the_banks_keeps_the_id():
    card = bank(NOWHERE).read_card({"id": 1, "status": ["?"], "color": None, "expiration_date": "soon"})

    assert (card.id, card.status, card.state, card.color, card.expires_on) == ("1", "", None, "", None)
    assert card.anomalies == ("unrecognized_status", "unrecognized_color", "unreadable_expiry")


@pytest.mark.parametrize(
    ("status", "reason", "shipping", "state"),
    [
        ("canceled", "lost", "delivered", CardState.OPPOSED),
        ("canceled", "stolen", None, CardState.OPPOSED),
        ("canceled", "design_rejected", "pending", CardState.FAILED),
        ("canceled", "fulfillment_error", "pending", CardState.FAILED),
        ("canceled", None, "shipped", CardState.CANCELLED),
        ("canceled", "something new", "shipped", CardState.CANCELLED),
        ("active", None, "delivered", CardState.ACTIVATED),
        ("inactive", None, "shipped", CardState.SENT),
        ("inactive", None, "delivered", CardState.SENT),
        ("inactive", None, "pending", CardState.ORDERED),
        ("inactive", None, "submitted", CardState.ORDERED),
        ("inactive", None, None, CardState.ORDERED),
        ("something new", None, "pending", None),
    ],
)
def test_each_word_of_stripes_is_one_of_ours(status, reason, shipping, state):
    document = {"id": "ic_1", "status": status, "cancellation_reason": reason, "personalization_design": "pd_pink"}
    card = stripe(NOWHERE).read_card({**document, "shipping": shipping and {"status": shipping}})

    assert (card.state, card.inactive, card.color) == (state, status == "inactive", "pink")


@pytest.mark.parametrize("shipping", ["returned", "failure", "canceled"])
def test_a_parcel_that_does_not_arrive_is_an_anomaly_and_no_state(shipping):
    document = {"id": "ic_1", "status": "inactive", "shipping": {"status": shipping}}
    card = stripe(NOWHERE).read_card(
        {**document, "exp_month": 1, "exp_year": 2030, "personalization_design": "pd_pink"}
    )

    assert (card.state, card.anomalies) == (CardState.ORDERED, ("not_arriving",))


@pytest.mark.parametrize("field", ["cardholder", "personalization_design"])
def test_stripe_may_expand_what_an_id_names(field):
    plain = {"id": "ic_1", "status": "active", "cardholder": "ich_1", "personalization_design": "pd_black"}
    expanded = {**plain, field: {"id": plain[field], "object": "x"}}

    assert stripe(NOWHERE).read_card(plain) == stripe(NOWHERE).read_card(expanded)


@pytest.mark.parametrize(
    ("state", "substatus", "ours"),
    [
        ("PENDING_FULFILLMENT", None, CardState.ORDERED),
        ("PENDING_ACTIVATION", None, CardState.SENT),
        ("OPEN", None, CardState.ACTIVATED),
        ("PAUSED", "INTERNAL_REVIEW", CardState.FROZEN),
        ("CLOSED", "LOST", CardState.OPPOSED),
        ("CLOSED", "COMPROMISED", CardState.OPPOSED),
        ("CLOSED", "SUSPICIOUS_ACTIVITY", CardState.OPPOSED),
        ("CLOSED", "EXPIRED", CardState.EXPIRED),
        ("CLOSED", "UNDELIVERABLE", CardState.FAILED),
        ("CLOSED", "END_USER_REQUEST", CardState.CANCELLED),
        ("CLOSED", None, CardState.CANCELLED),
        ("MELTED", None, None),
    ],
)
def test_each_word_of_lithics_is_one_of_ours(state, substatus, ours):
    card = lithic(NOWHERE).read_card({"token": "1", "state": state, "substatus": substatus, "product_id": "2"})

    assert (card.state, card.color) == (ours, "black")


@pytest.mark.parametrize("name", MAKERS)
@given(document=st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_any_document_is_a_card_of_plain_values_or_none(name, document):
    card = MAKERS[name](NOWHERE).read_card(document)

    if card is not None:
        assert card.id
        for field in dataclasses.fields(ProviderCard):
            value = getattr(card, field.name)
            assert not isinstance(value, (dict, list, float)), field.name


def test_numbers_and_codes_stay_in_the_answer(sandbox):
    sandbox.choose(leaky=True)
    provider = provider_of(sandbox, **({"reads": True} if sandbox.name == "bank" else {}))
    sandbox.dialect.reads = True

    answer = create(provider)
    create(provider)
    seen = [answer, provider.get(answer.card.id), provider.list_by_holder(holder=HOLDER.external_id)]
    seen.append(provider.read_webhook(*sandbox.webhooks.signed(sandbox.events[0])))

    assert CANARY_PAN not in repr(seen)
    assert CANARY_CVV not in repr(seen)


# --- What happens to a card at the provider


@pytest.mark.parametrize(
    ("happening", "states"),
    [
        (Happening.SHIP, {CardState.SENT}),
        (Happening.ACTIVATE, {CardState.ACTIVATED}),
        (Happening.CANCEL, {CardState.CANCELLED}),
        (Happening.OPPOSE, {CardState.OPPOSED}),
        (Happening.FAIL, {CardState.FAILED}),
        # Stripe has no word for it: the month on the card tells.
        (Happening.EXPIRE, {CardState.EXPIRED, CardState.ORDERED}),
        # Nor one for frozen; the bank cannot freeze.
        (Happening.FREEZE, {CardState.FROZEN, CardState.ORDERED}),
        (Happening.DELIVER, {CardState.SENT, CardState.ORDERED}),
    ],
)
def test_what_happens_there_is_read_here(sandbox, happening, states):
    sandbox.dialect.reads = True
    provider = provider_of(sandbox, **({"reads": True} if sandbox.name == "bank" else {}))
    card = create(provider).card
    sandbox.befall(card.id, happening)

    after = provider.get(card.id)

    assert after.state in states
    if happening == Happening.EXPIRE and after.state != CardState.EXPIRED:
        assert after.expires_on < dt.datetime.now(dt.UTC).date()


def test_a_parcels_tracking_is_told(stripe_sandbox):
    provider = provider_of(stripe_sandbox)
    card = create(provider).card
    stripe_sandbox.befall(card.id, "ship")

    shipped = provider.get(card.id)

    assert (shipped.carrier, shipped.tracking_number) == ("dhl", f"TRACK-{card.id}")


# --- Orders


@pytest.mark.parametrize("make", [stripe, lithic], ids=["stripe", "lithic"])
@pytest.mark.parametrize("holder", [Holder(external_id="1"), Holder(external_id="1", name="Ada Lovelace")])
def test_a_card_that_is_posted_needs_an_address(make, holder):
    provider = make(NOWHERE)

    with pytest.raises(ValueError, match="address"):
        provider.compose(order(provider, holder=holder))
    assert provider.compose(order(provider, holder=holder, kind=CardKind.VIRTUAL))


@pytest.mark.parametrize(
    ("name", "country", "complaint"),
    [("Plato", "GR", "first name"), ("Ada " + "Lovelace" * 4, "GB", "room"), ("Ada Lovelace", "XX", "ISO 3166")],
)
def test_lithic_cannot_post_everywhere_and_everything(name, country, complaint):
    address = dataclasses.replace(ADDRESS, country=country)
    provider = lithic(NOWHERE)
    wanted = order(provider, holder=Holder(external_id="1", name=name, address=address))

    with pytest.raises(ValueError, match=complaint):
        provider.compose(wanted)


def test_an_address_is_written_as_each_provider_wants_it():
    address = Address(
        line1="1 Main St", line2="Apt 2", city="Springfield", postal_code="62701", country="US", state="IL"
    )
    wanted = {"holder": Holder(external_id="1", name="Ada King Lovelace", address=address)}

    at_stripe, at_lithic = (make(NOWHERE) for make in (stripe, lithic))
    form = dict(at_stripe.compose(order(at_stripe, **wanted))["shipping"])
    document = at_lithic.compose(order(at_lithic, **wanted))["shipping_address"]

    assert form["address"] == dataclasses.asdict(address)
    assert (document["first_name"], document["last_name"]) == ("Ada King", "Lovelace")
    assert (document["country"], document["state"], document["address2"]) == ("USA", "IL", "Apt 2")


def test_every_country_has_two_letters_and_three():
    assert len(ALPHA_3) == len(set(ALPHA_3.values())) == 249
    assert all(len(two) == 2 and len(three) == 3 for two, three in ALPHA_3.items())
    assert (ALPHA_3["DE"], ALPHA_3["GB"], ALPHA_3["CH"], ALPHA_3["AT"]) == ("DEU", "GBR", "CHE", "AUT")


@pytest.mark.parametrize("make", [stripe, lithic], ids=["stripe", "lithic"])
def test_a_reference_travels_with_the_card(make):
    provider = make(NOWHERE)

    assert "reference-1" in str(provider.compose(order(provider, reference="reference-1")))


def test_the_bank_gets_two_fields_and_no_more(bank_sandbox):
    create(provider_of(bank_sandbox), color="pink")

    assert bank_sandbox.requests[0].params == {"user_id": HOLDER.external_id, "color": "COLOR_1"}
    assert bank_sandbox.requests[0].key == ""


@pytest.mark.parametrize("reason", OpposeReason)
def test_why_a_card_is_opposed_is_told(stripe_sandbox, lithic_sandbox, reason):
    for sandbox in (stripe_sandbox, lithic_sandbox):
        provider = provider_of(sandbox)
        card = create(provider).card
        after = provider.change(card.id, CardChange(verb=Verb.OPPOSE, reason=reason), key="key").card
        assert after.state == CardState.OPPOSED
        assert sandbox.cards[0].detail in {"lost", "stolen", "LOST", "COMPROMISED"}


@pytest.mark.parametrize("reason", ReplaceReason)
def test_why_a_card_is_replaced_is_told(stripe_sandbox, lithic_sandbox, reason):
    for sandbox in (stripe_sandbox, lithic_sandbox):
        provider = provider_of(sandbox)
        first = create(provider).card
        second = create(provider, replaces=first.id, replace_reason=reason).card
        assert [card.replaces for card in sandbox.cards] == ["", first.id]
        assert second.id == sandbox.cards[1].id


# --- The log of events


@pytest.mark.parametrize("name", ["stripe", "lithic"])
def test_a_cursor_that_the_log_no_longer_knows_begins_anew(name, request):
    # Stripe forgets events after 30 days; whoever was away for longer goes on from now.
    sandbox = request.getfixturevalue(f"{name}_sandbox")
    provider = provider_of(sandbox)
    create(provider)

    page = provider.events(after="forgotten")

    assert (page.notices, page.cursor, page.more) == ((), sandbox.events[-1].id, False)
    create(provider)
    assert [notice.event_id for notice in provider.events(after=page.cursor).notices] == [sandbox.events[-1].id]


@pytest.mark.parametrize("name", ["stripe", "lithic"])
def test_a_log_that_was_empty_is_read_from_its_beginning(name, request):
    sandbox = request.getfixturevalue(f"{name}_sandbox")
    provider = provider_of(sandbox)
    start = provider.events(after="")
    assert start.notices == ()

    cards = [create(provider).card.id for _ in range(60)]

    page = provider.events(after=start.cursor)
    assert [notice.card_id for notice in page.notices] == cards
    assert provider.events(after=page.cursor).notices == ()


@pytest.mark.parametrize("name", ["stripe", "lithic"])
def test_a_long_log_is_read_page_by_page_oldest_first(name, request):
    sandbox = request.getfixturevalue(f"{name}_sandbox")
    provider = provider_of(sandbox)
    create(provider)
    cursor, seen, pages = provider.events(after="").cursor, [], 0
    for _ in range(120):
        create(provider)
    more = True
    while more:
        page = provider.events(after=cursor)
        seen += [notice.event_id for notice in page.notices]
        cursor, more, pages = page.cursor, page.more, pages + 1

    assert seen == [event.id for event in sandbox.events[1:]]
    assert pages == 3


def test_a_log_that_cannot_be_read_is_not_begun_anew(stripe_sandbox):
    provider = provider_of(stripe_sandbox)
    create(provider)
    stripe_sandbox.arm("status", on="events", status=503)

    with pytest.raises(NoAnswer):
        provider.events(after=stripe_sandbox.events[0].id)


def test_more_cards_than_are_read_are_no_answer(stripe_sandbox, monkeypatch):
    monkeypatch.setattr("holdfast_cards.backends.http.MAX_PAGES", 2)
    for _ in range(41):
        stripe_sandbox.make_card(owner=HOLDER.external_id)

    with pytest.raises(NoAnswer, match="too_many_pages"):
        provider_of(stripe_sandbox).list_by_holder(holder=HOLDER.external_id)
