"""The pages of the catalog in a real browser: fit for everybody, and alive while others change it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from config import mail
from holdfast.testing import drain_outbox
from holdfast_catalog_notify import selectors, services
from people.selectors import find_person
from storefront import catalog_story, demo, mailbox
from tests.e2e.conftest import sign_in, watch
from tests.e2e.looking import looking

pytestmark = pytest.mark.e2e

VISITORS = {"catalog-visitor": "/catalog/", "catalog-none": "/catalog/?q=nothing-like-this"}


@pytest.fixture
def store(site: str, person: Callable[..., Any], tmp_path: Path, settings: Any) -> str:
    """Serve the project with the catalog of the demo, its admins and their mails."""
    settings.MAILBOX_DIR = str(tmp_path / "mails")
    for name, value in mail.sent_by(mail.MAILBOX).items():
        setattr(settings, name, value)
    keeper = person(demo.ADMIN, first_name="Ane", last_name="Keeper")
    keeper.is_staff = keeper.is_superuser = True
    keeper.save()
    catalog_story.tell()
    drain_outbox()
    return site


def pages_of_admins() -> dict[str, str]:
    product = selectors.products(search="QC-110").get()
    newest = selectors.changes_of()[0]
    trainee = find_person("yuki")
    (mail, *_others) = mailbox.mails()
    return {
        "catalog": "/catalog/",
        "product": f"/catalog/products/{product.pk}/",
        "product-new": "/catalog/new/",
        "product-change": f"/catalog/products/{product.pk}/change/",
        "product-history": f"/catalog/products/{product.pk}/history/",
        "product-delete": f"/catalog/products/{product.pk}/delete/",
        "prices": "/catalog/prices/",
        "import": "/catalog/import/",
        "change-set": f"/catalog/changes/{newest.change_set_id}/",
        "changes": "/catalog/changes/",
        "deliveries": "/catalog/deliveries/",
        "inbox": "/catalog/inbox/",
        "told": "/catalog/told/",
        "reports": "/catalog/reports/",
        "reports-none": "/catalog/reports/?interval=day&start=2020-01-01&end=2020-01-31",
        "admins": "/catalog/admins/",
        "admin": f"/catalog/admins/{trainee.pk}/",
        "admin-new": "/catalog/admins/new/",
        "admin-delete": f"/catalog/admins/{trainee.pk}/delete/",
        "mailbox": "/mailbox/",
        "mail": f"/mailbox/{mail.name}/",
    }


def test_every_page_of_the_catalog_is_fit_for_everybody(
    store: str, open_context: Callable[..., Any], size: str, scheme: str, request: pytest.FixtureRequest
):
    page = open_context(size=size, scheme=scheme).new_page()
    complaints = watch(page)
    look = looking(page, request, size=size, scheme=scheme)

    product = selectors.products(search="QC-110").get()
    look.at_each(store, VISITORS | {"product-visitor": f"/catalog/products/{product.pk}/"})
    sign_in(page, store, "mara")
    look.at_each(store, pages_of_admins())
    assert complaints == []
    page.goto(f"{store}/catalog/import/")
    file = {"name": "products.csv", "mimeType": "text/csv", "buffer": b"sku,name,price,currency,brand\nX,Y,-1,EUR,Z\n"}
    page.get_by_label("CSV file").set_input_files(file)  # type: ignore[arg-type]  # a payload
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("heading", name="Broken rows")).to_be_visible()
    look.at("import-broken")
    page.goto("about:blank")

    assert look.found == {}


def test_one_changes_a_price_and_watches_the_others_being_told_who_see_it_come(
    page: Page, store: str, open_context: Callable[..., Any]
):
    yuki = open_context().new_page()
    sign_in(yuki, store, "yuki")
    yuki.goto(f"{store}/catalog/inbox/")
    yuki.evaluate("window.notReloaded = true")
    sign_in(page, store, "mara")
    page.goto(f"{store}/catalog/?q=QC-110")
    page.get_by_role("link", name="Stoneware clay, black, 10 kg").press("Enter")
    page.get_by_role("link", name="Change", exact=True).press("Enter")
    page.get_by_label("Price").fill("21.40")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Being told")).to_be_visible()
    page.evaluate("window.notReloaded = true")

    drain_outbox()
    expect(page.get_by_text("On its way")).to_have_count(5)
    services.Worker().run()
    told = page.get_by_role("complementary", name="Who is told")
    expect(told.get_by_text("Sent", exact=True)).to_have_count(5)
    expect(told.get_by_text("Theo Brandt")).to_be_visible()
    expect(told.get_by_text("Digest")).to_be_visible()
    assert page.evaluate("window.notReloaded")

    expect(yuki.get_by_role("link", name="Changed: Stoneware clay, black, 10 kg").first).to_be_visible(timeout=15_000)
    expect(yuki.get_by_text("21.40 EUR")).to_be_visible()
    expect(yuki.get_by_role("navigation", name="Main").get_by_role("link", name="Inbox 3 unread")).to_be_visible()
    assert yuki.evaluate("window.notReloaded")

    yuki.goto(f"{store}/mailbox/?to=yuki@example.org")
    yuki.get_by_role("link", name="Changed: Stoneware clay, black, 10 kg").first.click()
    mail = yuki.frame_locator("iframe")
    expect(mail.get_by_text("21.40 EUR")).to_be_visible()
    for left in (page, yuki):
        left.goto("about:blank")


def test_a_look_of_a_visitor_stands_in_the_report_a_moment_later(page: Page, store: str, browser: Browser):
    sign_in(page, store, "mara")
    product = selectors.products(search="QC-110").get()
    page.goto(f"{store}/catalog/products/{product.pk}/")
    times = page.get_by_text(re.compile(r"times in 30 days"))
    before = int(times.inner_text().split()[0])

    phone = browser.new_context(user_agent="Mozilla/5.0 (Linux; Android 16) Firefox/145.0")  # no headless one, no bot
    visitor = phone.new_page()
    visitor.goto(f"{store}/catalog/?q=QC-110")
    visitor.get_by_role("link", name="Stoneware clay, black, 10 kg").click()
    expect(visitor.get_by_role("heading", name="Stoneware clay, black, 10 kg")).to_be_visible()
    phone.close()
    services.count_views()

    page.reload()
    expect(times).to_contain_text(f"{before + 1} times in 30 days")
    page.get_by_role("link", name="Reports").click()
    page.get_by_role("link", name="Two days, by hour").click()
    expect(page.get_by_role("img", name=re.compile("How often visitors looked at products"))).to_be_visible()
    page.get_by_text("The figures").click()
    expect(page.get_by_role("table")).to_be_visible()
    page.goto("about:blank")
