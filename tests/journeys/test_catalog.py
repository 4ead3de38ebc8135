"""Stories of the catalog: what one admin changes is told to the others, what a visitor looks at is counted."""

import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from config import mail
from config.health import notifications
from holdfast.health import Health
from holdfast.testing import drain_outbox
from holdfast_catalog_notify import selectors, services
from holdfast_catalog_notify.testing import make_admin, make_brand, make_category, make_product
from people.models import User
from storefront import mailbox
from tests.journeys.visitor import PASSWORD, Visitor

pytestmark = pytest.mark.django_db

Newcomer = Callable[..., Visitor]
PHONE = "Mozilla/5.0 (Linux; Android 16) Firefox/145.0"


@pytest.fixture
def admin() -> Callable[..., Visitor]:
    """Make admins of the catalog, at the pages."""

    def make(username: str, **fields: Any) -> Visitor:
        user = make_admin(username=username, email=f"{username}@example.org", **fields)
        visitor = Visitor(username)
        visitor.client.force_login(user)
        return visitor

    return make


@pytest.fixture
def lamp() -> Any:
    return stock(sku="LAMP-1", name="Brass lamp", price="10.00", brand=make_brand(name="Acme"))


@pytest.fixture
def kept_mails(tmp_path: Path, settings: Any) -> Path:
    """The mailbox of the demo."""
    settings.MAILBOX_DIR = str(tmp_path / "mails")
    for name, value in mail.sent_by(mail.MAILBOX).items():
        setattr(settings, name, value)
    return tmp_path / "mails"


def stock(**values: Any) -> Any:
    """Make a product of which whoever comes later is not told."""
    product = make_product(**values)
    drain_outbox()
    return product


def tell() -> None:
    """Let the relay and the worker do what they do by themselves elsewhere."""
    drain_outbox()
    services.Worker().run()


def change(visitor: Visitor, product: Any, *, status: int = 200, **values: str) -> Visitor:
    return visitor.open(f"/catalog/products/{product.pk}/change/").submit(status=status, **values)


def upload(visitor: Visitor, content: str, **values: str) -> str:
    file = SimpleUploadedFile("products.csv", content.encode(), content_type="text/csv")
    visitor.page = visitor.client.post("/catalog/import/", {"file": file, "broken": "refuse", **values}, follow=True)
    return visitor.text


def unread(visitor: Visitor) -> str:
    found = re.search(r'class="count">(\d+)', visitor.open("/catalog/inbox/unread/").text)
    return found[1] if found else ""


# Being told


