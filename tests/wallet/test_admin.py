"""The admin: a window on the ledger, with steps that go through the services."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from holdfast_wallet import services
from holdfast_wallet.admin.sparkline import sparkline
from holdfast_wallet.models import Account, Hold, Payment, Seal, Transfer
from holdfast_wallet.testing import make_account, make_hold, make_transfer
from tests.wallet.doors import balance, digest, make_world

pytestmark = pytest.mark.django_db

MODELS = (Account, Transfer, Hold, Payment, Seal)


@pytest.fixture
def world():
    return make_world()


@pytest.fixture
def admin():
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


def page(model, name, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def messages_of(answer):
    return [str(message) for message in answer.context["messages"]]


def fill(world):
    make_hold(account=world.wallet, amount="5.00")
    services.request_deposit(
        key=world.wallet.pk, account_id=world.wallet.pk, amount=world.paid.amount, owner_id=world.ada.pk
    )
    services.seal()


@pytest.mark.parametrize("model", MODELS)
def test_each_list_and_each_page_opens(world, admin, model):
    fill(world)

    assert admin.get(page(model, "changelist")).status_code == 200
    for row in model.objects.all():
        answer = admin.get(page(model, "change", row.pk))
        assert answer.status_code == 200
        assert 'name="_save"' not in answer.content.decode()


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_added_edited_or_deleted(world, admin, model):
    fill(world)
    row = model.objects.first()
    before = digest()

    assert admin.post(page(model, "add"), {}).status_code == 403
    assert admin.post(page(model, "change", row.pk), {"name": "x", "balance_minor": "1"}).status_code == 403
    assert admin.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    admin.post(page(model, "changelist"), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert digest() == before


@pytest.mark.parametrize("model", [Account, Transfer, Hold, Payment])
def test_a_list_of_any_length_costs_the_same_number_of_queries(world, admin, django_assert_max_num_queries, model):
    fill(world)
    admin.get(page(model, "changelist"))

    def cost():
        with django_assert_max_num_queries(20) as queries:
            admin.get(page(model, "changelist"))
        return len(queries)

    few = cost()
    for _ in range(10):
        account = make_account(owner=world.ada, funds="5.00")
        make_transfer(source=account, target=world.wallet)
        hold = make_hold(account=account)
        services.request_deposit(key=hold.pk, account_id=account.pk, amount=hold.amount, owner_id=world.ada.pk)
    services.open_system_account(role="busy", currency="EUR", slots=4)
    assert cost() == few


@pytest.mark.parametrize("model", [Account, Transfer, Hold, Payment])
def test_rows_are_found_by_id_and_by_the_owners_login_and_not_by_chance(world, admin, model):
    fill(world)
    for row in model.objects.all():
        found = admin.get(page(model, "changelist"), {"q": str(row.pk)}).context["cl"].result_list
        assert row in list(found)
    ada = {row.pk for row in admin.get(page(model, "changelist"), {"q": "ada"}).context["cl"].result_list}
    assert ada
    assert list(admin.get(page(model, "changelist"), {"q": "nobody"}).context["cl"].result_list) == []
    assert list(admin.get(page(model, "changelist"), {"q": "%' OR 1=1"}).context["cl"].result_list) == []


def test_a_seal_is_found_by_the_number_of_a_transfer(world, admin):
    fill(world)
    number = Transfer.objects.order_by("number").first().number

    assert len(admin.get(page(Seal, "changelist"), {"q": str(number)}).context["cl"].result_list) == 1
    assert len(admin.get(page(Seal, "changelist"), {"q": "999999"}).context["cl"].result_list) == 0
    assert (
        len(admin.get(page(Seal, "changelist"), {"q": Seal.objects.get().digest[:12]}).context["cl"].result_list) == 1
    )


def test_an_account_shows_the_line_of_its_balance_and_its_history(world, admin):
    for _ in range(60):
        make_transfer(source=world.wallet, target=world.others, amount="0.10")

    answer = admin.get(page(Account, "change", world.wallet.pk))
    text = answer.content.decode()
    (history,) = answer.context["panels"]
    older = admin.get(page(Account, "change", world.wallet.pk), {"before": history.rows[-1][0]})

    assert "<polyline" in text
    assert [row[0] for row in history.rows] == list(range(63, 13, -1))
    assert [row[0] for row in older.context["panels"][0].rows] == list(range(13, 0, -1))
    assert older.context["panels"][0].more == ""
    assert "<polyline" in admin.get(page(Account, "changelist")).content.decode()


def test_a_transfer_shows_the_legs_of_its_transaction(world, admin):
    services.reverse(key=world.savings.pk, transfer_id=world.paid.pk, owner_id=world.bob.pk, reason="wrong order")

    legs, reversals = admin.get(page(Transfer, "change", world.paid.pk)).context["panels"]
    assert len(legs.rows) == 4
    assert [row[-1] for row in reversals.rows] == ["wrong order"]


def test_the_other_side_is_shown_with_its_owner(world, admin):
    other = make_account(owner=world.bob, name="Wallet")
    make_transfer(source=world.wallet, target=other)

    rows = admin.get(page(Transfer, "changelist")).content.decode()
    history = admin.get(page(Account, "change", other.pk)).content.decode()
    assert "ada: Wallet (EUR)" in rows
    assert "bob: Wallet (EUR)" in rows
    assert "ada: Wallet (EUR)" in history


def test_an_account_is_frozen_with_a_reason_and_unfrozen(world, admin):
    path = page(Account, "freeze", world.wallet.pk)

    assert "Nothing is paid out" in admin.get(path).content.decode()
    assert admin.post(path, {}).context["form"].errors == {"reason": ["This field is required."]}
    answer = admin.post(path, {"reason": "stolen phone", "block_credits": "on"}, follow=True)
    frozen = Account.objects.get(pk=world.wallet.pk)
    assert (frozen.state, frozen.credits_blocked) == ("frozen", True)
    assert messages_of(answer) == ["Wallet (EUR) is frozen: stolen phone"]
    assert [step["label"] for step in answer.context["steps"]] == ["Unfreeze"]

    admin.post(page(Account, "unfreeze", world.wallet.pk))
    assert Account.objects.get(pk=world.wallet.pk).state == "active"
    history = admin.get(page(Account, "history", world.wallet.pk)).content.decode()
    assert "stolen phone" in history


def test_many_accounts_are_frozen_at_once_and_who_cannot_be_is_named(world, admin):
    services.freeze_account(account_id=world.savings.pk, owner_id=world.ada.pk)
    chosen = [world.wallet.pk, world.savings.pk]

    answer = admin.post(
        page(Account, "changelist"), {"action": "freeze_selected", "_selected_action": chosen}, follow=True
    )
    assert sorted(messages_of(answer)) == [
        "Savings (EUR): The account is frozen.",
        "Wallet (EUR) is frozen: Frozen in the admin by root.",
    ]
    admin.post(page(Account, "changelist"), {"action": "unfreeze_selected", "_selected_action": chosen})
    assert not Account.objects.filter(state="frozen").exists()


def test_a_hold_is_released(world, admin):
    hold = make_hold(account=world.wallet, amount="5.00")

    answer = admin.post(page(Hold, "release", hold.pk), follow=True)
    assert messages_of(answer) == ["€5.00 of Wallet (EUR) is available again."]
    again = admin.post(page(Hold, "release", hold.pk))
    assert messages_of(again) == [f"{Hold.objects.get()}: The hold is over: it was captured, released or has expired."]
    other = make_hold(account=world.wallet)
    admin.post(page(Hold, "changelist"), {"action": "release_selected", "_selected_action": [other.pk]})
    assert Hold.objects.get(pk=other.pk).state == "released"


def test_a_transfer_is_reversed_in_part_with_a_reason_once_however_often_its_page_is_loaded(world, admin):
    path = page(Transfer, "reverse", world.paid.pk)

    def reverse(**values):
        # As after the browser's Back: the page is loaded anew, and what was typed before is sent again.
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', admin.get(path).content.decode()))
        return messages_of(admin.post(path, fields | values, follow=True))

    assert 'autocomplete="off"' in admin.get(path).content.decode()
    assert reverse(amount="0.40", reason="late") == ["€0.40 went back: late"]
    assert "went back already" in reverse(amount="0.4", reason=" late ")[0]
    assert balance(world.wallet) == "100.40"
    assert reverse(amount="0.40", reason="late, the second one") == ["€0.40 went back: late, the second one"]
    assert balance(world.wallet) == "100.80"


def test_all_of_a_transfer_is_reversed_once(world, admin):
    path = page(Transfer, "reverse", world.paid.pk)

    for _load in range(2):
        admin.post(path, {"amount": "", "reason": "wrong order"})
    assert world.paid.reversals.get().amount == world.paid.amount


@pytest.mark.parametrize("amount", ["0", "-1", "1.001", "NaN", "many", "5.00", "1e1"])
def test_a_reversal_that_is_refused_says_why_and_changes_nothing(world, admin, amount):
    path = page(Transfer, "reverse", world.paid.pk)
    before = digest()

    answer = admin.post(path, {"amount": amount, "reason": "late"})
    assert answer.status_code == 200
    assert len(messages_of(answer)) == 1
    assert digest() == before


def test_staff_who_may_only_look_see_no_buttons_and_press_none(world):
    clerk = get_user_model().objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(clerk)
    hold = make_hold(account=world.wallet)
    before = digest()

    assert client.get(page(Account, "change", world.wallet.pk)).context["steps"] == []
    assert client.post(page(Account, "freeze", world.wallet.pk), {"reason": "x"}).status_code == 403
    assert client.post(page(Hold, "release", hold.pk)).status_code == 403
    assert client.post(page(Transfer, "reverse", world.paid.pk), {"reason": "x"}).status_code == 403
    client.post(page(Account, "changelist"), {"action": "freeze_selected", "_selected_action": [world.wallet.pk]})
    client.post(page(Hold, "changelist"), {"action": "release_selected", "_selected_action": [hold.pk]})
    assert digest() == before


def test_who_is_no_staff_sees_nothing(world):
    client = Client()
    client.force_login(world.ada)

    for path in (page(Account, "changelist"), page(Account, "freeze", world.wallet.pk)):
        assert client.get(path).status_code == 302


def test_a_step_on_nothing_leads_nowhere(admin, world):
    assert admin.get(page(Transfer, "reverse", world.wallet.pk)).status_code == 404


def test_a_line_needs_two_points_and_fits_its_box():
    assert sparkline([5]) == ""
    drawn = sparkline([0, 10**18, 5 * 10**17], width=100, height=20)
    points = [tuple(map(float, pair.split(","))) for pair in re.search(r'points="([^"]+)"', drawn)[1].split()]
    assert points == [(2.0, 18.0), (50.0, 2.0), (98.0, 10.0)]
    assert 'points="2.0,10.0 98.0,10.0"' in sparkline([7, 7], width=100, height=20)
    assert "&lt;b&gt;" in sparkline([1, 2], label="<b>")
