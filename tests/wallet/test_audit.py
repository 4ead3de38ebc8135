"""The audit finds each kind of corruption, and nothing in a sound ledger; the chain shows tampering to the bit."""

import json
import uuid
from itertools import pairwise

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from holdfast.testing import captured_events
from holdfast_wallet import events, services
from holdfast_wallet.models import Hold, HoldEvent, Payment, Seal, Transfer
from holdfast_wallet.services import sealing
from holdfast_wallet.services.chain import canonical
from holdfast_wallet.services.sealing import LedgerCorruptError
from holdfast_wallet.states import HoldState, PaymentDirection, PaymentState
from holdfast_wallet.testing import make_account, make_hold, make_transfer, unlocked_ledger
from tests.wallet.bank import eur, findings, fresh, key

pytestmark = pytest.mark.django_db


class Books:
    """A small ledger with a bit of everything."""

    def __init__(self):
        self.ada, self.bob = make_account(funds="100.00"), make_account()
        self.paid = [make_transfer(source=self.ada, target=self.bob, amount="5.00") for _ in range(4)]
        self.back = services.reverse(key=key(), transfer_id=self.paid[0].id, owner_id=self.bob.owner_id, amount=eur(2))
        self.hold = make_hold(account=self.ada, amount="20.00")
        self.capture = services.capture_hold(
            key=key(),
            hold_id=self.hold.id,
            target_id=self.bob.id,
            owner_id=self.ada.owner_id,
            amount=eur(5),
            final=False,
        )
        self.payment = services.request_deposit(
            key=key(), account_id=self.ada.id, amount=eur(7), owner_id=self.ada.owner_id
        )
        services.seal()


@pytest.fixture
def books():
    return Books()


def change(row, **fields):
    with unlocked_ledger():
        type(row).objects.filter(pk=row.pk).update(**fields)


def delete(row):
    with unlocked_ledger():
        type(row).objects.filter(pk=row.pk)._raw_delete("default")


def checks():
    return {finding.check for finding in findings()}


def of(check):
    (finding,) = [finding for finding in findings() if finding.check == check]
    return finding


def test_a_sound_ledger_has_no_findings_and_tells_how_far_it_is(books):
    steps = list(services.verify())
    assert all(isinstance(step, services.Progress) for step in steps)
    assert {step.check for step in steps} == {"accounts", "lines", "seals"}
    assert all(0 <= step.done <= step.total for step in steps)


def test_an_empty_ledger_is_sound():
    assert findings() == []
    assert services.seal() == 0


def test_a_balance_set_by_hand(books):
    change(books.ada, balance_minor=F("balance_minor") + 1)
    finding = of("account_balance")
    now = fresh(books.ada).balance_minor
    assert (finding.account_id, finding.expected, finding.found) == (books.ada.id, str(now - 1), str(now))
    assert of("currency_sum").found == "EUR 1"


def test_two_balances_set_by_hand_that_add_up(books):
    change(books.ada, balance_minor=F("balance_minor") + 1)
    change(books.bob, balance_minor=F("balance_minor") - 1)
    assert checks() == {"account_balance"}


def test_a_version_set_by_hand(books):
    change(books.ada, version=F("version") + 1)
    assert "account_version" in checks()


def test_a_changed_amount(books):
    victim = books.paid[1]
    change(victim, amount_minor=499)
    found = [finding for finding in findings() if finding.check == "line_balance"]
    assert {finding.account_id for finding in found} == {books.ada.id, books.bob.id}
    assert {finding.transfer_id for finding in found} == {victim.id}
    assert "seal_digest" in checks()


def test_a_changed_running_balance(books):
    victim = books.paid[1]
    change(victim, source_balance_minor=F("source_balance_minor") + 3)
    found = [finding for finding in findings() if finding.check == "line_balance"]
    # Its own line does not follow from the one before it, and the next one does not follow from it.
    assert [finding.account_id for finding in found] == [books.ada.id] * 2
    stored = victim.source_balance_minor
    mine = next(finding for finding in found if finding.transfer_id == victim.id)
    assert (mine.expected, mine.found) == (str(stored), str(stored + 3))