def test_a_price_that_one_admin_changes_reaches_the_others_and_not_himself(admin, lamp, mailoutbox, settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {**settings.HOLDFAST_CATALOG_NOTIFY, "BASE_URL": "http://testserver"}
    ada, bob, cleo = admin("ada"), admin("bob"), admin("cleo")

    change(ada, lamp, price="12.00")
    assert "Being told" in ada.text
    address = ada.address
    tell()

    assert "You are not told of what you did yourself." in ada.open(address).text
    assert ada.text.count("Sent") == 4
    assert sorted(mail.to[0] for mail in mailoutbox) == ["bob@example.org", "cleo@example.org"]
    assert "price: 10.00 EUR -> 12.00 EUR" in mailoutbox[0].body
    assert (unread(ada), unread(bob), unread(cleo)) == ("", "1", "1")
    assert "Changed: Brass lamp" in bob.open("/catalog/inbox/").text
    assert re.search(r"10\.00 EUR</del>.*12\.00 EUR</ins>", bob.text, re.DOTALL)

    note = re.search(r"/catalog/inbox/[0-9a-f-]{36}/", bob.text)[0]
    assert bob.open(note).address == address
    assert (unread(bob), unread(cleo)) == ("", "1")

    # A mailbox's own button: one POST, without a login.
    link = mailoutbox[0].extra_headers["List-Unsubscribe"].strip("<>").removeprefix("http://testserver")
    who = mailoutbox[0].to[0]
    assert Client().post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    change(ada, lamp, price="13.00")
    tell()
    assert [mail.to[0] for mail in mailoutbox[2:]] == list({"bob@example.org", "cleo@example.org"} - {who})


def test_a_change_through_the_api_is_told_like_one_at_the_pages(admin, lamp, mailoutbox):
    ada, bob = admin("ada"), admin("bob")
    user = User.objects.get(username="ada")
    user.set_password(PASSWORD)
    user.save()
    given = {"username": "ada", "password": PASSWORD}
    access = Client().post("/api/v1/auth/jwt/", given, content_type="application/json").json()["access"]
    program = Client(headers={"Authorization": f"Bearer {access}"})
    path = f"/api/v1/catalog/products/{lamp.pk}/"
    etag = program.get(path).headers["ETag"]

    answer = program.patch(
        path,
        json.dumps({"price": {"amount": "8.50", "currency": "EUR"}}),
        content_type="application/json",
        headers={"If-Match": etag},
    )
    tell()

    assert answer.status_code == 200, answer.content
    assert [mail.to for mail in mailoutbox] == [["bob@example.org"]]
    assert (unread(ada), unread(bob)) == ("", "1")
    assert "through the API" in bob.open(f"/catalog/changes/{selectors.changes_of()[0].change_set_id}/").text


def test_what_is_not_different_is_told_to_nobody(admin, lamp):
    ada = admin("ada")

    assert "there is nothing to tell" in change(ada, lamp).text
    assert selectors.changes_of(product_id=lamp.pk, actor_id=User.objects.get(username="ada").pk).count() == 0


def test_of_two_who_edit_at_once_the_second_is_told_and_keeps_his_words(admin, lamp):
    ada, bob = admin("ada"), admin("bob")
    ada.open(f"/catalog/products/{lamp.pk}/change/")
    change(bob, lamp, name="Copper lamp")

    ada.submit(status=412, name="Iron lamp")

    assert "holdfast_catalog_notify.version_outdated" in ada.text
    assert "Iron lamp" in ada.text
    assert selectors.get_product(lamp.pk).name == "Copper lamp"


@pytest.mark.parametrize(
    ("values", "status", "says"),
    [
        ({"price": "-1"}, 422, "holdfast_catalog_notify.price_negative"),
        ({"price": "ten"}, 422, "Write the amount in figures alone"),
        ({"price": "1.005"}, 422, "at most 2 decimals"),
        ({"sku": "TAKEN"}, 409, "holdfast_catalog_notify.sku_taken"),
        ({"name": "   "}, 422, "This field is required."),
        ({"name": "x" * 201}, 422, "at most 200 characters"),
        ({"brand": "01a1f963-e36c-7cfb-850f-62a35cc1a943"}, 422, "Select a valid choice."),
    ],
)
def test_what_cannot_be_is_explained_and_changes_nothing(admin, lamp, values, status, says):
    make_product(sku="TAKEN")
    ada = admin("ada")

    change(ada, lamp, status=status, **values)

    assert says in ada.text
    assert selectors.get_product(lamp.pk).version == 1


def test_many_prices_are_one_change(admin, lamp):
    stock(sku="LAMP-2", brand=lamp.brand, price="20.00"), stock(sku="OTHER", price="5.00")
    ada, bob = admin("ada"), admin("bob")

    ada.open("/catalog/prices/").submit(percent="10", brand=str(lamp.brand_id))
    tell()

    assert "2 prices are different now, as one change." in ada.text
    assert "2 products" in ada.text
    assert unread(bob) == "1"
    assert [str(one.price.amount.normalize()) for one in selectors.products().order_by("sku")] == ["11", "22", "5"]


def test_a_deleted_product_keeps_its_history(admin, newcomer, lamp):
    ada = admin("ada")
    change(ada, lamp, price="12.00")

    ada.open(f"/catalog/products/{lamp.pk}/delete/").submit()

    assert "Deleted" in ada.text
    assert "It is no longer in the catalog" in ada.open(f"/catalog/products/{lamp.pk}/history/").text
    assert ada.text.count("by ada") == 2
    ada.open(f"/catalog/products/{lamp.pk}/", status=404)


def test_a_new_product_is_there_and_told(admin, newcomer):
    ada, bob = admin("ada"), admin("bob")
    brand = make_brand(name="Acme")

    ada.open("/catalog/new/").submit(
        name="Bell", sku="BELL-1", price="7,50", currency="EUR", brand=str(brand.pk), active="on"
    )
    tell()

    assert "Bell" in Visitor("stranger").open("/catalog/").text
    assert "Created: Bell" in bob.open("/catalog/inbox/").text


def test_everybody_says_himself_how_he_is_told(admin, lamp, mailoutbox):
    other = stock(sku="OTHER", brand=make_brand(name="Loud"))
    ada, bob, cleo = admin("ada"), admin("bob"), admin("cleo")
    bob.open("/catalog/told/").submit(mode_email="off")
    assert "It holds from the next change on." in bob.text
    cleo.open("/catalog/told/").submit(mode_email="digest")
    bob.open("/catalog/told/").submit(muted=str(other.brand_id))

    change(ada, lamp, price="12.00")
    address = ada.address
    change(ada, other, price="12.00")
    tell()

    assert mailoutbox == []
    assert (unread(bob), unread(cleo)) == ("1", "2")
    assert "Digest" in ada.open(address).text


def test_a_channel_that_needs_an_address_saves_nothing_without_one(admin):
    ada = admin("ada")

    ada.open("/catalog/told/").submit(status=422, mode_email="off", mode_webhook="immediate")

    assert "holdfast_catalog_notify.address_needed" in ada.text
    modes = {one.channel: one.mode for one in selectors.preferences(user_id=User.objects.get(username="ada").pk)}
    assert (modes["email"], modes["webhook"]) == ("immediate", "off")


def test_a_dead_delivery_is_seen_and_sent_again(admin, lamp, mailoutbox):
    ada, bob = admin("ada"), admin("bob")
    User.objects.filter(username="bob").update(email="")
    change(ada, lamp, price="12.00")
    tell()

    assert "The admin has no e-mail address." in ada.open("/catalog/deliveries/?state=dead").text
    User.objects.filter(username="bob").update(email="bob@example.org")
    dead = selectors.deliveries(state="dead").get()
    ada.submit(action=f"/catalog/deliveries/{dead.pk}/replay/")
    assert "It is sent again." in ada.text
    tell()

    assert [mail.to for mail in mailoutbox] == [["bob@example.org"]]
    assert "Nothing matches" in ada.open("/catalog/deliveries/?state=dead").text
    assert unread(bob) == "1"


def test_who_reads_all_has_read_all_of_his_own(admin, lamp):
    ada, bob, cleo = admin("ada"), admin("bob"), admin("cleo")
    for price in ("11.00", "12.00"):
        change(ada, lamp, price=price)
    tell()

    bob.open("/catalog/inbox/").submit(action="/catalog/inbox/read/")

    assert (unread(bob), unread(cleo)) == ("", "2")


def test_nobody_reads_what_was_told_to_somebody_else(admin, lamp):
    ada, bob, cleo = admin("ada"), admin("bob"), admin("cleo")
    change(ada, lamp, price="12.00")
    tell()
    note = selectors.inbox(user_id=User.objects.get(username="bob").pk).get()

    cleo.open(f"/catalog/inbox/{note.pk}/", status=404)

    assert (unread(bob), unread(cleo)) == ("1", "1")


def test_who_may_do_nothing_else_reads_what_he_is_told(admin, lamp):
    ada, trainee = admin("ada"), admin("trainee", is_superuser=False)
    change(ada, lamp, price="12.00")
    tell()

    note = re.search(r"/catalog/inbox/[0-9a-f-]{36}/", trainee.open("/catalog/inbox/").text)[0]

    assert "12.00 EUR" in trainee.open(note).text
    assert "Who is told" not in trainee.text
    trainee.open(f"{trainee.address}told/", status=403)


# Looking, and being counted


def test_a_visitor_is_counted_and_seen_in_the_reports(admin, newcomer, lamp):
    ada, customer = admin("ada"), newcomer("customer")
    stranger = Client(headers={"User-Agent": PHONE})
    page, api = f"/catalog/products/{lamp.pk}/", f"/api/v1/catalog/products/{lamp.pk}/"

    for address in (page, page, api, "/catalog/"):
        assert stranger.get(address).status_code == 200
    Client(headers={"User-Agent": "Googlebot/2.1"}).get(page)
    ada.open(page), customer.open(page)
    assert "yet to be counted" in ada.open("/catalog/reports/").text
    services.count_views()

    text = ada.open("/catalog/reports/").text
    tiles = dict(re.findall(r"<dt>([^<]+)</dt><dd>(\d+)", text))
    assert tiles == {"Looked at": "3", "Visits": "1", "Shown in lists": "1", "By bots, apart": "1"}
    assert re.search(r"Brass lamp</a></span><b>3</b>", text)
    assert re.search(r"Acme</span><b>3</b>", text)
    assert "3 times in 30 days, by 1 visitor" in ada.open(page).text
    assert ada.client.get("/api/v1/catalog/reports/products/").json()["results"][0]["figures"]["retrieved"] == 3


@pytest.mark.parametrize("preset", range(5))
def test_each_report_is_drawn_and_can_be_taken_along(admin, lamp, preset):
    ada = admin("ada")
    Client(headers={"User-Agent": PHONE}).get(f"/catalog/products/{lamp.pk}/")
    services.count_views()
    presets = re.findall(r'<a href="(\?interval=[^"]+)"', ada.open("/catalog/reports/").text)

    ada.open("/catalog/reports/" + presets[preset].replace("&amp;", "&"))

    assert re.search(r"looked at 1 times?, 1 visit", ada.text)
    assert 'aria-current="true"' in ada.text
    for file in re.findall(r'href="([^"]+\.csv[^"]+)" download', ada.text):
        answer = ada.client.get(file.replace("&amp;", "&"))
        assert answer.headers["Content-Type"].startswith("text/csv"), answer.content
    assert len(presets) == 5


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("interval=day&start=2026-02-01&end=2026-01-01", "holdfast_catalog_notify.period_invalid"),
        ("interval=hour&start=2020-01-01&end=2026-01-01", "holdfast_catalog_notify.period_too_long"),
        ("interval=day&start=yesterday&end=2026-01-01", "Enter a valid date."),
        ("interval=century&start=2026-01-01&end=2026-01-01", "Select a valid choice."),
    ],
)
def test_a_report_of_no_days_says_why(admin, query, says):
    assert says in admin("ada").open(f"/catalog/reports/?{query}", status=422).text


