"""The start-up checks: what cannot work is said before it fails, with what to do."""

import re

import pytest
from django.core import checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, connections
from django.test import override_settings

from holdfast_wallet import checks as ours
from holdfast_wallet.migrations import _law
from holdfast_wallet.testing import unlocked_ledger

FINE = {"HOLD_SECONDS": 60, "RATES": {"BACKEND": "holdfast_wallet.backends.rates.FixedRates"}}
WRONG = {
    "no dict": (["x"], "E001", "not a dict"),
    "an unknown key": ({"PAYMENT_RAIL_": {}}, "E002", "Did you mean 'PAYMENT_RAIL'?"),
    "a wrong type": ({"HOLD_SECONDS": "a week"}, "E003", "How long a hold lasts"),
    "a truth for a number": ({"SYSTEM_ACCOUNT_SLOTS": True}, "E003", "slots"),
    "a backend that is text": ({"RATES": "holdfast_wallet.backends.rates.FixedRates"}, "E003", "exchange rates"),
    "a backend that is not there": ({"FEES": {"BACKEND": "nowhere.Fees"}}, "E004", "dotted path"),
    "a class that is not there": ({"FEES": {"BACKEND": "holdfast_wallet.backends.fees.Free"}}, "E004", "dotted path"),
    "options that it does not take": (
        {"FEES": {"BACKEND": "holdfast_wallet.backends.fees.NoFees", "OPTIONS": {"percent": "1"}}},
        "E004",
        "OPTIONS",
    ),
    "a backend without a path": ({"PAYMENT_RAIL": {"OPTIONS": {}}}, "E003", "moves money"),
}


@pytest.mark.django_db  # Django 6.1 asks SQLite whether it has JSON
@pytest.mark.parametrize("case", WRONG)
def test_a_setting_that_cannot_work_is_an_error_that_says_what_to_do(case):
    value, number, words = WRONG[case]

    with override_settings(HOLDFAST_WALLET=value):
        (error,) = ours.check_settings()
        with pytest.raises(SystemCheckError, match=f"holdfast_wallet.{number}"):
            call_command("check")
    assert error.id == f"holdfast_wallet.{number}"
    assert words in f"{error.msg} {error.hint}"


def test_settings_that_work_say_nothing():
    with override_settings(HOLDFAST_WALLET=FINE):
        assert ours.check_settings() == []


@pytest.mark.parametrize(
    ("mode", "ids"), [("IMMEDIATE", []), ("exclusive", []), ("DEFERRED", ["W001"]), (None, ["W001"])]
)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="It is about SQLite.")
def test_sqlite_that_begins_as_a_reader_is_warned_of(monkeypatch, mode, ids):
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"transaction_mode": mode} if mode else {})

    warnings = ours.check_engine()
    assert [warning.id for warning in warnings] == [f"holdfast_wallet.{number}" for number in ids]
    assert all("IMMEDIATE" in warning.hint for warning in warnings)


def test_a_database_without_a_law_of_ours_is_refused(monkeypatch):
    monkeypatch.setattr(connections["default"], "vendor", "mysql")

    (error,) = ours.check_engine()
    assert error.id == "holdfast_wallet.E005"


def test_the_dummy_rail_is_warned_of_in_a_deployment():
    (warning,) = ours.check_rail()
    assert warning.id == "holdfast_wallet.W003"
    with override_settings(HOLDFAST_WALLET={"PAYMENT_RAIL": {"BACKEND": "bank.rail.Rail"}}):
        assert ours.check_rail() == []


@pytest.mark.django_db
def test_a_law_that_is_there_says_nothing():
    assert ours.check_law(databases=["default"]) == []
    assert ours.check_law(databases=None) == []


PARTS = re.findall(
    r"^CREATE (TRIGGER|RULE) (\w+)(?:.*?\bON (?:UPDATE TO )?(holdfast_wallet_\w+))",
    _law.script(connection.vendor),
    re.MULTILINE | re.DOTALL,
)


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "name", "table"), PARTS)
def test_each_part_of_the_law_that_is_lost_is_an_error(kind, name, table):
    with connection.cursor() as cursor:
        cursor.execute(f"DROP {kind} {name}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))
    (error,) = ours.check_law(databases=["default"])
    assert error.id == "holdfast_wallet.E006"
    assert error.msg.endswith(f": {name}.")
    assert "wallet_verify" in error.hint


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_part_of_the_law_that_is_disabled_is_an_error():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE holdfast_wallet_account DISABLE TRIGGER holdfast_wallet_account_money_guard")
    (error,) = ours.check_law(databases=["default"])
    assert "holdfast_wallet_account_money_guard" in error.msg


@pytest.mark.django_db
def test_a_law_that_is_switched_off_is_an_error_in_a_deployment():
    with unlocked_ledger(mode="off"):
        assert "holdfast_wallet.E007" not in {one.id for one in ours.check_hardened(databases=["default"])}
    with unlocked_ledger():
        assert "holdfast_wallet.E007" in {one.id for one in ours.check_hardened(databases=["default"])}


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_role_that_may_rewrite_the_history_is_warned_of_until_it_is_hardened():
    def found():
        return {one.id for one in ours.check_hardened(databases=["default"])}

    assert "holdfast_wallet.W002" in found()
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE wallet_app_checked")
        cursor.execute("GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO wallet_app_checked")
        cursor.execute("SET ROLE wallet_app_checked")
        try:
            assert "holdfast_wallet.W002" not in found()
        finally:
            cursor.execute("RESET ROLE")


def test_all_of_them_are_registered():
    registered = {check.__name__ for check in checks.registry.registry.get_checks(include_deployment_checks=True)}
    assert {"check_settings", "check_engine", "check_rail", "check_law", "check_hardened"} <= registered
