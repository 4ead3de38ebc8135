"""The commands: thin doors for operators and schedulers."""

import csv
import dataclasses
import datetime as dt
import io
import json
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import override_settings
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast.money import Money
from holdfast_wallet import services
from holdfast_wallet.management.progress import ProgressBar
from holdfast_wallet.models import Account, Hold, Payment, Seal, Transfer
from holdfast_wallet.testing import make_account, make_hold, make_transfer, unlocked_ledger
from tests.wallet.doors import make_world

pytestmark = pytest.mark.django_db

PENDING = {"PAYMENT_RAIL": {"BACKEND": "holdfast_wallet.backends.dummy.DummyRail", "OPTIONS": {"outcome": "pending"}}}


def run(*arguments: str, **options: object) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def forge(transfer: Transfer) -> None:
    """Do what no door lets anybody do."""
    with unlocked_ledger():
        Transfer.objects.filter(pk=transfer.pk).update(amount_minor=transfer.amount_minor + 1)


def test_verify_passes_a_ledger_that_is_right():
    make_world()

    assert "The ledger is right" in run("wallet_verify")
    assert json.loads(run("wallet_verify", "--json"))["ok"] is True


def test_verify_says_exactly_what_is_wrong_and_fails():
    world = make_world()
    run("wallet_seal")
    forge(world.paid)
    out = io.StringIO()

    with pytest.raises(CommandError, match="wrong in") as failure:
        call_command("wallet_verify", stdout=out, stderr=io.StringIO())
    assert failure.value.returncode == 1
    assert str(world.paid.pk) in out.getvalue()
    assert "expected" in out.getvalue()

    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("wallet_verify", "--json", stdout=out, stderr=io.StringIO())
    document = json.loads(out.getvalue())
    assert document["ok"] is False
    assert str(world.paid.pk) in {finding["transfer_id"] for finding in document["findings"]}


def test_verify_draws_its_progress_where_somebody_looks():
    make_world()
    err = io.StringIO()

    call_command("wallet_verify", "--progress", stdout=io.StringIO(), stderr=err)
    assert "100%" in err.getvalue()


def test_a_bar_is_drawn_over_itself_and_not_into_files():
    drawn, silent = io.StringIO(), io.StringIO()
    bar, mute = ProgressBar(drawn, shown=True), ProgressBar(silent)
    for one in (bar, mute):
        one.show("versions", 50, 200)
        one.show("versions", 50, 200)
        one.show("none", 0, 0)
        one.clear()
        one.clear()

    assert silent.getvalue() == ""
    assert drawn.getvalue().count("25%  50 of 200") == 1
    assert drawn.getvalue().endswith("\r")


def test_seal_seals_what_is_new():
    make_world()

    assert run("wallet_seal").strip() == f"{Transfer.objects.count()} transfer(s) sealed."
    assert run("wallet_seal").strip() == "0 transfer(s) sealed."
    assert Seal.objects.count() == 1


def test_expire_holds_ends_all_that_are_due():
    account = make_account(funds="10.00")
    soon = timezone.now() + dt.timedelta(milliseconds=20)
    for _ in range(3):
        make_hold(account=account, expires_at=soon)
    make_hold(account=account)
    while timezone.now() <= soon + dt.timedelta(milliseconds=5):
        pass

    assert run("wallet_expire_holds", "--limit", "2").strip() == "3 hold(s) expired."
    assert Hold.objects.filter(state="open").count() == 1


def test_sync_payments_asks_about_those_that_are_due():
    account = make_account()
    with override_settings(HOLDFAST_WALLET=PENDING | {"PAYMENT_POLL_SECONDS": 0}):
        payment = services.request_deposit(
            key=account.pk,
            account_id=account.pk,
            amount=account.balance + account.balance.__class__("5.00", "EUR"),
            owner_id=account.owner_id,
        )

    assert payment.state == "pending"
    assert run("wallet_sync_payments").strip() == "1 payment(s) ended."
    assert Payment.objects.get().state == "settled"


def test_open_system_accounts_opens_what_is_missing():
    first, again = run("wallet_open_system_accounts", "EUR", "JPY"), run("wallet_open_system_accounts", "EUR", "JPY")
    busy = run("wallet_open_system_accounts", "EUR", "--role", "shop", "--slots", "4")

    assert first == again
    assert len(first.splitlines()) == 10
    assert Account.objects.get(pk=busy.split()[0]).slots == 4
    with pytest.raises(CommandError, match="no such currency"):
        run("wallet_open_system_accounts", "XYZ")


