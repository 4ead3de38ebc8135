"""SQL typed by hand: the database itself refuses whatever would make, lose or hide a cent."""

import datetime as dt
import uuid

import pytest
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.db.models import F
from django.utils import timezone

from holdfast_wallet import services
from holdfast_wallet.models import Account, Hold, HoldEvent, Payment, Seal, Transfer
from holdfast_wallet.ports import PaymentOutcome, PaymentRail
from holdfast_wallet.services import law
from holdfast_wallet.states import HoldState, PaymentState
from holdfast_wallet.testing import make_account, make_hold, make_owner, make_transfer, unlocked_ledger
from tests.wallet.bank import assert_against_the_law, eur, findings, fresh, key

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_law_holds(db):
    """The test database lets rows be removed between tests; here it does not."""
    with law.unlocked(mode="off"):
        yield


@pytest.fixture
def ada():
    return make_account(funds="100.00")


@pytest.fixture
def bob():
    return make_account()


def copied(model, row, **fields):
    """An INSERT of the row with other values, to be completed by a conflict clause in front or behind."""
    values = {field.column: f'"{field.column}"' for field in model._meta.concrete_fields} | fields
    table = model._meta.db_table
    columns = ", ".join(f'"{name}"' for name in values)
    chosen = ", ".join(str(value) for value in values.values())
    return f"INTO {table} ({columns}) SELECT {chosen} FROM {table} WHERE id = '{literal(row.pk)}'"


def literal(value):
    return value.hex if isinstance(value, uuid.UUID) and connection.vendor == "sqlite" else value


def sql(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, [p.hex if isinstance(p, uuid.UUID) else p for p in parameters])


@pytest.mark.parametrize(
    "change",
    [
        {"balance_minor": F("balance_minor") + 1},
        {"balance_minor": 0},
        {"held_minor": 1},
        {"version": F("version") + 1},
        {"balance_minor": F("balance_minor") + 1, "version": F("version") + 1},
        {"currency": "USD"},
        {"role": "cash_in"},
        {"slots": 4},
        {"overdraft_limit_minor": -1},
        {"maximum_balance_minor": 9_999},
        {"state": "asleep"},
        {"state": "closed"},
        {"owner": None},
    ],
    ids="+".join,
)
def test_an_account_is_not_changed_by_hand(ada, change):
    assert_against_the_law(lambda: Account.objects.filter(id=ada.id).update(**change))


def test_an_account_does_not_change_hands(ada):
    other = make_owner()
    assert_against_the_law(lambda: Account.objects.filter(id=ada.id).update(owner=other))
    assert_against_the_law(lambda: Account.objects.filter(id=ada.id).update(id=key()))


def test_a_closed_account_is_not_opened_again(bob):
    services.close_account(account_id=bob.id, owner_id=bob.owner_id)
    assert_against_the_law(lambda: Account.objects.filter(id=bob.id).update(state="active"))


@pytest.mark.parametrize(
    "fields",
    [
        {"balance_minor": 1},
        {"held_minor": 1, "overdraft_limit_minor": None},
        {"version": 1},
        {"owner": None},
        {"role": "fees"},
        {"overdraft_limit_minor": -1},
        {"slots": 2},
        {"slots": 0},
        {"state": "asleep"},
    ],
    ids="+".join,
)
def test_an_account_is_opened_empty_and_sound(fields):
    owner = make_owner()
    assert_against_the_law(lambda: Account(**{"owner": owner, "currency": "EUR", **fields}).save(force_insert=True))


def test_there_is_one_account_for_a_role_and_one_default():
    services.open_system_account(role="fees", currency="EUR")
    again = Account(role="fees", currency="EUR", overdraft_limit_minor=None)
    assert_against_the_law(lambda: again.save(force_insert=True))
    ada = make_account()
    second = Account(owner_id=ada.owner_id, currency="EUR", is_default=True)
    assert_against_the_law(lambda: second.save(force_insert=True))