def test_a_deleted_transfer(books):
    delete(books.paid[2])
    assert {"account_version", "line_sequence", "seal_count"} <= checks()


def test_the_last_transfer_deleted_and_the_balances_put_right(books):
    last = Transfer.objects.order_by("number").last()
    delete(last)
    change(last.source, balance_minor=F("balance_minor") + last.amount_minor, version=F("version") - 1)
    change(last.target, balance_minor=F("balance_minor") - last.amount_minor, version=F("version") - 1)
    assert {"seal_count", "payments"} <= checks()


def test_a_renumbered_line(books):
    change(books.paid[1], source_version=999)
    assert {"line_sequence"} <= checks()


def test_numbers_or_times_that_run_backwards(books):
    change(books.paid[3], number=-1)
    assert "line_order" in checks()
    change(books.paid[3], number=books.paid[3].number, recorded_at=timezone.now().replace(year=2020))
    finding = next(finding for finding in findings() if finding.check == "line_time")
    assert finding.found.startswith("2020-")
    assert finding.expected.startswith("not before ")


def test_a_transfer_between_other_accounts(books):
    stranger = make_account()
    change(books.paid[1], target_id=stranger.id)
    assert {"account_version", "line_sequence"} & checks()
    change(books.paid[1], target_id=uuid.UUID(int=9))
    assert "line_account" in checks()


def test_a_transfer_or_an_account_of_another_currency(books):
    change(books.paid[1], currency="USD")
    finding = next(finding for finding in findings() if finding.check == "line_account")
    assert (finding.transfer_id, finding.expected, finding.found) == (books.paid[1].id, "EUR", "USD")


def test_an_account_that_vanished(books):
    with connection.constraint_checks_disabled() if connection.vendor == "sqlite" else transaction.atomic():
        stranger = make_account()
        make_transfer(source=books.ada, target=stranger)
        delete(stranger)
        assert "line_account" in checks()


def test_held_money_without_a_hold(books):
    change(books.ada, held_minor=F("held_minor") + 5)
    finding = of("account_held")
    assert (finding.account_id, finding.expected, finding.found) == (books.ada.id, "1500", "1505")


def test_a_hold_that_says_other_than_its_history(books):
    change(books.hold, captured_minor=600)
    assert {"hold_history", "hold_captures", "account_held"} <= checks()


def test_a_history_that_was_changed_or_removed(books):
    change(books.hold.events.get(kind="captured"), amount_minor=501)
    assert "hold_history" in checks()
    delete(books.hold.events.get(kind="placed"))
    assert "hold_history" in checks()
    with unlocked_ledger():
        HoldEvent.objects.all()._raw_delete("default")
    assert "hold_history" in checks()


def test_an_ended_hold_with_its_state_set_back(books):
    services.release_hold(hold_id=books.hold.id, owner_id=books.ada.owner_id)
    change(books.hold, state=HoldState.OPEN)
    assert checks() == {"hold_state"}


def test_reversals_beyond_their_original(books):
    change(books.paid[0], amount_minor=100)
    assert "reversals" in checks()
    change(books.back, reverses_id=books.capture.id)
    assert "line_balance" in checks()


def test_a_payment_that_is_not_what_was_posted(books):
    with unlocked_ledger():
        Payment.objects.filter(id=books.payment.id).update(amount_minor=70_000)
    finding = of("payments")
    assert (finding.transfer_id, finding.expected, finding.found) == (books.payment.id, "70000", "700")