def test_a_statement_is_written_as_csv(tmp_path):
    world = make_world()
    make_transfer(source=world.wallet, target=world.others, amount="12.30")
    path = tmp_path / "statement.csv"

    run("wallet_statement", str(world.wallet.pk), "--output", str(path))
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert [row["amount"] for row in rows] == ["100.00", "-1.00", "1.00", "-12.30"]
    assert rows[-1]["balance"] == "87.70"
    assert run("wallet_statement", str(world.wallet.pk)) == path.read_text()
    assert run("wallet_statement", str(world.wallet.pk), "--end", "2000-01-01").count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [["not-a-uuid"], ["018f0000-0000-7000-8000-000000000000"], [None, "--start", "yesterday"], [None, "--end", "1"]],
)
def test_a_statement_that_cannot_be_made_says_why(arguments):
    account = make_account()

    with pytest.raises(CommandError):
        run("wallet_statement", *(str(account.pk) if one is None else one for one in arguments))


@pytest.mark.skipif(connection.vendor != "sqlite", reason="It is about SQLite.")
def test_sqlite_has_no_roles_to_harden():
    with pytest.raises(CommandError, match="no roles"):
        run("wallet_harden", "--role", "app")


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def wallet_app(db):
    """The role that an application connects as, with all the rights that somebody careless gave it."""
    execute(
        "CREATE ROLE wallet_app",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO wallet_app",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO wallet_app",
    )
    return "wallet_app"


@contextmanager
def acting_as(role):
    execute(f"SET ROLE {role}")
    try:
        yield
    finally:
        execute("RESET ROLE")


@pytest.mark.postgres
def test_a_hardened_role_does_all_that_the_application_does(wallet_app):
    world = make_world()
    assert 'holdfast_wallet_transfer: wallet_app has SELECT, INSERT ("id",' in run(
        "wallet_harden", "--role", wallet_app
    )

    with acting_as(wallet_app):
        make_transfer(source=world.wallet, target=world.others, amount="2.00")
        there = services.TransferRequest(
            key=uuid7(),
            source_id=world.wallet.pk,
            target_id=world.others.pk,
            amount=Money("1", "EUR"),
            owner_id=world.ada.pk,
        )
        back = dataclasses.replace(
            there, key=uuid7(), source_id=world.others.pk, target_id=world.wallet.pk, owner_id=world.bob.pk
        )
        services.post_transfers(requests=[there, back], atomic=True)
        hold = make_hold(account=world.wallet)
        services.capture_hold(key=world.savings.pk, hold_id=hold.pk, target_id=world.others.pk, owner_id=world.ada.pk)
        services.release_hold(hold_id=make_hold(account=world.wallet).pk, owner_id=world.ada.pk)
        services.reverse(key=world.others.pk, transfer_id=world.paid.pk, owner_id=world.bob.pk)
        for request in (services.request_deposit, services.request_withdrawal):
            request(key=uuid7(), account_id=world.wallet.pk, amount=Money("1", "EUR"), owner_id=world.ada.pk)
        services.rename_account(account_id=world.wallet.pk, owner_id=world.ada.pk, name="Mine")
        services.freeze_account(account_id=world.wallet.pk, owner_id=world.ada.pk)
        services.unfreeze_account(account_id=world.wallet.pk, owner_id=world.ada.pk)
        account = services.open_account(owner_id=world.ada.pk, currency="USD")
        services.close_account(account_id=account.pk, owner_id=world.ada.pk)
        services.seal()
        assert [step for step in services.verify() if isinstance(step, services.Finding)] == []