def test_visitors_find_what_is_active_and_nothing_else(admin, lamp):
    hidden = make_product(sku="HIDDEN", name="Hidden bell", active=False)
    stranger, ada = Visitor("stranger"), admin("ada")

    assert "Brass lamp" in stranger.open("/catalog/").text
    assert "Hidden bell" not in stranger.open("/catalog/?active=no").text
    stranger.open(f"/catalog/products/{hidden.pk}/", status=404)
    assert "Hidden bell" in ada.open("/catalog/?active=no").text
    assert "Brass lamp" not in ada.text
    assert "visitors do not see it" in ada.open(f"/catalog/products/{hidden.pk}/").text


def test_the_catalog_is_searched_filtered_and_ordered(lamp):
    clay = make_category(name="Clay")
    make_product(sku="POT-1", name="Pot", price="3.00", brand=lamp.brand, category_id=clay.pk)
    make_product(sku="CUP-1", name="Cup", price="2.00")
    stranger = Visitor("stranger")

    def shown(query: str) -> list[str]:
        return re.findall(r'<h2><a href="[^"]+">([^<]+)</a>', stranger.open(f"/catalog/?{query}").text)

    assert shown("") == ["Cup", "Pot", "Brass lamp"]
    assert shown("order=name") == ["Brass lamp", "Cup", "Pot"]
    assert shown("order=dear") == ["Brass lamp", "Pot", "Cup"]
    assert shown("q=pot-") == ["Pot"]
    assert shown(f"brand={lamp.brand_id}&order=cheap") == ["Pot", "Brass lamp"]
    assert shown(f"category={clay.pk}") == ["Pot"]
    assert shown("q=nothing-like-this") == []
    assert "Nothing matches" in stranger.text
    assert len(shown("brand=nonsense&order=nonsense&category=1")) == 3
    stranger.open("/catalog/?cursor=nonsense", status=400)


