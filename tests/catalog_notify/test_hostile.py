"""What a hostile or unlucky person can put in: names that are markup, files that are none, addresses of others."""

import email
import email.policy
from contextlib import suppress

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection, transaction

from holdfast.money import Money
from holdfast.outbox import DeliveryFailed
from holdfast.testing import captured_events, drain_outbox
from holdfast_catalog_notify import selectors, services
from holdfast_catalog_notify.backends.slack import SlackChannel
from holdfast_catalog_notify.exceptions import (
    AddressNeeded,
    AdminInvalid,
    LoginTaken,
    RowsBroken,
    TextInvalid,
    TooManyProducts,
)
from holdfast_catalog_notify.models import Change, ChannelPreference, Delivery, Product
from holdfast_catalog_notify.services.messages import unsubscribe_url_of
from holdfast_catalog_notify.states import Mode
from holdfast_catalog_notify.testing import make_admin, make_message, make_product
from tests.catalog_notify.conftest import client_of
from tests.catalog_notify.receivers import http_receiver

pytestmark = pytest.mark.django_db

API = "/api/catalog"
HEADER = "sku,name,price,currency,brand\n"
EVIL = "<!channel> <script>alert(1)</script> \"&'\r\nBcc: eve@example.com\n.\n@channel *bold*"


def load(text, **options):
    return services.import_products(content=text.encode(), **options)


# Names


def test_a_name_adds_nothing_to_a_mail_but_itself(settings, mailbox, ada, bob, acme):
    options = {
        "backend": "django.core.mail.backends.smtp.EmailBackend",
        "backend_options": {"host": mailbox.host, "port": mailbox.port, "timeout": 5},
    }
    channel = {"BACKEND": "holdfast_catalog_notify.backends.email.EmailChannel", "OPTIONS": options}
    settings.HOLDFAST_CATALOG_NOTIFY = {"CHANNELS": {"email": channel}, "DEFAULT_CHANNELS": ["email"]}
    with services.change_set(actor_id=ada.pk):
        make_product(brand=acme)
    Change.objects.update(name=EVIL)  # as no verb lets it be
    drain_outbox()
    services.Worker().run()

    (mail,) = mailbox.mails
    read = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert mail.recipients == ["bob@example.com"]
    assert read["Bcc"] is None
    assert "\n" not in read["Subject"]
    assert "Bcc: eve@example.com" in read.get_body(("plain",)).get_content()
    assert "<script>" not in read.get_body(("html",)).get_content()


@pytest.mark.parametrize("text", ["Lamp\nprice: 9.00 EUR -> 1.00 EUR", "Lamp\r", "a\tb", "a\x1bb", "a\x7fb"])
def test_what_a_thing_is_called_is_one_line(acme, lamp, text):
    text = f"{text}."  # spaces at an end are taken away
    for values in ({"name": text}, {"sku": text}):
        with pytest.raises(TextInvalid):
            services.change_product(product_id=lamp.pk, **values)
    with pytest.raises(TextInvalid):
        services.rename_brand(brand_id=acme.pk, name=text)
    with pytest.raises(RowsBroken):
        load(f'{HEADER}B,"{text}",1,EUR,Acme\n')
    described = services.change_product(product_id=lamp.pk, description="one\ntwo")
    assert described.description == "one\ntwo"


@pytest.mark.usefixtures("loopback")
def test_a_name_calls_nobody_in_a_chat(receiver):
    SlackChannel(url=receiver.url).send(make_message(text=EVIL))

    (posted,) = receiver.posted
    assert "<" not in posted.json["text"]
    assert "@channel" not in posted.json["text"], "Mattermost and Discord would call everybody."
    assert posted.json["mrkdwn"] is False


# Addresses


@pytest.mark.parametrize(
    "address", ["nobody", "a@example.com, b@example.com", "a@example.com\nBcc: b@example.com", "@"]
)
def test_an_address_for_mail_is_one(bob, address):
    with pytest.raises(AddressNeeded):
        services.choose_channel(user_id=bob.pk, channel="email", mode=Mode.IMMEDIATE, address=address)
    assert not ChannelPreference.objects.exists()


@pytest.mark.usefixtures("loopback")
def test_an_address_of_ones_own_that_is_down_keeps_nobody_else_waiting(settings, bob, acme):
    carol = make_admin(username="carol")
    slack = {"BACKEND": "holdfast_catalog_notify.backends.slack.SlackChannel"}
    settings.HOLDFAST_CATALOG_NOTIFY = {"CHANNELS": {"slack": slack}, "DEFAULT_CHANNELS": []}
    with http_receiver() as receiver:
        services.choose_channel(user_id=bob.pk, channel="slack", mode=Mode.IMMEDIATE, address="http://127.0.0.1:1/hook")
        for _number in range(25):
            make_product(brand=acme)
        drain_outbox()
        services.choose_channel(user_id=carol.pk, channel="slack", mode=Mode.IMMEDIATE, address=receiver.url)
        make_product(brand=acme)
        drain_outbox()
        services.Worker().run()
        assert len(receiver.posted) == 1
    states = Delivery.objects.filter(recipient=bob).values_list("state", flat=True)
    assert sorted(states) == ["failed"] * 20 + ["pending"] * 6