def test_what_has_a_history_is_not_deleted(ada, bob):
    transfer = make_transfer(source=ada, target=bob)
    hold = make_hold(account=ada)
    services.seal()
    for table, row in (
        ("account", ada),
        ("transfer", transfer),
        ("hold", hold),
        ("holdevent", hold.events.get()),
        ("seal", Seal.objects.get()),
    ):
        assert_against_the_law(
            lambda table=table, row=row: sql(f"DELETE FROM holdfast_wallet_{table} WHERE id = %s", row.pk)
        )
        assert_against_the_law(lambda table=table: sql(f"DELETE FROM holdfast_wallet_{table}"))


def test_an_account_that_was_never_used_may_go(bob):
    Account.objects.filter(id=bob.id).delete()
    assert not Account.objects.filter(id=bob.id).exists()


@pytest.mark.parametrize(
    "field",
    [field.attname for field in Transfer._meta.concrete_fields if field.attname != "metadata"],
)
def test_a_transfer_is_final(ada, bob, field):
    transfer = make_transfer(source=ada, target=bob)
    value = getattr(transfer, field)
    if isinstance(value, uuid.UUID) or value is None:
        other = key()
    elif isinstance(value, dt.datetime):
        other = value - dt.timedelta(days=1)
    else:
        other = value + 1 if isinstance(value, int) else "USD"
    assert_against_the_law(lambda: Transfer.objects.filter(id=transfer.id).update(**{field: other}))


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 0},
        {"amount_minor": -500},
        {"amount_minor": 10_001},
        {"amount_minor": 10**18 + 1},
        {"currency": "USD"},
        {"target_id": None},
        {"source_id": None},
        {"target_id": uuid.UUID(int=5)},
        {"source_id": uuid.UUID(int=5)},
        {"amount_minor": None},
        {"currency": None},
    ],
    ids=lambda change: "+".join(f"{name}={value}" for name, value in change.items()),
)
def test_an_unsound_transfer_is_not_inserted(ada, bob, change):
    fields = {"source_id": ada.id, "target_id": bob.id, "amount_minor": 500, "currency": "EUR", **change}
    assert_against_the_law(lambda: Transfer(journal_id=key(), **fields).save(force_insert=True))


def test_a_transfer_to_itself_is_not_inserted(ada):
    same = Transfer(source=ada, target=ada, amount_minor=1, currency="EUR", journal_id=key())
    assert_against_the_law(lambda: same.save(force_insert=True))


def test_nobody_chooses_the_running_balance_the_version_the_number_or_the_time(ada, bob):
    forged = Transfer(
        source=ada,
        target=bob,
        amount_minor=500,
        currency="EUR",
        journal_id=key(),
        number=10**9,
        source_balance_minor=10**9,
        target_balance_minor=10**9,
        source_version=77,
        target_version=78,
        recorded_at=timezone.now() - dt.timedelta(days=999),
    )
    try:
        with transaction.atomic():
            forged.save(force_insert=True)
    except DatabaseError:
        pass  # SQLite refuses; PostgreSQL writes what is true instead
    assert findings() == []
    assert not Transfer.objects.filter(source_version=77).exists()


def test_frozen_closed_and_split_accounts_take_no_transfer_by_hand(ada, bob):
    frozen, closed = make_account(funds="5.00"), make_account()
    services.freeze_account(account_id=frozen.id, owner_id=frozen.owner_id, block_credits=True)
    services.close_account(account_id=closed.id, owner_id=closed.owner_id)
    hot = services.open_system_account(role="hot", currency="EUR", slots=2)
    for source, target in ((frozen, bob), (ada, frozen), (ada, closed), (closed, bob), (ada, hot), (hot, bob)):
        row = Transfer(source=source, target=target, amount_minor=1, currency="EUR", journal_id=key())
        assert_against_the_law(lambda row=row: row.save(force_insert=True))


def test_a_maximum_balance_holds_by_hand(ada):
    bob = make_account(maximum_balance=eur(1))
    row = Transfer(source=ada, target=bob, amount_minor=101, currency="EUR", journal_id=key())
    assert_against_the_law(lambda: row.save(force_insert=True))