FORGERIES = {
    "a line": ["UPDATE holdfast_wallet_transfer SET amount_minor = 1"],
    "a line less": ["DELETE FROM holdfast_wallet_transfer"],
    "a line of one's own": [
        """INSERT INTO holdfast_wallet_transfer SELECT (jsonb_populate_record(line, jsonb_build_object(
           'id', gen_random_uuid(), 'number', 0))).* FROM holdfast_wallet_transfer AS line""",
    ],
    "a posted line from a trigger": [
        "CREATE TEMP TABLE mine (i int)",
        """CREATE FUNCTION pg_temp.forge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           INSERT INTO public.holdfast_wallet_transfer SELECT (jsonb_populate_record(line, jsonb_build_object(
           'id', gen_random_uuid(), 'number', line.number + 1000, 'source_version', 900, 'target_version', 900))).*
           FROM public.holdfast_wallet_transfer AS line; RETURN NEW; END $$""",
        "CREATE TRIGGER forge BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION pg_temp.forge()",
        "INSERT INTO mine VALUES (1)",
    ],
    "no seals": ["TRUNCATE holdfast_wallet_seal"],
    "no accounts": ["DELETE FROM holdfast_wallet_account"],
    "another history": ["UPDATE holdfast_wallet_holdevent SET amount_minor = 1"],
    "more history": ["INSERT INTO holdfast_wallet_holdevent SELECT * FROM holdfast_wallet_holdevent"],
    "no triggers": ["ALTER TABLE holdfast_wallet_transfer DISABLE TRIGGER ALL"],
    "no triggers for the session": ["SET session_replication_role = replica"],
    "a balance": ["UPDATE holdfast_wallet_account SET balance_minor = 500"],
    "a balance with the switch": [
        "SET LOCAL holdfast_wallet.unlocked = 'on'",
        "UPDATE holdfast_wallet_account SET balance_minor = 500",
    ],
    "an owner with the switch": [
        "SET LOCAL holdfast_wallet.unlocked = 'on'",
        "UPDATE holdfast_wallet_account SET overdraft_limit_minor = -5",
    ],
    "a balance from a trigger": [
        "CREATE TEMP TABLE mine (i int)",
        """CREATE FUNCTION pg_temp.forge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           UPDATE public.holdfast_wallet_account SET balance_minor = balance_minor + 500; RETURN NEW; END $$""",
        "CREATE TRIGGER forge BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION pg_temp.forge()",
        "INSERT INTO mine VALUES (1)",
    ],
    "the law on a table of one's own": [
        "CREATE TEMP TABLE mine (LIKE public.holdfast_wallet_transfer)",
        "CREATE TRIGGER post BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION holdfast_wallet_transfer_post()",
        "INSERT INTO mine SELECT * FROM public.holdfast_wallet_transfer",
    ],
    "another trigger on the ledger": [
        "CREATE FUNCTION pg_temp.drop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "CREATE TRIGGER zzz BEFORE INSERT ON holdfast_wallet_transfer FOR EACH ROW EXECUTE FUNCTION pg_temp.drop()",
    ],
    "a capture without a transfer": [
        "SELECT holdfast_wallet_capture(row) FROM holdfast_wallet_transfer AS row",
    ],
}


@pytest.mark.postgres
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_hardened_role_forges_nothing(wallet_app, forgery):
    world = make_world()
    make_hold(account=world.wallet)
    run("wallet_harden", "--role", wallet_app)
    with (
        acting_as(wallet_app),
        pytest.raises(DatabaseError, match=r"permission denied|must be owner|is refused"),
        transaction.atomic(),
    ):
        execute(*FORGERIES[forgery])


@pytest.mark.postgres
def test_a_hold_is_not_ended_without_its_money_by_a_role_that_sets_the_switch(wallet_app):
    world = make_world()
    hold = make_hold(account=world.wallet, amount="3.00")
    run("wallet_harden", "--role", wallet_app)
    with acting_as(wallet_app), unlocked_ledger():
        services.release_hold(hold_id=hold.pk, owner_id=world.ada.pk)
    world.wallet.refresh_from_db(fields=["held_minor"])
    assert [step for step in services.verify() if isinstance(step, services.Finding)] == []


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("grant", "left"),
    [
        ("GRANT UPDATE ON holdfast_wallet_transfer TO wallet_group", r"UPDATE \(amount_minor\).* of wallet_group"),
        ("GRANT UPDATE (balance_minor) ON holdfast_wallet_account TO wallet_group", r"UPDATE \(balance_minor\)"),
        ("GRANT INSERT ON holdfast_wallet_transfer TO wallet_group", r"INSERT \(number\)"),
        ("GRANT DELETE ON holdfast_wallet_seal TO wallet_group", "DELETE ON holdfast_wallet_seal"),
        ("GRANT CREATE ON SCHEMA public TO wallet_group", "CREATE ON SCHEMA public"),
        ("GRANT EXECUTE ON FUNCTION holdfast_wallet_transfer_post() TO PUBLIC", "EXECUTE ON FUNCTION"),
        ("GRANT SET ON PARAMETER session_replication_role TO wallet_group", "session_replication_role"),
    ],
)
def test_what_a_hardened_role_has_through_others_is_named(wallet_app, grant, left):
    execute("CREATE ROLE wallet_group", "GRANT wallet_group TO wallet_app", grant)
    with pytest.raises(CommandError, match=left):
        run("wallet_harden", "--role", wallet_app)


@pytest.mark.postgres
@pytest.mark.parametrize(("role", "reason"), [("nobody_of_this_name", "no role"), (None, "superuser|owns")])
def test_a_role_from_which_nothing_can_be_taken_is_named(role, reason):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        me = cursor.fetchone()[0]

    with pytest.raises(CommandError, match=reason):
        run("wallet_harden", "--role", role or me)