@pytest.fixture
def no_constraint(db):
    """The constraint that says the limits a second time is gone for the test."""
    table, name = "holdfast_wallet_account", "holdfast_wallet_account_within_limits"
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute(
            "PRAGMA ignore_check_constraints = ON" if sqlite else f"ALTER TABLE {table} DROP CONSTRAINT {name}"
        )
    yield
    if sqlite:  # PostgreSQL rolls it back with the test
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def test_limits_that_were_passed(no_constraint):
    books = Books()
    change(books.bob, maximum_balance_minor=1)
    finding = of("account_limits")
    assert (finding.account_id, finding.expected) == (books.bob.id, "between 0 and 1")


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "gift"},
        {"metadata": {"forged": True}},
        {"effective_at": timezone.now().replace(year=2020)},
        {"journal_id": uuid.UUID(int=1)},
        {"hold_id": None},
        {"reverses_id": uuid.UUID(int=1)},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_no_sum_would_show_the_chain_shows(books, fields):
    change(books.capture, **fields)
    finding = of("seal_digest")
    assert finding.expected != finding.found


def test_a_transfer_slipped_in_below_the_seals(books):
    """A row whose number was sealed long ago, with balances that fit at the end of its accounts."""
    slipped = make_transfer(source=books.ada, target=books.bob)
    first = Seal.objects.get().first_number
    change(slipped, number=first - 1)
    assert {"line_order", "seal_count"} <= checks()


def test_a_seal_that_was_changed_or_removed(books):
    make_transfer(source=books.ada, target=books.bob)
    services.seal()
    first, second = Seal.objects.order_by("id")
    change(first, digest="0" * 64)
    assert {"seal_digest", "seal_chain"} <= checks()
    change(first, digest=second.previous_digest)
    assert checks() == set()
    delete(first)
    assert {"seal_chain"} <= checks()


def test_seals_cover_every_transfer_once_in_blocks_and_are_told(books, settings):
    settings.HOLDFAST_WALLET = {"SEAL_BLOCK_TRANSFERS": 2}
    for _ in range(5):
        make_transfer(source=books.ada, target=books.bob)
    with captured_events() as told:
        assert services.seal() == 5
        assert services.seal() == 0
    seals = list(Seal.objects.order_by("id"))
    assert [seal.transfer_count for seal in seals[1:]] == [2, 2, 1]
    assert sum(seal.transfer_count for seal in seals) == Transfer.objects.count()
    assert [event.digest for event in told if isinstance(event, events.TransfersSealed)] == [
        seal.digest for seal in seals[1:]
    ]
    for before, after in pairwise(seals):
        assert after.previous_digest == before.digest
        assert after.first_number > before.last_number
    assert findings() == []


def test_what_contradicts_itself_is_not_sealed(books):
    forged = make_transfer(source=books.ada, target=books.bob)
    change(forged, target_balance_minor=1)
    sealed = Seal.objects.count()
    with pytest.raises(LedgerCorruptError) as corrupt:
        services.seal()
    assert corrupt.value.findings[0].transfer_id == forged.id
    assert Seal.objects.count() == sealed


def test_a_row_is_the_same_bytes_whatever_the_database_or_the_time_zone():
    moment = timezone.now().replace(year=2026, month=1, day=2, hour=3, minute=4, second=5, microsecond=6)
    row = (1, uuid.UUID(int=7), None, moment, {"b": 1, "a": "é"})
    assert json.loads(canonical(row)) == [
        1,
        "00000000-0000-0000-0000-000000000007",
        None,
        "2026-01-02T03:04:05.000006+00:00",
        {"a": "é", "b": 1},
    ]
    assert b'{"a":"\\u00e9","b":1}' in canonical(row)


def test_somebody_else_sealing_after_the_same_link_is_no_error(books, monkeypatch):
    make_transfer(source=books.ada, target=books.bob)
    before = Seal.objects.order_by("id").last()
    real = sealing.digest_of

    def meanwhile(previous, **numbers):
        if not Seal.objects.filter(previous_digest=before.digest).exists():
            Seal.objects.create(
                first_number=numbers["first"],
                last_number=numbers["last"],
                transfer_count=1,
                previous_digest=before.digest,
                digest=real(before.digest, **numbers)[0],
            )
        return real(previous, **numbers)

    monkeypatch.setattr(sealing, "digest_of", meanwhile)
    assert services.seal() == 0
    assert findings() == []


