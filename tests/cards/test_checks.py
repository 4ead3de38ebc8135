"""What is told before anything runs."""

import pytest
from django.core.checks import run_checks
from django.db import connection

from holdfast_cards import services
from holdfast_cards.checks import check_accepted, check_engine, check_provider, check_settings
from holdfast_cards.models import Operation
from holdfast_cards.testing import make_holder
from tests.cards.doubles import KEY

BANK = {"BACKEND": "holdfast_cards.backends.bank.BankProvider", "OPTIONS": {"base_url": "http://127.0.0.1:1"}}


def ids(found):
    return [one.id for one in found]


@pytest.mark.django_db  # Django 6.1 asks SQLite whether it has JSON
def test_the_host_of_these_tests_has_nothing_to_complain_about():
    assert [one for one in run_checks() if one.id.startswith("holdfast_cards")] == []


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("a string", "E001"),
        ({"PROVIDERS": {}}, "E002"),
        ({"MODE": "sometimes"}, "E003"),
        ({"LEASE_SECONDS": "30"}, "E003"),
        ({"PROVIDER": {"BACKEND": "holdfast_cards.backends.dummy.Nobody"}}, "E004"),
        ({"PROVIDER": {**BANK, "OPTIONS": {}}}, "E004"),
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_refused(settings, value, complaint):
    settings.HOLDFAST_CARDS = value
    assert ids(check_settings()) == [f"holdfast_cards.{complaint}"]


def test_the_dummy_is_for_development(settings):
    settings.HOLDFAST_CARDS = {}
    assert ids(check_provider()) == ["holdfast_cards.W002"]


def test_a_provider_whose_lost_answers_nobody_recovers_is_warned_of(settings, use):
    settings.HOLDFAST_CARDS = {"PROVIDER": BANK}
    assert ids(check_provider()) == ["holdfast_cards.W003"]
    settings.HOLDFAST_CARDS = {"PROVIDER": {**BANK, "OPTIONS": {**BANK["OPTIONS"], "reads": True}}}
    assert ids(check_provider()) == []
    settings.HOLDFAST_CARDS = {"PROVIDER": {**BANK, "OPTIONS": {}}}
    assert ids(check_provider()) == [], "that is said by another check"


@pytest.mark.parametrize(
    ("vendor", "mode", "complaint"),
    [
        ("mysql", None, ["holdfast_cards.E005"]),
        ("sqlite", "", ["holdfast_cards.W001"]),
        ("sqlite", "immediate", []),
        ("postgresql", None, []),
    ],
)
def test_databases(monkeypatch, vendor, mode, complaint):
    monkeypatch.setattr(connection, "vendor", vendor)
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"transaction_mode": mode} if mode else {})
    assert ids(check_engine()) == complaint


@pytest.mark.django_db(transaction=True)
def test_orders_that_wait_because_the_provider_does_not_accept_us_are_told(use):
    provider = use(**KEY)
    assert check_accepted(databases=["default"]) == []
    provider.faults.append("misconfigured")
    with pytest.raises(Exception, match="does not accept us"):
        services.request_card(holder_id=make_holder().pk, color="pink")

    (told,) = check_accepted(databases=["default"])
    assert (told.id, "1 operation(s)" in told.msg) == ("holdfast_cards.W004", True)
    assert check_accepted(databases=None) == []
    services.retry_now(operation_id=Operation.objects.get().id)
    services.work()
    assert check_accepted(databases=["default"]) == []