def test_addresses_that_are_refused_say_nothing_of_the_mail_server(settings, mailbox, ada, acme):
    options = {
        "backend": "django.core.mail.backends.smtp.EmailBackend",
        "backend_options": {"host": mailbox.host, "port": mailbox.port, "timeout": 5},
    }
    channel = {"BACKEND": "holdfast_catalog_notify.backends.email.EmailChannel", "OPTIONS": options}
    settings.HOLDFAST_CATALOG_NOTIFY = {"CHANNELS": {"email": channel}, "DEFAULT_CHANNELS": ["email"]}
    for number in range(21):
        mailbox.refuse[f"gone-{number}@example.com"] = "550 no such user"
        make_admin(email=f"gone-{number}@example.com")
    make_admin(email="here@example.com")
    with services.change_set(actor_id=ada.pk):
        make_product(brand=acme)
    drain_outbox()
    services.Worker().run()
    assert [mail.recipients for mail in mailbox.mails] == [["here@example.com"]]


# Unsubscribing


def changed_for(bob, ada, lamp, amount):
    services.change_product(product_id=lamp.pk, price=Money(amount, "EUR"), actor_id=ada.pk)
    drain_outbox()


def test_what_waits_for_who_has_unsubscribed_is_not_sent(settings, ada, bob, lamp, mailoutbox):
    settings.HOLDFAST_CATALOG_NOTIFY = {"BASE_URL": "https://shop.example"}
    changed_for(bob, ada, lamp, 12)
    services.unsubscribe(token=unsubscribe_url_of(user_id=bob.pk, channel="email").rstrip("/").rpartition("/")[2])
    services.Worker().run()
    assert [mail.to for mail in mailoutbox if mail.to == ["bob@example.com"]] == []


def test_the_link_in_a_mail_that_another_channel_took_over_ends_what_it_came_from(settings, ada, bob, lamp, mailoutbox):
    settings.HOLDFAST_CATALOG_NOTIFY = {
        "BASE_URL": "https://shop.example",
        "CHANNELS": {
            "email": {"BACKEND": "tests.catalog_notify.test_hostile.Down"},
            "smtp": {"BACKEND": "holdfast_catalog_notify.backends.email.EmailChannel"},
        },
        "DEFAULT_CHANNELS": ["email"],
        "FAILOVER": {"email": "smtp"},
        "FAILOVER_AFTER": 1,
    }
    changed_for(bob, ada, lamp, 12)
    services.Worker().run()
    mail = next(mail for mail in mailoutbox if mail.to == ["bob@example.com"])
    token = mail.extra_headers["List-Unsubscribe"].strip("<>").rstrip("/").rpartition("/")[2]
    assert services.unsubscribe(token=token) == "email"
    mailoutbox.clear()
    changed_for(bob, ada, lamp, 13)
    services.Worker().run()
    assert [mail for mail in mailoutbox if mail.to == ["bob@example.com"]] == []


class Down:
    """A channel whose other side is down."""

    digests, needs_address, at_most_once = True, False, False

    def send(self, message):
        raise DeliveryFailed("down")


@pytest.mark.parametrize("accept", ["text/html", "text/html,application/xhtml+xml,*/*;q=0.8", "*/*"])
def test_a_browser_that_wants_a_page_gets_one(settings, visitor, bob, accept):
    settings.HOLDFAST_CATALOG_NOTIFY = {"BASE_URL": "http://testserver"}
    url = unsubscribe_url_of(user_id=bob.pk, channel="email")
    assert visitor.get(url, headers={"Accept": accept}).status_code == 200
    forged = visitor.get(f"{API}/unsubscribe/forged/", headers={"Accept": accept})
    assert (forged.status_code, forged["Content-Type"]) == (403, "application/problem+json")


# Strangers' channels


class Chatty:
    """A channel whose answers no column holds."""

    digests, needs_address, at_most_once = True, False, False
    answers: list = []

    def send(self, message):
        answer = Chatty.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize("answer", ["a\0b", "half \ud800", None, 7, "x" * 1_000, OSError("half \ud800 and \0")])
def test_whatever_a_channel_says_the_worker_lives_and_writes_it_down(settings, ada, bob, lamp, answer):
    channel = {"BACKEND": "tests.catalog_notify.test_hostile.Chatty"}
    settings.HOLDFAST_CATALOG_NOTIFY = {"CHANNELS": {"main": channel}, "DEFAULT_CHANNELS": ["main"]}
    drain_outbox()
    Delivery.objects.all().delete()
    changed_for(bob, ada, lamp, 12)
    Chatty.answers = [answer]
    services.Worker().run()
    assert Delivery.objects.get().state == ("failed" if isinstance(answer, Exception) else "sent")
    assert Delivery.objects.get().tries.count() == 1


