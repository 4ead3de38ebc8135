"""Stories of pictures: sent, put in order, seen by everybody, taken away; and of what is none."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from config import uploads
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.testing import make_product, make_shop
from people.selectors import find_person
from storefront import pictures
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.django_db

Newcomer = Callable[..., Visitor]
GPS = 0x8825


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def photograph(color: str = "teal", size: tuple[int, int] = (2400, 1200), kind: str = "JPEG") -> SimpleUploadedFile:
    """A picture as a telephone makes it: lying on its side, and with the place where it was taken."""
    image, content = Image.new("RGB", size, color), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif.get_ifd(GPS)[1] = "N"
    image.save(content, kind, exif=exif)
    return SimpleUploadedFile(f"bowl.{kind.lower()}", content.getvalue())


def send(visitor: Visitor, address: str, picture: Any, alt: str = "A bowl", *, status: int = 200) -> Visitor:
    visitor.page = visitor.client.post(address, {"picture": picture, "alt": alt}, follow=True)
    assert visitor.page.status_code == status, visitor.text
    return visitor


def images_of(product: Any) -> list[tuple[str, str]]:
    return [(one.url, one.alt) for one in selectors.get_offer(product_id=product.pk).images.all()]


def room(product: Any) -> str:
    return f"/workshop/{product.shop_id}/products/{product.pk}/pictures/"


def test_a_picture_is_sent_and_seen_wherever_the_product_is(greta: Visitor, bowls: Any, files: Path):
    assert "No picture yet" in greta.open(room(bowls)).text
    send(greta, room(bowls), photograph())

    ((url, alt),) = images_of(bowls)
    assert (url.startswith("http://testserver/pictures/"), alt) == (True, "A bowl")
    path = url.removeprefix("http://testserver")
    anybody = Visitor("anybody")
    for page in ("/market/", f"/market/products/{bowls.pk}/", f"/market/shops/{bowls.shop_id}/"):
        assert f'src="{path}"' in anybody.open(page).text, page
    assert 'alt="A bowl"' in anybody.open(f"/market/products/{bowls.pk}/").text

    answer = anybody.client.get(path)
    assert answer["Content-Type"] == "image/webp"
    assert "immutable" in answer["Cache-Control"]
    kept = Image.open(io.BytesIO(b"".join(answer)))
    assert kept.size == (800, 1600)  # upright, and no larger than a page needs
    assert not kept.getexif()
    assert b"GPS" not in next(files.rglob("*.webp")).read_bytes()


def test_pictures_are_put_in_order_described_and_taken_away(greta: Visitor, bowls: Any, files: Path):
    for color in ("teal", "coral", "gold"):
        send(greta, room(bowls), photograph(color), f"A {color} bowl")
    (teal, _), (coral, _), (gold, _) = images_of(bowls)

    def arrange(url: str, step: str, **values: str) -> None:
        greta.page = greta.client.post(f"{room(bowls)}arrange/", {"picture": url, "step": step, **values}, follow=True)

    arrange(gold, "earlier")
    assert [url for url, _alt in images_of(bowls)] == [teal, gold, coral]
    arrange(teal, "later", alt="The first one")
    assert images_of(bowls) == [(gold, "A gold bowl"), (teal, "The first one"), (coral, "A coral bowl")]
    arrange(gold, "earlier")
    assert images_of(bowls)[0] == (gold, "A gold bowl")

    arrange(gold, "remove")
    assert [url for url, _alt in images_of(bowls)] == [teal, coral]
    assert len(list(files.rglob("*.webp"))) == 2
    assert greta.client.get(gold.removeprefix("http://testserver")).status_code == 404
    arrange(gold, "remove")
    assert "This picture is not there any more." in greta.text


def test_the_same_picture_once_more_is_still_one(greta: Visitor, bowls: Any):
    for _time in range(2):
        send(greta, room(bowls), photograph())

    assert len(images_of(bowls)) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"no picture",
        b"\xff\xd8\xff\xe0 cut off",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"",
        "half",
        "gif",
        "large",
        "heavy",
    ],
)
def test_what_is_no_picture_is_refused_and_nothing_is_kept(
    greta: Visitor, bowls: Any, files: Path, content: Any, monkeypatch: pytest.MonkeyPatch
):
    if content == "half":
        content = photograph().read()[:900]
    elif content == "gif":
        content = photograph(kind="GIF").read()
    elif content == "large":
        monkeypatch.setattr(pictures, "PIXELS_MAX", 1_000)
        content = photograph().read()
    elif content == "heavy":
        monkeypatch.setattr(pictures, "BYTES_MAX", 1_000)
        content = photograph().read()

    send(greta, room(bowls), SimpleUploadedFile("bowl.jpg", content), status=422)

    assert "picture_invalid" in greta.text or "is empty" in greta.text
    assert images_of(bowls) == []
    assert list(files.rglob("*")) == []


def test_no_more_is_read_than_anything_here_can_use(
    greta: Visitor, bowls: Any, files: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(uploads, "MAX_BYTES", 1_000)

    send(greta, room(bowls), photograph(), status=400)

    assert images_of(bowls) == []


def test_a_picture_says_what_it_shows(greta: Visitor, bowls: Any):
    send(greta, room(bowls), photograph(), alt="", status=422)

    assert images_of(bowls) == []


def test_a_product_has_so_many_pictures_and_no_more(greta: Visitor, bowls: Any, files: Path):
    many = [(f"https://pictures.example/{number}.jpg", "") for number in range(20)]
    services.set_images(product_id=bowls.pk, actor_id=bowls.shop.owner_id, images=many)
    assert "That is as many as a product has: 20." in greta.open(room(bowls)).text

    send(greta, room(bowls), photograph(), status=422)

    assert images_of(bowls) == many
    assert list(files.rglob("*.webp")) == []


def test_nobody_else_sends_or_takes_away(newcomer: Newcomer, greta: Visitor, bowls: Any, files: Path):
    send(greta, room(bowls), photograph())
    ((url, _alt),) = images_of(bowls)
    luca = newcomer("luca", role="artisan")
    mine = make_product(shop=make_shop(owner=find_person("luca")))

    send(luca, room(bowls), photograph("coral"), status=404)
    assert luca.client.post(f"{room(bowls)}arrange/", {"picture": url, "step": "remove"}).status_code == 404

    # Nor by calling another's picture his own: what he takes away is his mention of it, and not the file.
    services.set_images(product_id=mine.pk, actor_id=mine.shop.owner_id, images=[(url, "")])
    luca.client.post(f"{room(mine)}arrange/", {"picture": url, "step": "remove"})
    assert images_of(mine) == []
    assert images_of(bowls) == [(url, "A bowl")]
    assert len(list(files.rglob("*.webp"))) == 1


@pytest.mark.parametrize("name", ["0" * 32, "..", "%2e%2e", "0", "x" * 32])
def test_a_picture_that_is_not_there_is_not_found(bowls: Any, name: str):
    assert Visitor("anybody").client.get(f"/pictures/{bowls.pk}/{name}.webp").status_code == 404


def test_pictures_elsewhere_are_shown_only_over_https(greta: Visitor, bowls: Any):
    far, bare = "https://pictures.example/bowl.jpg", "http://pictures.example/bowl.jpg"
    services.set_images(product_id=bowls.pk, actor_id=bowls.shop.owner_id, images=[(far, "Far"), (bare, "Bare")])

    page = Visitor("anybody").open(f"/market/products/{bowls.pk}/").text
    assert far in page
    assert bare not in page
    assert "This address is not shown" in greta.open(room(bowls)).text
    # The policy of the pages lets them through, at the workshop, too.
    for visitor in (greta, Visitor("anybody").open("/market/")):
        assert re.search(r"img-src [^;]*https:", visitor.page["Content-Security-Policy"])