def test_a_reversal_by_hand_is_bound_to_its_original(ada, bob):
    carol = make_account(funds="50.00")
    paid = make_transfer(source=ada, target=bob, amount="10.00")
    services.reverse(key=key(), transfer_id=paid.id, owner_id=bob.owner_id, amount=eur(6))
    services.deposit(key=key(), account_id=bob.id, amount=eur(50), owner_id=bob.owner_id)
    back = Transfer.objects.get(reverses=paid)
    for source, target, amount, original in (
        (bob, ada, 401, paid),
        (carol, ada, 100, paid),
        (bob, carol, 100, paid),
        (ada, bob, 100, paid),
        (ada, bob, 100, back),
    ):
        row = Transfer(
            source=source, target=target, amount_minor=amount, currency="EUR", journal_id=key(), reverses=original
        )
        assert_against_the_law(lambda row=row: row.save(force_insert=True))
    missing = Transfer(
        source=bob, target=ada, amount_minor=1, currency="EUR", journal_id=key(), reverses_id=uuid.UUID(int=3)
    )
    assert_against_the_law(lambda: missing.save(force_insert=True))


def test_a_capture_by_hand_is_bound_to_its_hold(ada, bob):
    hold = make_hold(account=ada, amount="10.00")
    other = make_account(funds="50.00")
    over = make_hold(account=ada, amount="1.00")
    services.release_hold(hold_id=over.id, owner_id=ada.owner_id)
    for source, amount, hold_id in ((ada, 1001, hold.id), (other, 100, hold.id), (ada, 50, over.id), (ada, 50, key())):
        row = Transfer(
            source=source, target=bob, amount_minor=amount, currency="EUR", journal_id=key(), hold_id=hold_id
        )
        assert_against_the_law(lambda row=row: row.save(force_insert=True))


@pytest.mark.parametrize(
    "change",
    [
        {"captured_minor": 1},
        {"released_minor": 1},
        {"amount_minor": 1},
        {"amount_minor": 99_999},
        {"currency": "USD"},
        {"expires_at": None},
        {"owner_may_end": True},
        {"state": HoldState.CAPTURED},
        {"state": HoldState.RELEASED},
        {"state": HoldState.EXPIRED},
        {"state": HoldState.EXPIRED, "released_minor": 1000},
        {"state": HoldState.CAPTURED, "released_minor": 1000},
        {"state": "asleep", "released_minor": 1000},
    ],
    ids=lambda change: "+".join(f"{name}={value}" for name, value in change.items()),
)
def test_a_hold_is_not_changed_by_hand(ada, change):
    hold = make_hold(account=ada, amount="10.00")
    assert_against_the_law(lambda: Hold.objects.filter(id=hold.id).update(**change))


def test_a_hold_moves_neither_to_another_account_nor_back_to_life(ada, bob):
    hold = make_hold(account=ada, amount="10.00")
    assert_against_the_law(lambda: Hold.objects.filter(id=hold.id).update(account=bob))
    services.release_hold(hold_id=hold.id, owner_id=ada.owner_id)
    assert_against_the_law(lambda: Hold.objects.filter(id=hold.id).update(state=HoldState.OPEN))
    assert_against_the_law(lambda: Hold.objects.filter(id=hold.id).update(state=HoldState.OPEN, released_minor=0))


def test_a_hold_is_not_placed_beyond_the_money_by_hand(ada):
    for amount, currency in ((10_001, "EUR"), (0, "EUR"), (-5, "EUR"), (100, "USD")):
        row = Hold(account=ada, currency=currency, amount_minor=amount)
        assert_against_the_law(lambda row=row: row.save(force_insert=True))


def test_a_hold_released_by_hand_gives_its_money_back_and_writes_its_history(ada):
    hold = make_hold(account=ada, amount="10.00")
    Hold.objects.filter(id=hold.id).update(state=HoldState.RELEASED, released_minor=1000)
    assert fresh(ada).held == eur(0)
    assert findings() == []