def test_times_that_run_backwards_do_not_keep_lines_from_being_sealed(books):
    late = make_transfer(source=books.ada, target=books.bob)
    change(late, recorded_at=timezone.now().replace(year=2020))
    assert services.seal() == 1
    assert checks() == {"line_time"}


def swap_owner(books):
    change(books.ada, owner=books.bob.owner_id, is_default=False)


def drop_withdrawal_hold(books):
    hold = Hold.objects.get(pk=books.pending.hold_id)
    change(books.pending, hold=None)
    with unlocked_ledger():
        HoldEvent.objects.filter(hold=hold)._raw_delete("default")
    delete(hold)
    change(books.ada, held_minor=F("held_minor") - hold.amount_minor)


def release_withdrawal_hold(books):
    hold = Hold.objects.get(pk=books.pending.hold_id)
    Hold.objects.filter(pk=hold.pk).update(state=HoldState.RELEASED, released_minor=hold.amount_minor)


CORRUPTIONS = {
    "no amount": (lambda books: change(books.paid[1], amount_minor=0), "line_amount"),
    "a negative amount": (lambda books: change(books.paid[1], amount_minor=-500), "line_amount"),
    "a transfer to itself": (lambda books: change(books.paid[1], target=books.ada.pk), "line_amount"),
    "a capture of nothing": (lambda books: change(books.paid[1], hold_id=key()), "line_hold"),
    "a capture of another account's hold": (lambda books: change(books.back, hold=books.hold), "line_hold"),
    "a reversal of nothing": (lambda books: change(books.back, reverses_id=key()), "line_reverses"),
    "a reversal of a reversal": (lambda books: change(books.paid[2], reverses=books.back), "reversals_of_reversals"),
    "another owner": (swap_owner, "seal_digest"),
    "a failed payment that was settled": (
        lambda books: change(books.payment, state=PaymentState.FAILED, transfer=None),
        "payment_transfer",
    ),
    "a payment settled by somebody else's transfer": (
        lambda books: change(books.payment, transfer=books.paid[1]),
        "payment_transfer",
    ),
    "a deposit that was a withdrawal": (
        lambda books: change(books.payment, direction=PaymentDirection.WITHDRAWAL),
        "payment_transfer",
    ),
    "a withdrawal that lost its hold": (drop_withdrawal_hold, "payment_hold"),
    "a withdrawal whose hold was given back": (release_withdrawal_hold, "payment_hold"),
    "a hold of a payment that is over": (
        lambda books: change(books.pending, state=PaymentState.FAILED),
        "payment_hold",
    ),
}


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_each_corruption_is_found_by_name(books, settings, corruption):
    settings.HOLDFAST_WALLET = {
        "PAYMENT_RAIL": {"BACKEND": "holdfast_wallet.backends.dummy.DummyRail", "OPTIONS": {"outcome": "pending"}}
    }
    books.pending = services.request_withdrawal(
        key=key(), account_id=books.ada.id, amount=eur(3), owner_id=books.ada.owner_id
    )
    assert checks() == set()
    corrupt, check = CORRUPTIONS[corruption]
    corrupt(books)
    assert check in checks()


def test_who_kept_a_digest_sees_that_the_chain_was_made_anew(books):
    def found(digest):
        steps = services.verify(expect_digest=digest)
        return [step.check for step in steps if isinstance(step, services.Finding)]

    kept = Seal.objects.get().digest
    make_transfer(source=books.ada, target=books.bob)
    services.seal()
    assert found(kept) == []
    change(books.paid[1], kind="gift")
    with unlocked_ledger():
        Seal.objects.all()._raw_delete("default")
    assert found("") == []
    assert found(kept) == ["seal_expected"]
    services.seal()
    assert found("") == []
    assert found(kept) == ["seal_expected"]