@pytest.mark.parametrize("order", ["new", "name", "cheap", "dear"])
def test_a_long_catalog_is_leafed_through_and_back_without_a_gap(order):
    brand = make_brand()
    for number in range(60):
        make_product(sku=f"S{number:02}", name=f"Number {number:02}", price=f"{number % 7}.00", brand=brand)
    stranger, seen = Visitor("stranger"), []

    def leaf_through(rel: str, address: str) -> None:
        while address:
            text = stranger.open(address).text
            seen.append(re.findall(r">Number (\d\d)</a></h2>", text))
            found = re.search(rf'rel="{rel}" href="([^"]+)"', text)
            address = "/catalog/" + found[1].replace("&amp;", "&") if found else ""

    leaf_through("next", f"/catalog/?order={order}")
    forward = list(seen)
    found = re.search(r'rel="prev" href="([^"]+)"', stranger.text)
    seen.clear()
    leaf_through("prev", "/catalog/" + found[1].replace("&amp;", "&"))

    assert sorted(number for page in forward for number in page) == [f"{number:02}" for number in range(60)]
    assert seen == forward[-2::-1]


# Files


def test_a_file_with_broken_rows_is_refused_by_line_and_changes_nothing(admin, lamp):
    ada = admin("ada")
    rows = [
        "sku,name,price,currency,brand",
        "LAMP-1,Brass lamp,11.00,EUR,Acme",
        "BELL-1,Bell,-3,EUR,Acme",
        "HORN-1,Horn,3,EUR,Nobody",
        "LAMP-1,Twice,1.00,EUR,Acme",
    ]

    text = upload(ada, "\n".join(rows))

    assert ada.page.status_code == 422
    assert re.findall(r'<th scope="row">(\d+)</th>', text) == ["3", "4", "5"]
    assert "holdfast_catalog_notify.price_negative" in text
    assert "holdfast_catalog_notify.brand_unknown" in text
    assert selectors.get_product(lamp.pk).version == 1


