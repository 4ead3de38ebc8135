"""The commands: thin doors for operators and schedulers."""

import csv
import datetime as dt
import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone

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


@pytest.mark.postgres
def test_a_hardened_role_posts_and_cannot_rewrite():
    from django.db import DatabaseError, transaction

    world = make_world()
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE wallet_app")
        cursor.execute("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO wallet_app")
        cursor.execute("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO wallet_app")
    out = run("wallet_harden", "--role", "wallet_app")
    assert "holdfast_wallet_transfer: UPDATE, DELETE, TRUNCATE revoked from wallet_app" in out

    with connection.cursor() as cursor:
        cursor.execute("SET ROLE wallet_app")
    try:
        make_transfer(source=world.wallet, target=world.others, amount="2.00")
        hold = make_hold(account=world.wallet)
        services.capture_hold(key=world.savings.pk, hold_id=hold.pk, target_id=world.others.pk, owner_id=world.ada.pk)
        services.reverse(key=world.others.pk, transfer_id=world.paid.pk, owner_id=world.bob.pk)
        services.seal()
        for statement in (
            "UPDATE holdfast_wallet_transfer SET amount_minor = 1",
            "DELETE FROM holdfast_wallet_transfer",
            "TRUNCATE holdfast_wallet_seal",
            "DELETE FROM holdfast_wallet_account",
            "UPDATE holdfast_wallet_holdevent SET amount_minor = 1",
            "ALTER TABLE holdfast_wallet_transfer DISABLE TRIGGER ALL",
        ):
            with (
                unlocked_ledger(),
                pytest.raises(DatabaseError, match=r"permission denied|must be owner"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")


@pytest.mark.postgres
@pytest.mark.parametrize(("role", "reason"), [("nobody_of_this_name", "no role"), (None, "superuser|owns")])
def test_a_role_from_which_nothing_can_be_taken_is_named(role, reason):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        me = cursor.fetchone()[0]

    with pytest.raises(CommandError, match=reason):
        run("wallet_harden", "--role", role or me)