def test_the_history_of_a_hold_writes_itself(ada):
    hold = make_hold(account=ada, amount="10.00")
    step = HoldEvent(hold=hold, kind="released", amount_minor=1000, recorded_at=timezone.now())
    assert_against_the_law(lambda: step.save(force_insert=True))
    assert_against_the_law(lambda: HoldEvent.objects.update(amount_minor=1))


def test_a_payment_ends_once_and_keeps_its_amount(ada):
    payment = services.request_deposit(key=key(), account_id=ada.id, amount=eur(5), owner_id=ada.owner_id)
    for change in (
        {"state": PaymentState.PENDING, "transfer": None},
        {"state": PaymentState.FAILED, "transfer": None},
        {"amount_minor": 1},
        {"currency": "USD"},
    ):
        assert_against_the_law(lambda change=change: Payment.objects.filter(id=payment.id).update(**change))


def test_a_seal_is_final_and_the_chain_does_not_fork(ada):
    services.seal()
    assert_against_the_law(lambda: Seal.objects.update(digest="0" * 64))
    fork = Seal(first_number=10**6, last_number=10**6, transfer_count=1, previous_digest="", digest="1" * 64)
    assert_against_the_law(lambda: fork.save(force_insert=True))


def test_entries_cannot_be_written(ada):
    assert_against_the_law(lambda: sql("DELETE FROM holdfast_wallet_entry"))
    assert_against_the_law(lambda: sql("UPDATE holdfast_wallet_entry SET amount_minor = 1"))


@pytest.mark.postgres
@pytest.mark.parametrize("table", ["account", "transfer", "hold", "holdevent", "seal"])
def test_a_table_with_a_history_is_not_truncated(ada, bob, table):
    make_hold(account=ada)
    services.seal()
    assert_against_the_law(lambda: sql(f"TRUNCATE holdfast_wallet_{table} CASCADE"))


@pytest.mark.postgres
def test_tables_without_rows_may_be_emptied_by_any_test_suite():
    sql("TRUNCATE holdfast_wallet_transfer, holdfast_wallet_seal CASCADE")


def test_the_switch_says_how_it_stands_and_closes_behind_itself(ada):
    assert law.switch_state() == "off"
    with law.unlocked(mode="flush"):
        assert law.switch_state() == "flush"
        assert_against_the_law(lambda: Account.objects.filter(id=ada.id).update(balance_minor=0))
    with unlocked_ledger():
        assert law.switch_state() == "on"
    with pytest.raises(ZeroDivisionError), unlocked_ledger():
        raise ZeroDivisionError
    assert law.switch_state() == "off"


def test_a_whole_save_of_an_untouched_account_is_allowed(ada):
    account = fresh(ada)
    account.name = "Renamed in a form"
    models.Model.save(account)
    assert fresh(ada).name == "Renamed in a form"


def test_a_stale_save_of_an_account_does_not_undo_a_transfer(ada, bob):
    stale = fresh(ada)
    make_transfer(source=ada, target=bob, amount="10.00")
    with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic():
        models.Model.save(stale)
    assert fresh(ada).balance == eur(90)


def test_no_money_moves_for_a_transfer_or_a_hold_that_is_skipped_as_a_repetition(ada, bob):
    paid = make_transfer(source=ada, target=bob, amount="10.00")
    hold = make_hold(account=ada, amount="10.00")
    again = Transfer(id=paid.id, source=ada, target=bob, amount_minor=2500, currency="EUR", journal_id=paid.id)
    aside = Hold(id=hold.id, account=ada, amount_minor=500, currency="EUR")
    for row in (again, aside):
        assert_against_the_law(lambda row=row: type(row).objects.bulk_create([row], ignore_conflicts=True))