def test_the_good_rows_of_a_broken_file_can_be_had(admin, lamp):
    ada, bob = admin("ada"), admin("bob")
    file = "sku,name,price,currency,brand\nLAMP-1,Brass lamp,11.00,EUR,Acme\nBELL-1,Bell,free,EUR,Acme\n"

    looked = upload(ada, file, broken="skip", dry_run="on")
    assert "What it would do" in looked
    assert selectors.get_product(lamp.pk).version == 1
    done = upload(ada, file, broken="skip")
    tell()

    assert "What it did" in done
    assert "See who is told" in done
    assert str(selectors.get_product(lamp.pk).price.amount.normalize()) == "11"
    assert unread(bob) == "1"


def test_what_is_exported_can_be_imported_again(admin, lamp):
    ada = admin("ada")
    export = re.search(r'href="([^"]+export/[^"]*)" download', ada.open("/catalog/?q=lamp").text)[1]
    file = b"".join(ada.client.get(export.replace("&amp;", "&")).streaming_content).decode()
    assert "LAMP-1" in file

    text = upload(ada, file.replace("10.00", "14.00"))

    assert "0 created, 1 changed, 0 as they were." in text
    assert selectors.get_product(lamp.pk).version == 2


@pytest.mark.parametrize("content", ["", "no,columns\n1,2\n", "\x00"])
def test_what_is_no_such_file_is_refused(admin, content):
    ada = admin("ada")

    text = upload(ada, content)

    assert ada.page.status_code == 422
    assert "holdfast_catalog_notify.file_unreadable" in text or "The submitted file is empty." in text


