"""The lists of the pages that the browser looks at are complete: a page without a visit fails here, in no browser."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import URLPattern, resolve
from django.views.generic import TemplateView

from holdfast.testing import drain_outbox
from holdfast_wallet.testing import allow_flush
from storefront import catalog_story, defect_story, demo, market_story
from storefront.urls import urlpatterns
from tests.e2e import test_catalog, test_market, test_pages

pytestmark = pytest.mark.e2e

# What is asked for by a page that is open, and looked at in it.
PARTS = {
    "defect-lines": "defects",
    "defect-counters": "defects",
    "card-life": "card",
    "change-set-told": "change-set",
    "delivery-lines": "deliveries",
    "inbox-lines": "inbox",
    "inbox-unread": "inbox",
    "catalog-events": "inbox",
    "mailbox-lines": "mailbox",
    "mail-html": "mail",
    "order-life": "order",
    "track-life": "track",
}
# The second page of two, which a test comes to by the first one's form; a file; and what only leads on.
BY_A_FORM = {"send-confirm", "exchange-confirm"}
FILES = {"statement-csv", "shop-payout-csv", "picture"}
LEADING_ON = {"notification"}


@pytest.fixture
def told(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[None]:
    """Everything that the demo has, served to nobody."""
    settings.MAILBOX_DIR = str(tmp_path / "mails")
    for name, value in test_catalog.mail.sent_by(test_catalog.mail.MAILBOX).items():
        setattr(settings, name, value)
    demo.Story(lambda what, done, total: None).tell()
    for story in (defect_story, catalog_story, market_story):
        story.tell()
    drain_outbox()
    yield
    allow_flush()


def test_every_page_is_in_a_list_of_those_that_the_browser_looks_at(told: None):
    lists = [test_pages.OPEN, test_pages.pages_of_ada(), test_catalog.VISITORS, test_catalog.pages_of_admins()]
    lists += test_market.addresses().values()
    visited = {resolve(urlsplit(address).path).url_name for pages in lists for address in pages.values()}

    assert pages() - visited - BY_A_FORM - FILES - LEADING_ON - PARTS.keys() - cards() == set()
    assert set(PARTS.values()) <= visited | cards()


def pages() -> set[str]:
    """Return the names of the addresses that show something to who asks for them."""
    return {str(pattern.name) for pattern in urlpatterns if shows_something(pattern)}


def shows_something(pattern: URLPattern) -> bool:
    """Tell a page from a verb: a button's address, which takes a form and shows nothing by itself."""
    view = pattern.callback.view_class
    if "get" not in view.http_method_names or not hasattr(view, "get"):
        return False
    return view.get is not TemplateView.get or bool(view.template_name)


def cards() -> set[str]:
    """Return the pages of cards, whose test makes each card just before it looks at it: the addresses it names."""
    text = (Path(__file__).parent / "test_cards.py").read_text()
    addresses = re.findall(r'"(/cards/[^"]*)"', text)
    some = "0192f3a0-5f5e-7c1d-9b1e-6b6f7a646d6f"
    return {resolve(re.sub(r"\{[^}]*\}", some, address)).url_name for address in addresses}
