"""The market in a real browser: found on the map, bought with the keyboard, watched, prepared; fit for everybody."""

import datetime as dt
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Page, expect

from holdfast.money import Money
from holdfast.testing import drain_outbox
from holdfast_artisan_shop import selectors, services
from people.selectors import find_person
from storefront import market_story, pictures
from tests.e2e.conftest import sign_in, violations, watch

pytestmark = pytest.mark.e2e


@pytest.fixture
def market(town: str, tmp_path: Path, settings: Any) -> str:
    """Serve the town with its market, whose pictures are kept aside."""
    settings.MEDIA_ROOT = tmp_path / "kept"
    market_story.tell()
    drain_outbox()
    return town


@pytest.fixture
def kept_shop(market: str) -> str:
    """Let Greta have given codes, invited somebody, planned days off and taken pictures."""
    shop = selectors.shops().get(name="Holm Stoneware")
    mine = {"shop_id": shop.pk, "actor_id": shop.owner_id}
    services.create_coupon(**mine, code="NEIGHBORS", amount=Money(5, "EUR"), minimum=Money(30, "EUR"), max_uses=50)
    opening = services.create_coupon(**mine, code="OPENING", percent=15)
    services.end_coupon(coupon_id=opening.pk, actor_id=shop.owner_id)
    services.invite_member(**mine, user_id=find_person("jonas").pk)
    today = timezone.localdate()
    services.close_days(**mine, first_day=today + dt.timedelta(days=1), last_day=today + dt.timedelta(days=3))
    bowl = next(one for one in selectors.browse(shop_id=shop.pk) if one.name == "Tea bowl")
    images = []
    for glaze in ("sea blue", "oatmeal"):
        path = pictures.keep(product_id=bowl.pk, upload=SimpleUploadedFile("bowl.png", photograph(glaze)))
        images.append((f"{market}{path}", f"A tea bowl, {glaze}"))
    services.set_images(product_id=bowl.pk, actor_id=shop.owner_id, images=images)
    return market


GLAZES = {"sea blue": ("#2f6f93", "#9cc7dc"), "oatmeal": ("#c9b48f", "#efe4cc")}


def photograph(glaze: str) -> bytes:
    """Draw a bowl on a table by the window."""
    dark, light = GLAZES[glaze]
    size = (1200, 900)
    light_falls = Image.linear_gradient("L").resize(size).rotate(180)
    scene = Image.composite(Image.new("RGB", size, "#f3ece1"), Image.new("RGB", size, "#cfc2b0"), light_falls)
    shadow = Image.new("L", size, 0)
    ImageDraw.Draw(shadow).ellipse((330, 640, 980, 760), fill=150)
    scene.paste("#5d5145", mask=shadow.filter(ImageFilter.GaussianBlur(28)))
    body, shade = Image.new("L", size, 0), Image.linear_gradient("L").rotate(90).resize(size)
    ImageDraw.Draw(body).pieslice((300, 40, 900, 720), 0, 180, fill=255)
    ImageDraw.Draw(body).rectangle((520, 690, 680, 730), fill=255)
    scene.paste(Image.composite(Image.new("RGB", size, dark), Image.new("RGB", size, light), shade), mask=body)
    draw = ImageDraw.Draw(scene)
    draw.ellipse((300, 310, 900, 450), fill=light, outline=dark, width=5)
    draw.ellipse((325, 325, 875, 440), fill=dark)
    content = BytesIO()
    scene.filter(ImageFilter.GaussianBlur(1)).save(content, "PNG")
    return content.getvalue()