# Admins


def test_an_admin_is_made_changed_and_deleted(admin, lamp, mailoutbox):
    ada = admin("ada")
    ada.open("/catalog/admins/new/").submit(username="dora", email="dora@example.org", password=PASSWORD)
    assert "There is another admin." in ada.text
    dora = User.objects.get(username="dora")
    change(ada, lamp, price="12.00")
    tell()
    assert [mail.to for mail in mailoutbox] == [["dora@example.org"]]
    assert Client().login(username="dora", password=PASSWORD)

    page = ada.open(f"/catalog/admins/{dora.pk}/")
    fields = page.form()["fields"] | {"email": "d@example.org"}
    fields.pop("active")
    page.page = page.client.post(page.address, fields, follow=True)
    assert "Not active" in page.text
    dora.refresh_from_db()
    assert (dora.email, dora.is_active, dora.check_password(PASSWORD)) == ("d@example.org", False, True)
    ada.open(f"/catalog/admins/{dora.pk}/delete/").submit()
    assert "The name stays in the history." in ada.text


def test_the_last_admin_stays(admin):
    ada = admin("ada")
    me = User.objects.get(username="ada")

    ada.open(f"/catalog/admins/{me.pk}/delete/").submit(status=409)

    assert "This is the last active admin." in ada.text
    assert User.objects.filter(pk=me.pk).exists()


@pytest.mark.parametrize(
    ("values", "status", "says"),
    [
        ({"username": "ada"}, 409, "holdfast_catalog_notify.login_taken"),
        ({"password": "1234"}, 422, "holdfast_catalog_notify.password_too_weak"),
        ({"email": "nowhere"}, 422, "Enter a valid email address."),
    ],
)
def test_an_admin_that_cannot_be_is_explained(admin, values, status, says):
    ada = admin("ada")
    given = {"username": "dora", "email": "dora@example.org", "password": PASSWORD} | values

    ada.open("/catalog/admins/new/").submit(status=status, **given)

    assert says in ada.text
    assert User.objects.count() == 1


# Doors


ADDRESSES = [
    *("new/", "prices/", "import/", "changes/", "deliveries/", "deliveries/lines/", "inbox/", "inbox/lines/"),
    *("inbox/unread/", "events/", "told/", "reports/", "admins/", "admins/new/", "admins/1/", "admins/1/delete/"),
    *(f"products/01a1f963-e36c-7cfb-850f-62a35cc1a943/{step}/" for step in ("change", "delete", "history")),
]


@pytest.mark.parametrize("path", ADDRESSES)
def test_what_is_for_admins_is_closed_to_all_others(newcomer: Newcomer, path: str):
    assert Client().get(f"/catalog/{path}").headers["Location"].startswith("/login/")

    newcomer("customer").open(f"/catalog/{path}", status=403)


@pytest.mark.parametrize("path", ["new/", "prices/", "import/", "changes/", "deliveries/", "reports/", "admins/"])
def test_an_admin_without_the_permission_stays_outside(admin, path: str):
    admin("trainee", is_superuser=False).open(f"/catalog/{path}", status=403)


