"""The pages of cards in a real browser: fit for everybody, and alive without a reload."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from holdfast_cards import services
from holdfast_cards.selectors import cards_of
from holdfast_cards.testing.sandbox import Sandbox, running_sandbox
from people.selectors import find_person
from tests.e2e.conftest import sign_in
from tests.e2e.looking import looking

pytestmark = pytest.mark.e2e


@pytest.fixture
def stripe(settings: Any) -> Iterator[Sandbox]:
    """The card provider, to break."""
    with running_sandbox("stripe") as sandbox:
        options = {"base_url": sandbox.base_url, "api_key": sandbox.api_key}
        provider = {
            "BACKEND": "holdfast_cards.backends.stripe.StripeProvider",
            "OPTIONS": {**options, "designs": {"pink": "pd_pink", "black": "pd_black"}},
        }
        settings.HOLDFAST_CARDS = {**settings.HOLDFAST_CARDS, "PROVIDER": provider, "SECOND_TRY_SECONDS": 0}
        settings.CARD_SANDBOX_PAGE = f"{sandbox.server.url}/"
        yield sandbox


def test_every_page_of_cards_is_fit_for_everybody(
    site: str,
    stripe: Sandbox,
    person: Callable[..., Any],
    open_context: Callable[..., Any],
    size: str,
    scheme: str,
    request: pytest.FixtureRequest,
):
    ada = person("ada", first_name="Ada")
    page = open_context(size=size, scheme=scheme).new_page()
    look = looking(page, request, size=size, scheme=scheme)

    sign_in(page, site, "ada")
    look.at_each(site, {"cards-none": "/cards/", "card-new": "/cards/new/"})
    mine = {"holder_id": ada.pk}
    over = services.request_card(**mine, color="black").card
    services.cancel_card(card_id=over.id, **mine)
    card = services.request_card(**mine, color="pink").card
    look.at("card", f"{site}/cards/{card.id}/")
    services.activate_card(card_id=card.id, **mine)
    services.freeze_card(card_id=card.id, **mine)
    stripe.arm("cut_after")
    waiting = services.request_card(**mine, color="black").card
    look.at_each(
        site,
        {
            "card-frozen": f"/cards/{card.id}/",
            "card-lost": f"/cards/{card.id}/lost/",
            "card-end": f"/cards/{card.id}/end/",
            "card-over": f"/cards/{over.id}/",
            "card-waiting": f"/cards/{waiting.id}/",
            "cards": "/cards/",
        },
    )

    assert look.found == {}


def test_a_card_is_ordered_by_keyboard_and_its_life_moves_by_itself(
    page: Page, site: str, stripe: Sandbox, person: Callable[..., Any]
):
    person("ada", first_name="Ada")
    sign_in(page, site, "ada")
    page.goto(f"{site}/cards/new/")
    page.get_by_role("radio", name="Pink").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Black card")).to_be_visible()
    expect(page.get_by_role("img", name="Black debit card, ordered")).to_be_visible()

    (theirs,) = stripe.cards
    stripe.befall(theirs.id, "ship")
    services.refresh_cards()  # nothing is due yet
    page.get_by_role("button", name="I have it: activate it").click()
    expect(page.get_by_role("img", name="Black debit card, activated")).to_be_visible()

    # Somebody freezes it elsewhere: the open page shows it, without a reload.
    card = cards_of(holder_id=find_person("ada").pk).get()
    page.evaluate("window.notReloaded = true")
    services.freeze_card(card_id=card.id, holder_id=card.holder_id)
    expect(page.get_by_role("img", name="Black debit card, frozen")).to_be_visible(timeout=10_000)
    assert page.evaluate("window.notReloaded")
    page.get_by_role("button", name="Thaw it").click()
    expect(page.get_by_role("img", name="Black debit card, activated")).to_be_visible()