def addresses() -> dict[str, dict[str, str]]:
    """Return the pages of the market, by who looks at them."""
    shop = selectors.shops().get(name="Holm Stoneware")
    wares = {product.name: product for product in selectors.browse(shop_id=shop.pk)}
    butter = selectors.browse(text="butter")[0]
    mine = selectors.orders_of_customer(customer_id=find_person("ada").pk)
    moving, done = mine.filter(state="out_for_delivery").first(), mine.filter(state="completed").first()
    bowl = selectors.get_offer(product_id=wares["Tea bowl"].pk)
    choice = bowl.variants.all()[0]
    made = selectors.orders_of_shops(actor_id=shop.owner_id, shop_id=shop.pk, state="processing").first()
    room = f"/workshop/{shop.pk}"
    ware = f"{room}/products/{wares['Tea bowl'].pk}/"
    return {
        "": {
            "market": "/market/",
            "market-nothing": "/market/?q=nothing-like-this",
            "near": "/market/near/?radius=10",
            "near-nobody": "/market/near/?radius=1&lat=0&lng=0",
            "shop": f"/market/shops/{shop.pk}/",
            "ware": f"/market/products/{wares['Tea bowl'].pk}/",
            "ware-sold-out": f"/market/products/{butter.pk}/",
            "track": f"/track/{services.tracking_token(order_id=moving.pk)}/",
        },
        "ada": {
            "basket-empty": "/basket/",
            "orders": "/orders/",
            "order": f"/orders/{moving.pk}/",
            "order-done": f"/orders/{done.pk}/",
            "order-slot": f"/orders/{moving.pk}/slot/",
            "ware-review": f"/market/products/{done.lines.first().product_id}/",
            "ware-sale": f"/market/products/{wares['Six tea bowls'].pk}/",
            "waiting": "/market/waiting/",
        },
        "ben": {
            "basket": "/basket/",
            "checkout": "/checkout/",
            "waiting-nothing": "/market/waiting/",
            "workshop-none": "/workshop/",
        },
        "greta": {
            "workshop": "/workshop/",
            "workshop-open": "/workshop/new/",
            "workshop-orders": f"{room}/orders/",
            "workshop-order": f"{room}/orders/{made.pk}/",
            "workshop-wares": f"{room}/products/",
            "workshop-ware": ware,
            "workshop-ware-new": f"{room}/products/new/",
            "workshop-ware-change": f"{room}/products/{bowl.pk}/change/",
            "workshop-choice-new": f"{room}/products/{bowl.pk}/choices/new/",
            "workshop-choice": f"{room}/products/{bowl.pk}/choices/{choice.pk}/",
            "workshop-plan": f"{room}/plan/",
            "workshop-slots": f"{room}/slots/",
            "workshop-alerts": f"{room}/alerts/",
            "workshop-coupons": f"{room}/coupons/",
            "workshop-figures": f"{room}/figures/",
            "workshop-payouts": f"{room}/payouts/",
            "workshop-payout": f"{room}/payouts/statement/?start=2020-01-01&end={timezone.localdate()}",
            "workshop-shop": f"{room}/shop/",
            "workshop-hours": f"{room}/hours/",
            "workshop-days-off": f"{room}/days-off/",
            "workshop-members": f"{room}/members/",
            "workshop-pictures": f"{ware}pictures/",
        },
    }


def test_every_page_of_the_market_is_fit_for_everybody(
    kept_shop: str, open_context: Callable[..., Any], size: str, scheme: str, request: pytest.FixtureRequest
):
    keep = request.config.getoption("--screenshots", default=None)
    found: dict[str, list[str]] = {}
    for who, pages in addresses().items():
        page = open_context(size=size, scheme=scheme).new_page()
        if who:
            sign_in(page, kept_shop, who)
        complaints = watch(page)
        for name, address in pages.items():
            page.goto(kept_shop + address)
            page.evaluate("document.fonts.ready")
            wrong = violations(page)
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                wrong.append("The page is wider than the window.")
            if wrong:
                found[name] = wrong
            if keep:
                Path(keep).mkdir(parents=True, exist_ok=True)
                page.screenshot(path=Path(keep) / f"{name}-{size}-{scheme}.png")
        assert complaints == []

    assert found == {}