def test_an_admin_finds_only_the_doors_that_open_for_him(admin):
    trainee, ada = admin("trainee", is_superuser=False), admin("ada")

    assert "/catalog/admins/" not in trainee.open("/catalog/").text
    assert "/catalog/new/" not in trainee.text
    assert "/catalog/admins/" in ada.open("/catalog/").text
    assert 'aria-label="Catalog"' not in Visitor("stranger").open("/catalog/").text


def test_health_says_whether_somebody_sends_what_is_due(admin, lamp):
    ada, _bob = admin("ada"), admin("bob")
    change(ada, lamp, price="12.00")
    drain_outbox()
    assert notifications() == Health(ok=True, detail={"late": 0, "dead": 0})

    selectors.deliveries(channel="email").update(due_at=timezone.now() - dt.timedelta(minutes=6))
    assert notifications() == Health(ok=False, detail={"late": 1, "dead": 0})
    User.objects.filter(username="bob").update(email="")
    services.Worker().run()
    assert notifications() == Health(ok=True, detail={"late": 0, "dead": 1})


def test_the_back_office_shows_what_visitors_look_at(admin, lamp):
    ada = admin("ada")
    Client(headers={"User-Agent": PHONE}).get(f"/catalog/products/{lamp.pk}/")
    services.count_views()

    text = ada.open("/admin/").text

    assert "<dt>Looked at</dt><dd>1</dd>" in text
    assert "Brass lamp" in text
    assert '<rect class="bar"' in text


# Mails


def test_mails_are_looked_at_on_the_pages(admin, lamp, kept_mails, settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {**settings.HOLDFAST_CATALOG_NOTIFY, "BASE_URL": "http://testserver"}
    settings.SITE_URL = "http://testserver"
    ada, _bob = admin("ada"), admin("bob")
    change(ada, lamp, price="12.00", name="Lamp <script>alert(1)</script>")
    tell()

    assert "to <span>bob@example.org</span>" in ada.open("/mailbox/").text
    assert "No mail to nobody" in ada.open("/mailbox/?to=nobody").text
    address = re.search(r"/mailbox/[0-9a-f-]{36}/", ada.open("/mailbox/").text)[0]
    text = ada.open(address).text
    assert "price: 10.00 EUR -&gt; 12.00 EUR" in text
    assert "List-Unsubscribe=One-Click" in text
    assert "<script>alert" not in text

    framed = ada.client.get(f"{address}html/")
    assert "sandbox" in framed.headers["Content-Security-Policy"]
    assert framed.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "Lamp &lt;script&gt;" in framed.content.decode()
    assert f"http://testserver/catalog/changes/{selectors.changes_of()[0].change_set_id}/" in framed.content.decode()


def test_the_mailbox_keeps_the_newest_and_forgets_the_rest(admin, lamp, kept_mails, monkeypatch):
    monkeypatch.setattr(mailbox, "KEPT", 3)
    ada, _bob = admin("ada"), admin("bob")
    for price in range(1, 6):
        change(ada, lamp, price=str(price))
        tell()

    assert len(list(kept_mails.iterdir())) == 3
    assert [re.search(r"-> (\d)\.00", mail.text)[1] for mail in mailbox.mails()] == ["5", "4", "3"]


@pytest.mark.parametrize("path", ["", "lines/", "01a1f963-e36c-7cfb-850f-62a35cc1a943/"])
def test_mails_are_for_admins(newcomer, kept_mails, path):
    newcomer("customer").open(f"/mailbox/{path}", status=403)


def test_where_no_mail_is_kept_there_is_no_mailbox(admin, settings):
    settings.MAILBOX_DIR = ""

    admin("ada").open("/mailbox/", status=404)


def test_a_mail_that_is_gone_is_not_found(admin, kept_mails):
    admin("ada").open("/mailbox/01a1f963-e36c-7cfb-850f-62a35cc1a943/", status=404)
