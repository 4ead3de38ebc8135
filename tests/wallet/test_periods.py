"""Periods and cursors at their edges, and accounts that have no lines of their own."""

import base64
import datetime as dt
import json

import pytest
from django.contrib.auth.models import AnonymousUser
from rest_framework.permissions import AllowAny
from rest_framework.test import APIRequestFactory, force_authenticate

from holdfast_wallet import exceptions, selectors, services
from holdfast_wallet.api.views import AccountsView, ReleaseHoldView
from holdfast_wallet.testing import make_account, make_hold, make_owner, make_transfer
from tests.wallet.bank import eur, key
from tests.wallet.doors import Door, assert_problem, url

pytestmark = pytest.mark.django_db


def test_periods_that_follow_each_other_have_each_line_once():
    ada, bob = make_account(funds="10.00"), make_account()
    edge = make_transfer(source=ada, target=bob).recorded_at
    scope = {"account_id": bob.id, "owner_id": bob.owner_id}
    day = dt.timedelta(days=1)
    before = selectors.statement(**scope, start=edge - day, end=edge)
    after = selectors.statement(**scope, start=edge, end=edge + day)
    assert (before.line_count, before.closing) == (0, eur(0))
    assert (after.line_count, after.opening, after.closing) == (1, eur(0), eur(1))
    assert selectors.balance_at(**scope, at=edge) == eur(1)


@pytest.mark.parametrize("read", ["entries", "statement"])
def test_an_account_in_slots_says_that_its_lines_are_its_slots(read):
    house = services.open_system_account(role="till", currency="EUR", slots=3)
    payer = make_account(funds="10.00")
    make_transfer(source=payer, target=house)
    period = {} if read == "entries" else {"start": house.created_at, "end": house.created_at + dt.timedelta(days=1)}
    with pytest.raises(exceptions.AccountIsSplit):
        getattr(selectors, read)(account_id=house.id, owner_id=None, **period)
    slots = house.slot_accounts.all()
    assert sum(selectors.entries(account_id=slot.id, owner_id=None).count() for slot in slots) == 1


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_cursor_outside_of_all_time_is_no_cursor(moment):
    cursor = base64.urlsafe_b64encode(json.dumps([0, moment, str(key())]).encode()).decode().rstrip("=")
    assert_problem(Door(make_owner()).get(url("holds"), cursor=cursor), 400, "holdfast.invalid_cursor")


@pytest.mark.parametrize("user", [AnonymousUser(), None])
def test_whoever_has_no_id_is_not_the_house(user):
    class Open(AccountsView):
        permission_classes = [AllowAny]

    class OpenRelease(ReleaseHoldView):
        permission_classes = [AllowAny]

    house = services.open_system_account(role="till", currency="EUR")
    hold = make_hold(account=house, owner_may_end=True)
    reads, ends = APIRequestFactory().get("/"), APIRequestFactory().post("/", {}, format="json")
    for request in (reads, ends):
        force_authenticate(request, user=user)
    assert Open.as_view()(reads).status_code in {401, 403}
    assert OpenRelease.as_view()(ends, hold_id=hold.id).status_code in {401, 403}