# Files


@pytest.mark.parametrize("column", ["sku", "name", "brand", "category", "description", "image_url", "active", "price"])
def test_a_nul_in_any_cell_is_a_broken_row(acme, column):
    cells = {"sku": "A", "name": "A", "price": "1", "currency": "EUR", "brand": "Acme", "category": ""}
    cells |= {"description": "", "image_url": "", "active": "true"}
    cells[column] += "x\0y"
    with pytest.raises(RowsBroken) as refusal:
        load(",".join(cells) + "\n" + ",".join(cells.values()) + "\n")
    assert [row["line"] for row in refusal.value.context["rows"]] == [2]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//example.com/x.png", "lamp.png"])
def test_no_door_takes_an_image_from_anywhere_but_the_web(acme, lamp, url):
    with pytest.raises(TextInvalid):
        services.change_product(product_id=lamp.pk, image_url=url)
    with pytest.raises(RowsBroken):
        load(f"sku,name,price,currency,brand,image_url\nB,B,1,EUR,Acme,{url}\n")


def test_a_file_of_broken_rows_alone_has_a_limit_too(settings, acme):
    settings.HOLDFAST_CATALOG_NOTIFY = {"BULK_MAX_PRODUCTS": 5}
    for row in ("short\n", '"a"b\n'):
        with pytest.raises(TooManyProducts):
            load(HEADER + row * 6, broken="skip")


def test_spaces_around_a_cell_make_no_second_product(acme, lamp):
    assert load(HEADER + " LAMP-1 , Lamp ,10.00,EUR, Acme \n").unchanged == 1


@pytest.mark.parametrize("name", ["'=1+1", "''=1+1", "=1+1", "'", "'quoted'", "-5", "'-5"])
def test_whatever_a_product_is_called_an_export_is_an_import_that_changes_nothing(acme, name):
    make_product(brand=acme, sku="A", name=name)
    text = "".join(selectors.products_as_csv(selectors.products()))
    assert load(text).unchanged == 1
    assert not text.splitlines()[1].split(",")[1].startswith(("=", "-"))


# Change sets


def test_what_a_caller_has_rolled_back_is_told_to_nobody(lamp, acme):
    other = make_product(brand=acme, name="Chair")

    @transaction.atomic
    def tried():
        services.change_product(product_id=lamp.pk, price=Money("99", "EUR"))
        make_product(brand=acme, sku="NEVER")
        with services.change_set():
            services.delete_product(product_id=other.pk)
        raise RuntimeError

    with captured_events() as events, services.change_set():
        services.change_product(product_id=other.pk, name="Stool")
        with suppress(RuntimeError):
            tried()
        services.change_product(product_id=lamp.pk, name="Big lamp")

    (event,) = events
    assert [(one["name"], one["values"].keys()) for one in event.changes] == [
        ("Stool", {"name"}),
        ("Big lamp", {"name"}),
    ]
    assert Product.objects.count() == 2


# Admins


def test_nobody_becomes_who_may_more_by_giving_him_a_password():
    manager = make_admin(is_superuser=False)
    manager.user_permissions.set(Permission.objects.filter(codename="manage_admins"))
    mighty = make_admin(is_superuser=False, username="mighty")
    mighty.user_permissions.set(Permission.objects.filter(codename__in=["manage_admins", "delete_user"]))
    client = client_of(get_user_model().objects.get(pk=manager.pk))
    for active in (True, False):
        get_user_model().objects.filter(pk=mighty.pk).update(is_active=active)
        path = f"{API}/admins/{mighty.pk}/"
        for answer in (
            client.patch(path, {"password": "correct horse battery"}, format="json"),
            client.patch(path, {"email": "eve@example.com", "active": True}, format="json"),
            client.delete(path),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "holdfast_catalog_notify.admin_outranks_you")
    mine = f"{API}/admins/{manager.pk}/"
    assert client.patch(mine, {"email": "me@example.com"}, format="json").status_code == 200


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"username": "BOB"}, LoginTaken),
        ({"username": "\uff42\uff4f\uff42"}, LoginTaken),
        ({"email": "Bob@example.com"}, AdminInvalid),
    ],
)
def test_a_hosts_own_rules_of_what_is_taken_are_a_refusal(ada, bob, values, refusal):
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX any_case ON auth_user (lower(username))")
        cursor.execute("CREATE UNIQUE INDEX any_email ON auth_user (lower(email))")
    given = {"username": "carol", "email": "carol@example.com", "password": "correct horse battery", **values}
    with pytest.raises(refusal):
        services.create_admin(actor_id=ada.pk, **given)