def test_a_bowl_is_found_on_the_map_and_bought_with_the_keyboard(market: str, page: Page):
    sign_in(page, market, "clara")
    page.goto(f"{market}/market/near/?radius=2")
    dot = page.get_by_role("link", name="Holm Stoneware, ").first
    dot.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Holm Stoneware")).to_be_visible()
    page.get_by_role("link", name="Tea bowl", exact=True).click()
    page.get_by_label("oatmeal").check()
    page.get_by_label("Pieces").fill("2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("It is in your basket.")

    page.get_by_role("button", name="Choose a slot and pay").click()
    total = page.get_by_text("You pay").locator("..")
    expect(total).to_contain_text("51.90")
    page.get_by_label("Coupon").fill("harbor10")
    # It is said anew with each choice, before anything is ordered.
    expect(total).to_contain_text("47.10")
    page.get_by_label("Fetched by you").first.check()
    expect(total).to_contain_text("43.20")
    page.get_by_label("Brought to you").first.check()
    expect(total).to_contain_text("47.10")
    page.get_by_label("Address").fill("27 Rue Brûlée")
    page.get_by_role("button", name="Order and set the money aside").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you!")
    # 48.00 for the bowls, 10 percent off, 3.90 for bringing them.
    expect(page.get_by_text("47.10").first).to_be_visible()

    # The page is open while the artisan works: it moves by itself.
    order = selectors.orders_of_customer(customer_id=find_person("clara").pk).first()
    services.start_order(order_id=order.pk, actor_id=order.shop.owner_id)
    expect(page.get_by_role("listitem").filter(has_text="Being made")).to_have_attribute(
        "aria-current", "step", timeout=15_000
    )


def test_an_artisan_prepares_an_order_and_takes_it_round(market: str, page: Page):
    sign_in(page, market, "greta")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Workshop").click()
    page.get_by_role("link", name="Holm Stoneware").click()
    first = page.get_by_role("article").filter(has_text="Tea bowl (oatmeal)")
    first.get_by_role("button", name="On my way").click()
    expect(page.get_by_role("status")).to_contain_text("The customer sees that it is on its way.")
    page.get_by_role("button", name="Handed over").click()
    expect(page.get_by_role("status")).to_contain_text("The money is on your account.")

    page.get_by_role("navigation", name="Rooms of the shop").get_by_role("link", name="Alerts").click()
    page.get_by_role("link", name="Six tea bowls").click()
    page.get_by_label("Pieces made").first.fill("9")
    page.get_by_role("button", name="Receive").first.click()
    expect(page.get_by_role("status")).to_contain_text("They are on the shelf.")
    page.get_by_role("navigation", name="Rooms of the shop").get_by_role("link", name="Alerts").click()
    expect(page.get_by_role("heading", name="The shelves are full enough")).to_be_visible()


def test_an_artisan_keeps_her_shop(market: str, page: Page, tmp_path: Path):
    file = tmp_path / "bowl.png"
    file.write_bytes(photograph("oatmeal"))
    sign_in(page, market, "greta")
    shop = selectors.shops().get(name="Holm Stoneware")
    bowl = selectors.browse(shop_id=shop.pk, text="tea bowl")[0]
    page.goto(f"{market}/workshop/{shop.pk}/products/{bowl.pk}/")

    page.get_by_role("link", name="Pictures").click()
    page.get_by_label("Picture").set_input_files(file)
    page.get_by_label("What it shows").fill("A bowl, seen from above")
    page.get_by_role("button", name="Send it").click()
    picture = page.get_by_role("img", name="A bowl, seen from above")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1200

    rooms = page.get_by_role("navigation", name="Rooms of the shop")
    rooms.get_by_role("link", name="Coupons").click()
    page.get_by_label("Code").fill("spring-20")
    page.get_by_label("How much").fill("20")
    page.get_by_role("button", name="Give it away").click()
    expect(page.get_by_role("strong").filter(has_text="SPRING-20")).to_be_visible()
    page.get_by_role("button", name="Take back SPRING-20").click()
    expect(page.get_by_role("status")).to_contain_text("Nobody uses it any more.")

    rooms.get_by_role("link", name="The shop").click()
    page.get_by_role("link", name="Opening hours").click()
    page.get_by_label("Sunday").fill("10-13")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Sunday")).to_have_value("10:00–13:00")

    rooms.get_by_role("link", name="The shop").click()
    page.get_by_role("link", name="Members").click()
    page.get_by_label("Username or e-mail address").fill("ada")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_role("button", name="Remove")).to_be_visible()

    rooms.get_by_role("link", name="Payouts").click()
    page.get_by_role("main").get_by_role("table").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Payout statement")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename.startswith("payout-")
