"""What people do, in a browser."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from benchmarks.broadcast.processes import CounterProcess
from holdfast.testing import drain_outbox
from tests.e2e.conftest import sign_in

pytestmark = pytest.mark.e2e


def test_a_newcomer_registers_tops_up_and_sends(page: Page, site: str, person: Callable[..., Any]):
    person("greta", first_name="Greta", last_name="Holm")

    page.goto(site)
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Username").fill("ada")
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_label("First name").fill("Ada")
    page.get_by_label("Password").fill("correct-horse-battery")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Hello, Ada")).to_be_visible()
    drain_outbox()

    page.reload()
    page.get_by_role("navigation", name="Move money").get_by_role("link", name="Top up").click()
    page.get_by_label("Amount").fill("200")
    page.get_by_role("button", name="Top up").click()
    expect(page.get_by_role("status")).to_contain_text("200.00 EUR arrived.")

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Wallet").click()
    page.get_by_role("navigation", name="Move money").get_by_role("link", name="Send").click()
    page.get_by_label("To").fill("greta")
    page.get_by_label("Amount").fill("48")
    page.get_by_label("Note").fill("Stoneware jug")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Is this right?")).to_be_visible()
    page.get_by_role("button", name="Send 48.00 EUR").click()
    expect(page.get_by_role("status")).to_contain_text("You sent 48.00 EUR to Greta Holm.")
    expect(page.get_by_text("Stoneware jug")).to_be_visible()


def test_a_double_click_pays_once(page: Page, site: str, person: Callable[..., Any]):
    person("ada"), person("greta")
    sign_in(page, site, "ada")
    page.goto(f"{site}/wallet/top-up/")
    page.get_by_label("Amount").fill("100")
    page.get_by_role("button", name="Top up").dblclick()
    expect(page.get_by_role("status")).to_contain_text("100.00 EUR arrived.")
    page.goto(f"{site}/wallet/")
    expect(page.get_by_role("region", name="Lately").get_by_role("link", name="Top up")).to_have_count(1)


def test_money_is_set_aside_paid_and_freed_by_keyboard_alone(page: Page, site: str, person: Callable[..., Any]):
    person("ada"), person("greta")
    sign_in(page, site, "ada")
    page.goto(f"{site}/wallet/top-up/")
    page.get_by_label("Amount").press_sequentially("100")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("100.00 EUR arrived.")
    page.goto(f"{site}/wallet/holds/")
    page.get_by_role("link", name="Set money aside").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Amount").press_sequentially("40")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("40.00 EUR are set aside.")
    page.get_by_role("link", name=re.compile("^Pay from it")).focus()
    page.keyboard.press("Enter")
    page.get_by_label("To").press_sequentially("greta")
    page.get_by_label("Amount").fill("25")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("You paid 25.00 EUR to greta.")
    page.goto(f"{site}/wallet/")
    expect(page.get_by_role("region", name="Everyday")).to_contain_text("75.00")


def test_a_refusal_is_read_out_and_keeps_what_was_typed(
    open_context: Callable[..., Any], site: str, person: Callable[..., Any]
):
    page = open_context().new_page()  # whose console tells of the 422 that this is about
    person("ada"), person("greta")
    sign_in(page, site, "ada")
    page.goto(f"{site}/wallet/send/")
    page.get_by_label("To").fill("greta")
    page.get_by_label("Amount").fill("12.345")
    page.get_by_role("button", name="Continue").click()
    field = page.get_by_label("Amount")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator(f"#{field.get_attribute('aria-describedby').split()[-1]}")).to_contain_text(
        "at most 2 decimals"
    )
    expect(page.get_by_label("To")).to_have_value("greta")


def test_the_theme_can_be_chosen_and_stays(page: Page, site: str):
    page.goto(site)
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto(f"{site}/login/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_who_looks_on_sees_a_report_and_its_count_come_by_themselves(
    page: Page, site: str, person: Callable[..., Any], open_context: Callable[..., Any], counter: CounterProcess
):
    person("ada"), person("ben")
    sign_in(page, site, "ada")
    page.goto(f"{site}/defects/")
    expect(page.get_by_role("heading", name="Nothing is broken")).to_be_visible()
    expect(page.get_by_text("In step")).to_be_visible()

    other = open_context().new_page()
    sign_in(other, site, "ben")
    other.goto(f"{site}/defects/new/")
    other.get_by_label("What is broken?").press_sequentially("The crane squeaks.")
    other.get_by_label("High").check()
    other.get_by_role("button", name="Report it").click()
    expect(other.get_by_role("status")).to_contain_text("It is written down")

    expect(page.get_by_role("link", name="The crane squeaks.")).to_be_visible()
    expect(page.get_by_text("1 on the way")).to_be_visible()
    drain_outbox()
    expect(page.get_by_text("In step")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("row", name="ben 1 0")).to_be_visible()
    page.goto("about:blank")  # a page that looks on would go on to ask a server that is gone


def test_a_defect_is_repaired_and_deleted_by_the_keyboard_alone(page: Page, site: str, person: Callable[..., Any]):
    person("ada")
    sign_in(page, site, "ada")
    page.goto(f"{site}/defects/new/")
    page.get_by_label("What is broken?").press_sequentially("The crane squeaks.")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("High")).to_be_checked()
    page.get_by_role("button", name="Report it").press("Enter")
    for button in ("Triage it", "Start the repair", "It is resolved", "Close it"):
        page.get_by_role("button", name=button).press("Enter")
    expect(page.get_by_role("listitem").filter(has_text="Closed")).to_have_attribute("aria-current", "step")
    page.get_by_role("link", name="Delete").press("Enter")
    page.get_by_role("button", name="Delete it").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Deleted.")
    expect(page.get_by_role("heading", name="Nothing is broken")).to_be_visible()
    page.goto("about:blank")


def test_the_documents_of_the_api_are_read_without_asking_anybody_else(page: Page, site: str):
    page.goto(f"{site}/schema/swagger-ui/")
    # It draws what is in sight only, and the first group is.
    expect(page.get_by_role("link", name="holdfast_defects", exact=True)).to_be_visible(timeout=30_000)
    page.goto(f"{site}/schema/redoc/")
    expect(page.get_by_role("menu").get_by_text("holdfast_wallet")).to_be_visible(timeout=30_000)
