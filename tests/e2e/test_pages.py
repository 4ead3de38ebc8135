"""Each page, at each size, at day and at night: nothing serious for axe, nothing sticks out, nothing complains."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from holdfast_defects import selectors as defect_selectors
from holdfast_wallet import selectors
from people.selectors import find_person
from tests.e2e.conftest import sign_in, violations, watch

pytestmark = pytest.mark.e2e

OPEN = {"home": "/", "register": "/register/", "login": "/login/", "not-found": "/nowhere/"}


def pages_of_ada() -> dict[str, str]:
    account = selectors.default_account(owner_id=find_person("ada").pk, currency="EUR")
    newest = selectors.entries(account_id=account.id, owner_id=account.owner_id)[0]
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


def be_refused(page: Page, site: str) -> None:
    page.goto(f"{site}/wallet/pay-out/")
    page.get_by_label("Amount").fill("999999")
    page.get_by_role("button", name="Pay out").click()


def test_every_page_is_fit_for_everybody(
    town: str, open_context: Callable[..., Any], size: str, scheme: str, request: pytest.FixtureRequest
):
    page = open_context(size=size, scheme=scheme).new_page()
    keep = request.config.getoption("--screenshots", default=None)
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        page.evaluate("document.fonts.ready")
        if name == "defects":
            page.get_by_text("In step").wait_for()
        wrong = violations(page)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wrong.append("The page is wider than the window.")
        if wrong:
            found[name] = wrong
        if keep:
            folder = Path(keep)
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{name}-{size}-{scheme}.png")

    for name, address in OPEN.items():
        page.goto(town + address)
        look(name)
    sign_in(page, town, "ada")
    complaints = watch(page)
    for name, address in pages_of_ada().items():
        page.goto(town + address)
        look(name)
    confirm_sending(page, town)
    look("send-confirm")
    assert complaints == []
    be_refused(page, town)
    look("refused")

    assert found == {}