@pytest.mark.postgres
@pytest.mark.parametrize(
    "clause",
    [
        "ON CONFLICT DO NOTHING",
        "ON CONFLICT (id) DO NOTHING",
        "ON CONFLICT (number) DO NOTHING",
        "ON CONFLICT (id) DO UPDATE SET kind = 'y' WHERE false",
    ],
)
def test_no_conflict_clause_drops_a_transfer_whose_money_has_moved(ada, bob, clause):
    paid = make_transfer(source=ada, target=bob, amount="10.00")
    assert_against_the_law(lambda: sql(f"INSERT {copied(Transfer, paid)} {clause}"))


@pytest.mark.postgres
@pytest.mark.parametrize(
    "clause", ["ON CONFLICT DO NOTHING", "ON CONFLICT (id) DO UPDATE SET currency = 'USD' WHERE false"]
)
def test_no_conflict_clause_drops_a_hold_whose_money_was_set_aside(ada, clause):
    hold = make_hold(account=ada, amount="10.00")
    assert_against_the_law(lambda: sql(f"INSERT {copied(Hold, hold)} {clause}"))


sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="The clauses are SQLite's.")
ROWID = {"id": "lower(hex(randomblob(16)))", "rowid": "rowid"}


@sqlite_only
@pytest.mark.parametrize("clause", ["REPLACE", "IGNORE", "FAIL", "ABORT", "ROLLBACK"])
def test_no_conflict_clause_of_sqlite_replaces_or_skips_a_transfer_or_a_hold(ada, bob, clause):
    paid, hold = make_transfer(source=ada, target=bob), make_hold(account=ada)
    fresh_start = {"number": 0, "source_version": 0, "target_version": 0}
    new = {"id": "lower(hex(randomblob(16)))"}
    if clause in ("REPLACE", "ROLLBACK"):  # a ROLLBACK would end the transaction of this test, were it obeyed
        new = {}
    assert_against_the_law(lambda: sql(f"INSERT OR {clause} {copied(Transfer, paid, **fresh_start, **new)}"))
    assert_against_the_law(lambda: sql(f"INSERT OR {clause} {copied(Hold, hold, **new)}"))


@sqlite_only
def test_nothing_is_replaced_by_a_row_of_the_same_place_or_the_same_number(ada, bob):
    paid, hold = make_transfer(source=ada, target=bob), make_hold(account=ada)
    payment = services.request_deposit(key=key(), account_id=ada.id, amount=eur(5), owner_id=ada.owner_id)
    services.seal()
    anew = {"balance_minor": 0, "held_minor": 0, "version": 0, "posted_at": "NULL"}
    pending = {"state": "'pending'", "transfer_id": "NULL"}
    zero = {"source_version": 0, "target_version": 0}
    house = Account.objects.get(role="cash_in")
    for model, row, fields in (
        (Account, ada, anew),
        (Account, ada, anew | {"is_default": 0} | ROWID),
        (Account, ada, anew | {"id": ROWID["id"]}),  # another default account of the same owner
        (Account, house, anew | {"id": ROWID["id"]}),  # another account of the same role
        (Transfer, paid, zero | {"number": 0} | ROWID),
        (Transfer, paid, zero | {"number": "number", "id": ROWID["id"]}),
        (Hold, hold, ROWID),
        (Payment, payment, pending),
        (Payment, payment, pending | ROWID),
        (Seal, Seal.objects.get(), {}),
        (Seal, Seal.objects.get(), {"id": "id + 1"}),
        (HoldEvent, hold.events.get(), {}),
    ):
        statement = f"INSERT OR REPLACE {copied(model, row, **fields)}"
        assert_against_the_law(lambda statement=statement: sql(statement))


@sqlite_only
def test_no_account_is_replaced_by_an_update_of_another(ada):
    other = Account(owner_id=ada.owner_id, currency="EUR")
    other.save(force_insert=True)
    for change in (
        "is_default = 1",
        f"id = '{ada.id.hex}'",
        f"rowid = (SELECT rowid FROM holdfast_wallet_account WHERE id = '{ada.id.hex}')",
    ):
        statement = f"UPDATE OR REPLACE holdfast_wallet_account SET {change} WHERE id = %s"
        assert_against_the_law(lambda statement=statement: sql(statement, other.id))


