"""An operator who never saw the code: finds what waits on the first page of the back office, and resolves it there."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from playwright.sync_api import Page, expect

from holdfast.money import Money
from holdfast.outbox import GiveUp, subscribe
from holdfast.outbox.subscriptions import subscriptions
from holdfast.testing import drain_outbox
from holdfast_artisan_shop.testing import make_order, make_product, make_shop
from holdfast_cards.selectors import open_reviews
from holdfast_cards.testing import make_card
from holdfast_catalog_notify import services as catalog
from holdfast_wallet import selectors
from holdfast_wallet import services as wallet
from holdfast_wallet.events import TransferPosted
from people.models import User
from people.selectors import find_person
from storefront import catalog_story, demo, market_story
from tests.e2e.conftest import sign_in
from tests.e2e.looking import looking

pytestmark = pytest.mark.e2e

# The lists that the first page leads to, and one row of each kind.
LISTS = {
    "office": "/admin/",
    "office-letters": "/admin/holdfast/outboxdeadletter/",
    "office-operations": "/admin/holdfast_cards/operation/",
    "office-holds": "/admin/holdfast_wallet/hold/?state__exact=open",
    "office-payments": "/admin/holdfast_artisan_shop/payment/?state__exact=failed",
    "office-orders": "/admin/holdfast_artisan_shop/order/",
    "office-accounts": "/admin/holdfast_wallet/account/",
    "office-transfers": "/admin/holdfast_wallet/transfer/",
    "office-notifications": "/admin/holdfast_catalog_notify/delivery/",
    "office-bounced": "/admin/holdfast_catalog_notify/suppression/",
    "office-defects": "/admin/holdfast_defects/defect/",
    "office-webhooks": "/admin/holdfast/webhookendpoint/",
}


@pytest.fixture
def operator(site: str, person: Callable[..., Any]) -> str:
    """Somebody to whom the back office is open, and two customers."""
    User.objects.create_superuser(demo.ADMIN, "ane@example.org", demo.PASSWORD, first_name="Ane", last_name="Keeper")
    person("ada", first_name="Ada"), person("greta", first_name="Greta")
    top_up("ada", "100.00")
    drain_outbox()
    return site


def account_of(username: str) -> Any:
    return selectors.default_account(owner_id=find_person(username).pk, currency="EUR")


def top_up(username: str, amount: str) -> None:
    account = account_of(username)
    money = Money(amount, "EUR")
    wallet.deposit(key=uuid4(), account_id=account.id, amount=money, owner_id=account.owner_id)


@pytest.fixture
def dead_letter() -> Iterator[list[bool]]:
    """A receiver that takes nothing, until it is mended."""
    before, mended = dict(subscriptions), [False]

    @subscribe(TransferPosted, name="tests.bookkeeping")
    def book(_envelope: Any) -> None:
        if not mended[0]:
            raise GiveUp("The bookkeeping has no account for this.")

    yield mended
    subscriptions.clear()
    subscriptions.update(before)


def lose_an_answer(username: str) -> None:
    """Order a card of which the provider has told nothing since."""
    card = make_card(holder=find_person(username), state="requested")
    apps.get_model("holdfast_cards.Operation").objects.filter(card=card).update(state="needs_review")


def break_a_payment(customer: str, artisan: str) -> None:
    """Complete an order whose payment the gateway has refused in the end."""
    bowl = make_product(shop=make_shop(owner=find_person(artisan)), price="20.00", stock=3)
    order = make_order(customer=find_person(customer), product=bowl, state="completed")
    broken = {"state": "failed", "reason": "The hold was gone."}
    apps.get_model("holdfast_artisan_shop.Payment").objects.filter(order=order).update(**broken)


def bounce(address: str) -> None:
    """Have a mail come back."""
    catalog.note_bounce(provider_id="m-1", address=address, reason="550 no such box", suppress=True)


def queue(page: Page, title: str) -> Any:
    return page.get_by_role("listitem").filter(has=page.get_by_role("link", name=title))


def enter(page: Page, site: str) -> None:
    sign_in(page, site, demo.ADMIN)
    page.goto(f"{site}/admin/")


def test_a_dead_letter_is_found_and_replayed(operator: str, page: Page, dead_letter: list[bool]):
    drain_outbox()
    top_up("ada", "5.00")
    drain_outbox(raise_errors=False)
    enter(page, operator)
    queue(page, "Dead letters").get_by_role("link").click()
    expect(page.get_by_text("The bookkeeping has no account for this.")).to_be_visible()

    dead_letter[0] = True
    page.get_by_role("checkbox").last.check()
    page.get_by_role("combobox").first.select_option(label="Replay")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("1 event is delivered again.")).to_be_visible()
    drain_outbox()
    page.goto(f"{operator}/admin/")
    expect(queue(page, "Dead letters")).to_contain_text("0")


def test_a_card_that_nobody_knows_of_is_reviewed(operator: str, page: Page):
    lose_an_answer("ada")
    enter(page, operator)
    queue(page, "Cards to review").get_by_role("link").click()
    page.get_by_role("row").filter(has_text="Issue").get_by_role("link").first.click()
    page.get_by_role("link", name="It had no effect").click()
    page.get_by_role("button", name="It had no effect").click()
    expect(page.get_by_text("The operation has ended.")).to_be_visible()
    page.goto(f"{operator}/admin/")
    expect(queue(page, "Cards to review")).to_contain_text("0")


def test_a_hold_that_waits_is_released(operator: str, page: Page):
    account = account_of("ada")
    wallet.place_hold(key=uuid4(), account_id=account.id, amount=Money("40.00", "EUR"), owner_id=account.owner_id)
    enter(page, operator)
    queue(page, "Open holds").get_by_role("link").click()
    page.get_by_role("row").filter(has_text="40.00").get_by_role("link").first.click()
    page.get_by_role("link", name="Release").click()
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text("is available again.")).to_be_visible()
    assert account_of("ada").available == Money("100.00", "EUR")


def test_a_payment_that_broke_is_tried_again(operator: str, page: Page):
    break_a_payment("ada", "greta")
    enter(page, operator)
    queue(page, "Payments that broke").get_by_role("link").click()
    page.get_by_role("row").filter(has_text="20.00").get_by_role("link").first.click()
    page.get_by_role("link", name="Try again").click()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("The gateway is asked once more.")).to_be_visible()
    page.goto(f"{operator}/admin/")
    expect(queue(page, "Payments that broke")).to_contain_text("0")


def test_an_address_that_bounced_is_mailed_again(operator: str, page: Page):
    bounce("ada@example.org")
    enter(page, operator)
    queue(page, "Addresses that bounced").get_by_role("link").click()
    page.get_by_role("link", name="ada@example.org").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Yes").click()
    page.goto(f"{operator}/admin/")
    expect(queue(page, "Addresses that bounced")).to_contain_text("0")


def test_every_page_of_the_back_office_is_fit_for_everybody(
    town: str,
    open_context: Callable[..., Any],
    size: str,
    scheme: str,
    request: pytest.FixtureRequest,
    dead_letter: list[bool],
):
    dead_letter[0] = True
    catalog_story.tell()
    market_story.tell()
    drain_outbox()
    dead_letter[0] = False
    top_up("ada", "5.00"), top_up("ben", "8.00")
    drain_outbox(raise_errors=False)
    lose_an_answer("ada")
    break_a_payment("ben", "greta")
    bounce("old@example.org")
    page = open_context(size=size, scheme=scheme).new_page()
    look = looking(page, request, size=size, scheme=scheme)
    sign_in(page, town, demo.ADMIN)
    hold = selectors.holds_of(owner_id=find_person("ada").pk).filter(state="open").first()
    review = open_reviews().get()
    rows = {
        "office-hold": f"/admin/holdfast_wallet/hold/{hold.pk}/change/",
        "office-operation": f"/admin/holdfast_cards/operation/{review.pk}/change/",
        "office-step": f"/admin/holdfast_cards/operation/{review.pk}/adopt/",
    }

    look.at_each(town, LISTS | rows)
    page.goto(f"{town}{LISTS['office-letters']}")
    page.locator("[name=_selected_action]").first.check()
    look.at("office-letters")

    assert look.found == {}
