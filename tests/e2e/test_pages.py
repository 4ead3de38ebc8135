"""Each page, at each size, at day and at night: nothing serious for axe, nothing sticks out, nothing complains."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from holdfast_defects import selectors as defect_selectors
from holdfast_wallet import selectors
from people.selectors import find_person
from storefront.views.home import HomeView
from tests.e2e.conftest import sign_in, watch
from tests.e2e.looking import looking

pytestmark = pytest.mark.e2e

OPEN = {"home": "/", "register": "/register/", "login": "/login/"}


def pages_of_ada() -> dict[str, str]:
    account = selectors.default_account(owner_id=find_person("ada").pk, currency="EUR")
    newest = selectors.entries(account_id=account.id, owner_id=account.owner_id)[0]
    hold = selectors.holds_of(owner_id=account.owner_id).filter(state="open", owner_may_end=True).first()
    defect = defect_selectors.defects(user_id=account.owner_id).first()
    return {
        "wallet": "/wallet/",
        "account": f"/wallet/accounts/{account.id}/",
        "statement": f"/wallet/accounts/{account.id}/statement/",
        "receipt": f"/wallet/transfers/{newest.transfer_id}/",
        "open-account": "/wallet/open/",
        "top-up": "/wallet/top-up/",
        "pay-out": "/wallet/pay-out/",
        "send": "/wallet/send/",
        "exchange": "/wallet/exchange/",
        "set-aside": "/wallet/holds/",
        "set-aside-new": "/wallet/holds/new/",
        "set-aside-pay": f"/wallet/holds/{hold.id}/pay/",
        "activity": "/activity/",
        "defects": "/defects/",
        "defects-none": "/defects/?q=nothing-like-this",
        "defect": f"/defects/{defect.id}/",
        "defect-new": "/defects/new/",
        "defect-change": f"/defects/{defect.id}/change/",
        "defect-delete": f"/defects/{defect.id}/delete/",
        "profile": "/profile/",
        "password": "/profile/password/",
    }


def confirm_sending(page: Page, site: str) -> None:
    page.goto(f"{site}/wallet/send/")
    page.get_by_label("To").fill("greta")
    page.get_by_label("Amount").fill("48")
    page.get_by_role("button", name="Continue").click()


def confirm_exchange(page: Page, site: str) -> None:
    page.goto(f"{site}/wallet/exchange/")
    page.get_by_label("Amount").fill("20")
    page.get_by_role("button", name="Show me the rate").click()


def be_refused(page: Page, site: str) -> None:
    page.goto(f"{site}/wallet/pay-out/")
    page.get_by_label("Amount").fill("999999")
    page.get_by_role("button", name="Pay out").click()


def test_every_page_is_fit_for_everybody(
    town: str, open_context: Callable[..., Any], size: str, scheme: str, request: pytest.FixtureRequest
):
    page = open_context(size=size, scheme=scheme).new_page()
    look = looking(page, request, size=size, scheme=scheme)

    look.at_each(town, OPEN)
    sign_in(page, town, "ada")
    complaints = watch(page)
    for name, address in pages_of_ada().items():
        page.goto(town + address)
        if name == "defects":
            page.get_by_text("In step").wait_for()
        look.at(name)
    confirm_sending(page, town)
    look.at("send-confirm")
    confirm_exchange(page, town)
    look.at("exchange-confirm")
    assert complaints == []
    be_refused(page, town)
    look.at("refused")

    assert look.found == {}


def test_every_page_that_says_no_is_fit_for_everybody(
    site: str,
    person: Callable[..., Any],
    open_context: Callable[..., Any],
    size: str,
    scheme: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
):
    person("ada", first_name="Ada")
    page = open_context(size=size, scheme=scheme).new_page()
    look = looking(page, request, size=size, scheme=scheme)
    look.at("not-found", f"{site}/nowhere/")

    page.goto(f"{site}/login/")
    page.context.clear_cookies()  # as if somebody else had signed in since
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="This form was open for too long")).to_be_visible()
    look.at("form-too-old")

    settings.SIGN_IN_ATTEMPTS = 0
    sign_in(page, site, "ada")
    expect(page.get_by_text("too many attempts")).to_be_visible()
    look.at("too-many-attempts")

    settings.SIGN_IN_ATTEMPTS = 10
    sign_in(page, site, "ada")
    look.at("not-allowed", f"{site}/catalog/admins/")
    expect(page.get_by_role("heading", name="This is not for you")).to_be_visible()

    monkeypatch.setattr(HomeView, "get", break_down)
    look.at("broken", f"{site}/")
    expect(page.get_by_role("heading", name="Something broke on our side")).to_be_visible()

    assert look.found == {}


def break_down(*_args: Any, **_kwargs: Any) -> None:
    raise RuntimeError("On purpose.")