@sqlite_only
def test_no_hold_or_payment_is_replaced_by_an_update_of_another(ada):
    holds = [make_hold(account=ada) for _ in range(2)]
    first, second = (
        services.request_withdrawal(key=key(), account_id=ada.id, amount=eur(1), owner_id=ada.owner_id)
        for _ in range(2)
    )
    place = "rowid = (SELECT rowid FROM {table} WHERE id = '{id}')"
    for table, (one, other), change in (
        ("holdfast_wallet_hold", holds, place),
        ("holdfast_wallet_payment", (first, second), place),
        ("holdfast_wallet_payment", (first, second), f"hold_id = '{first.hold_id.hex}'"),
        ("holdfast_wallet_payment", (first, second), f"transfer_id = '{first.transfer_id.hex}'"),
    ):
        statement = f"UPDATE OR REPLACE {table} SET {change.format(table=table, id=one.id.hex)} WHERE id = %s"
        assert_against_the_law(lambda statement=statement, other=other: sql(statement, other.id))


@sqlite_only
def test_nobody_uses_up_the_numbers(ada, bob):
    paid = make_transfer(source=ada, target=bob)
    chosen = {"id": ROWID["id"], "number": 2**63 - 1, "source_version": 0, "target_version": 0}
    assert_against_the_law(lambda: sql(f"INSERT {copied(Transfer, paid, **chosen)}"))
    assert make_transfer(source=ada, target=bob).number == paid.number + 1


@sqlite_only
def test_amounts_are_integers(ada, bob):
    hold = make_hold(account=ada)
    payment = services.request_deposit(key=key(), account_id=ada.id, amount=eur(5), owner_id=ada.owner_id)
    pending = {"id": ROWID["id"], "state": "'pending'", "transfer_id": "NULL", "amount_minor": 1.5}
    for statement in (
        f"INSERT {copied(Hold, hold, id=ROWID['id'], amount_minor=1.5)}",
        f"INSERT {copied(Payment, payment, **pending)}",
        "UPDATE holdfast_wallet_account SET overdraft_limit_minor = 0.5",
        "UPDATE holdfast_wallet_account SET maximum_balance_minor = 20000.5",
        "UPDATE holdfast_wallet_account SET maximum_balance_minor = 'much'",
    ):
        assert_against_the_law(lambda statement=statement: sql(statement))


def test_what_is_held_stays_an_integer(db):
    house = services.open_system_account(role="big", currency="EUR")
    many = [Hold(account=house, currency="EUR", amount_minor=10**18) for _ in range(10)]
    with pytest.raises(DatabaseError), transaction.atomic():
        Hold.objects.bulk_create(many)
    assert fresh(house).held_minor == 0
    assert findings() == []


def test_a_clock_that_is_set_back_disorders_no_lines_and_stops_no_sealing(ada, bob):
    paid = make_transfer(source=ada, target=bob)
    later = paid.recorded_at + dt.timedelta(hours=1)
    with unlocked_ledger():  # what the ledger looks like after the clock was an hour ahead
        Transfer.objects.filter(id=paid.id).update(recorded_at=later)
        Account.objects.filter(id__in=[ada.id, bob.id]).update(posted_at=later)
    carol = make_account()
    for source, target in ((ada, carol), (bob, ada), (carol, bob)):
        assert make_transfer(source=source, target=target).recorded_at == later
    assert fresh(ada).posted_at == fresh(carol).posted_at == later
    assert services.seal() > 0


def test_nobody_sets_the_time_of_the_last_transfer(ada):
    assert_against_the_law(lambda: Account.objects.filter(id=ada.id).update(posted_at=timezone.now()))
    assert_against_the_law(lambda: Account.objects.filter(id=ada.id).update(posted_at=None))
    born = Account(owner=make_owner(), currency="EUR", posted_at=timezone.now())
    assert_against_the_law(lambda: born.save(force_insert=True))


@pytest.mark.parametrize("moment", ["infinity", "-infinity"])
def test_nothing_counts_from_or_lasts_until_the_end_of_time(ada, bob, moment):
    paid, hold = make_transfer(source=ada, target=bob), make_hold(account=ada)
    new, never = {"id": f"'{literal(key())}'"}, f"'{moment}'"
    unposted = {"number": 0, "source_version": 0, "target_version": 0}
    for statement in (
        f"INSERT {copied(Transfer, paid, effective_at=never, **new, **unposted)}",
        f"INSERT {copied(Hold, hold, expires_at=never, **new)}",
    ):
        assert_against_the_law(lambda statement=statement: sql(statement))


@pytest.fixture
def pending(ada, settings):
    """A withdrawal on its way."""
    settings.HOLDFAST_WALLET = {"PAYMENT_RAIL": {"BACKEND": "tests.wallet.test_attacks.SlowRail"}}
    return services.request_withdrawal(key=key(), account_id=ada.id, amount=eur(40), owner_id=ada.owner_id)


class SlowRail(PaymentRail):
    """It has taken the order, and says nothing more."""

    def start(self, order):
        return PaymentOutcome(state=PaymentState.PENDING, reference="taken")

    poll = start


def test_a_pending_payment_stays_what_was_asked_for(ada, bob, pending):
    stranger, paid = make_hold(account=ada), make_transfer(source=ada, target=bob)
    for change in (
        {"direction": "deposit"},
        {"account": bob},
        {"id": key()},
        {"hold": None},
        {"hold": stranger},
        {"transfer": paid},
        {"created_at": timezone.now() - dt.timedelta(days=9)},
    ):
        assert_against_the_law(lambda change=change: Payment.objects.filter(id=pending.id).update(**change))


def test_a_settled_payment_keeps_its_transfer(ada, bob):
    payment = services.request_deposit(key=key(), account_id=ada.id, amount=eur(5), owner_id=ada.owner_id)
    paid = make_transfer(source=ada, target=bob, amount="5.00")
    assert_against_the_law(lambda: Payment.objects.filter(id=payment.id).update(transfer=paid))


def test_a_payment_begins_pending(ada, bob):
    paid = make_transfer(source=ada, target=bob)
    for fields in ({"state": "settled", "transfer": paid}, {"state": "failed"}):
        born = Payment(direction="deposit", account=ada, currency="EUR", amount_minor=100, **fields)
        assert_against_the_law(lambda born=born: models.Model.save(born, force_insert=True))


def test_a_payment_is_not_deleted(pending):
    assert_against_the_law(lambda: sql("DELETE FROM holdfast_wallet_payment"))
    if connection.vendor == "postgresql":
        assert_against_the_law(lambda: sql("TRUNCATE holdfast_wallet_payment"))


@pytest.mark.postgres
def test_a_table_of_the_same_name_does_not_stand_in_for_the_accounts(ada, bob):
    sql("CREATE TEMP TABLE holdfast_wallet_account AS SELECT * FROM public.holdfast_wallet_account")
    sql("UPDATE pg_temp.holdfast_wallet_account SET balance_minor = 1000000")
    rich = Transfer(source=ada, target=bob, amount_minor=70_000, currency="EUR", journal_id=key())
    with pytest.raises(DatabaseError), transaction.atomic():
        rich.save(force_insert=True)
    sql("DROP TABLE pg_temp.holdfast_wallet_account")
    assert findings() == []


@pytest.mark.postgres
def test_a_payer_without_money_is_told_nothing_of_the_other_account(bob):
    """The other account has the lower id, and so its turn is first."""
    poor = make_account()
    sql("UPDATE holdfast_wallet_account SET maximum_balance_minor = 0 WHERE id = %s", bob.id)
    row = Transfer(source=poor, target=bob, amount_minor=100, currency="EUR", journal_id=key())
    with pytest.raises(DatabaseError, match="insufficient funds"), transaction.atomic():
        row.save(force_insert=True)
