"""What a verb reads it reads where it writes: a replica that lags behind must not say that something is not there.

Here neither the replica answers nor the database called ``default``: whatever asks one of them, or begins a transaction
of it, fails.
"""

import datetime as dt
import json
import re
from contextlib import suppress
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router, transaction
from django.test import override_settings
from django.utils import timezone

from holdfast.money import Money
from holdfast.outbox import DeliveryFailed, GiveUp
from holdfast_catalog_notify import exceptions, services
from holdfast_catalog_notify.backends.dummy import DummyChannel
from holdfast_catalog_notify.models import (
    Brand,
    BufferedViews,
    Change,
    ChangeSet,
    DailyViews,
    Delivery,
    Product,
    VisitorSalt,
)
from holdfast_catalog_notify.services import counting, importing
from holdfast_catalog_notify.services.delivering import Route
from holdfast_catalog_notify.services.messages import unsubscribe_url_of
from holdfast_catalog_notify.states import DeliveryState, Mode, ViewKind
from holdfast_catalog_notify.testing import make_brand, make_category
from tests.catalog_notify.conftest import client_of
from tests.foundation.routers import a_primary_and_a_replica

API = "/api/catalog"
PRIMARY = "primary"
OURS = {"holdfast_catalog_notify", "auth"}
PASSWORD = "correct horse battery"
NOBODY = "0199d2a4-7a50-7000-8000-000000000001"


class Everybody(BaseBackend):
    """Lets everybody do everything; Django's own asks the database, the one that the router names for reading."""

    def has_perm(self, user, permission, obj=None):
        return True


class Broken(DummyChannel):
    """A channel that is down."""

    def send(self, message):
        raise DeliveryFailed("It is down.")


CHANNELS = {
    "inbox": {"BACKEND": "holdfast_catalog_notify.backends.inbox.InboxChannel"},
    "email": {"BACKEND": "holdfast_catalog_notify.backends.email.EmailChannel"},
    "broken": {"BACKEND": f"{__name__}.Broken"},
    "spare": {"BACKEND": "holdfast_catalog_notify.backends.dummy.DummyChannel"},
}


@pytest.fixture
def shop(settings, monkeypatch, ada, bob, acme, lamp, receiver, loopback):
    """Who and what there is already, before the verb."""
    webhook = {"BACKEND": "holdfast_catalog_notify.backends.webhook.WebhookChannel", "OPTIONS": {"url": receiver.url}}
    settings.HOLDFAST_CATALOG_NOTIFY = {
        "CHANNELS": {**CHANNELS, "webhook": webhook},
        "DEFAULT_CHANNELS": [],
        "FAILOVER": {"broken": "email", "email": "spare"},
        "FAILOVER_AFTER": 1,
        "BASE_URL": "https://shop.example",
        "VISIT_SECONDS": 1_800,
    }
    monkeypatch.setattr(counting, "_salts", {})
    other = make_brand(name="Other")
    return SimpleNamespace(
        ada=ada, bob=bob, acme=acme, other=other, lamp=lamp, chairs=make_category(name="Chairs"), hook=receiver
    )


@pytest.fixture
def primary(shop):
    with a_primary_and_a_replica(*OURS):
        yield


def rows(model):
    return model.objects.using(router.db_for_write(model))


def tell(shop, *, over, mode=Mode.IMMEDIATE, address=""):
    """Change a product, and return what Bob is to be told of it over a channel that he has chosen."""
    services.choose_channel(user_id=shop.bob.pk, channel=over, mode=mode, address=address)
    version = rows(Product).get(pk=shop.lamp.pk).version
    services.change_product(product_id=shop.lamp.pk, description=f"Changed {version} times.", actor_id=shop.ada.pk)
    change_set = rows(ChangeSet).latest("pk")
    services.notify_admins(change_set_id=change_set.pk)
    return rows(Delivery).get(change_set=change_set, channel=over)


def make_due():
    rows(Delivery).update(due_at=timezone.now() - dt.timedelta(seconds=1))


def dead_delivery(shop):
    delivery = tell(shop, over="spare")
    services.fail_message(claim=services.claim_message(), error=GiveUp("It will never do."))
    return delivery


def sent_mail(shop):
    delivery = tell(shop, over="email")
    assert services.confirm_message(claim=services.claim_message(), provider_id="receipt-1")
    return delivery


# Each verb: with success, done again where that is the same, and refused.


def create_product(shop):
    lamp = {"sku": "LAMP-2", "name": "Lamp", "price": Money("5", "EUR"), "brand_id": shop.acme.pk}
    made = services.create_product(**lamp, category_id=shop.chairs.pk, actor_id=shop.ada.pk)
    assert (made.brand.name, made.category.name) == ("Acme", "Chairs")
    assert rows(ChangeSet).latest("pk").actor_name == "ada"
    with pytest.raises(exceptions.SkuTaken):
        services.create_product(**lamp)
    with pytest.raises(exceptions.BrandUnknown):
        services.create_product(**{**lamp, "brand_id": NOBODY})


def change_product(shop):
    changed = services.change_product(product_id=shop.lamp.pk, expected_version=1, name="Lantern")
    assert (changed.version, changed.brand.name, changed.category) == (2, "Acme", None)
    moved = {"brand_id": shop.other.pk, "category_id": shop.chairs.pk}
    for _time in range(2):
        changed = services.change_product(product_id=shop.lamp.pk, **moved)
        assert (changed.version, changed.brand.name, changed.category.name) == (3, "Other", "Chairs")
    with pytest.raises(exceptions.VersionOutdated):
        services.change_product(product_id=shop.lamp.pk, expected_version=1, name="Lamp")


def delete_product(shop):
    services.delete_product(product_id=shop.lamp.pk, actor_id=shop.ada.pk)
    with pytest.raises(exceptions.ProductNotFound):
        services.delete_product(product_id=shop.lamp.pk)


def change_prices(shop):
    assert services.change_prices(percent=Decimal(10), brand_id=shop.acme.pk, actor_id=shop.ada.pk) == 1
    assert services.change_prices(percent=Decimal(0)) == 0
    with override_settings(HOLDFAST_CATALOG_NOTIFY={"BULK_MAX_PRODUCTS": 0}), pytest.raises(exceptions.TooManyProducts):
        services.change_prices(percent=Decimal(10))


def import_products(shop):
    content = b"sku,name,price,currency,brand,category\nLAMP-1,Lamp,7,EUR,Acme,Chairs\nNEW-1,New,8,EUR,Other,\n"
    for created, changed, unchanged in ((1, 1, 0), (0, 0, 2)):
        report = services.import_products(content=content, actor_id=shop.ada.pk)
        assert (report.created, report.changed, report.unchanged) == (created, changed, unchanged)
    with pytest.raises(exceptions.RowsBroken):
        services.import_products(content=content.replace(b"Acme", b"Nobody"))
    desk = importing._Desk([])
    desk.created = [Product(sku="LAMP-1", name="Lamp", price=Money("1", "EUR"), brand_id=shop.acme.pk)]
    with pytest.raises(exceptions.SkuTaken):
        desk.write()  # as if somebody had created it since the file was read


def change_set(shop):
    with services.change_set(actor_id=shop.ada.pk):
        services.change_product(product_id=shop.lamp.pk, name="Lantern")
        with suppress(exceptions.ProductNotFound), services.change_set():
            services.change_product(product_id=shop.lamp.pk, name="Rolled back")
            services.delete_product(product_id=NOBODY)
    change = rows(Change).get(change_set=rows(ChangeSet).latest("pk"))
    assert change.values == {"name": {"old": "Lamp", "new": "Lantern"}}


def create_brand(shop):
    assert services.create_brand(name="New").name == "New"
    with pytest.raises(exceptions.NameTaken):
        services.create_brand(name="New")


def rename_brand(shop):
    for _time in range(2):
        assert services.rename_brand(brand_id=shop.acme.pk, name="Apex").name == "Apex"
    with pytest.raises(exceptions.NameTaken):
        services.rename_brand(brand_id=shop.acme.pk, name="Other")


def delete_brand(shop):
    services.delete_brand(brand_id=shop.other.pk)
    with pytest.raises(exceptions.StillInUse):
        services.delete_brand(brand_id=shop.acme.pk)


def create_category(shop):
    assert services.create_category(name="Tables").name == "Tables"
    with pytest.raises(exceptions.NameTaken):
        services.create_category(name="Chairs")


def rename_category(shop):
    assert services.rename_category(category_id=shop.chairs.pk, name="Seats").name == "Seats"
    with pytest.raises(exceptions.CategoryNotFound):
        services.rename_category(category_id=NOBODY, name="Seats")


def delete_category(shop):
    tables = services.create_category(name="Tables")
    services.change_product(product_id=shop.lamp.pk, category_id=tables.pk)
    services.delete_category(category_id=shop.chairs.pk)
    with pytest.raises(exceptions.StillInUse):
        services.delete_category(category_id=tables.pk)


def create_admin(shop):
    carol = {"username": "carol", "email": "carol@example.com", "password": PASSWORD}
    # Who is no superuser gives what is his, permission by permission.
    rows(type(shop.bob)).filter(pk=shop.bob.pk).update(is_superuser=False)
    made = services.create_admin(actor_id=shop.bob.pk, **carol)
    assert made.user_permissions.db_manager(PRIMARY).filter(codename="manage_admins").exists()
    with pytest.raises(exceptions.LoginTaken):
        services.create_admin(actor_id=shop.ada.pk, **carol)
    with pytest.raises(exceptions.SuperuserProtected):
        services.change_admin(actor_id=made.pk, admin_id=shop.ada.pk, email="x@example.com")


def change_admin(shop):
    rows(type(shop.bob)).filter(pk=shop.bob.pk).update(is_superuser=False)
    dora = services.create_admin(actor_id=shop.ada.pk, username="dora", email="d@example.com", password=PASSWORD)
    changed = services.change_admin(actor_id=shop.ada.pk, admin_id=dora.pk, email="dora@example.com")
    assert changed.email == "dora@example.com"
    # What each of the two was given is looked up, whatever he may by other means.
    with pytest.raises(exceptions.AdminOutranksYou):
        services.change_admin(actor_id=shop.bob.pk, admin_id=dora.pk, email="x@example.com")


def deactivate_admin(shop):
    for _time in range(2):
        assert not services.deactivate_admin(actor_id=shop.ada.pk, admin_id=shop.bob.pk).is_active
    with pytest.raises(exceptions.LastAdmin):
        services.deactivate_admin(actor_id=shop.ada.pk, admin_id=shop.ada.pk)


def delete_admin(shop):
    tell(shop, over="inbox")
    services.delete_admin(actor_id=shop.ada.pk, admin_id=shop.bob.pk)
    with pytest.raises(exceptions.AdminNotFound):
        services.delete_admin(actor_id=shop.ada.pk, admin_id=shop.bob.pk)


def notify_admins(shop):
    services.mute_brand(user_id=shop.bob.pk, brand_id=shop.other.pk)
    services.choose_channel(user_id=shop.bob.pk, channel="email", mode=Mode.DIGEST)
    change_set_id = tell(shop, over="inbox").change_set_id
    assert services.notify_admins(change_set_id=change_set_id) == 2
    assert rows(Delivery).filter(change_set_id=change_set_id).count() == 2
    assert services.notify_admins(change_set_id=NOBODY) == 0


def choose_channel(shop):
    for mode in (Mode.DIGEST, Mode.OFF):
        assert services.choose_channel(user_id=shop.bob.pk, channel="email", mode=mode).mode == mode
    with pytest.raises(exceptions.ChannelUnknown):
        services.choose_channel(user_id=shop.bob.pk, channel="pigeon", mode=Mode.OFF)


def mute_brand(shop):
    for _time in range(2):
        services.mute_brand(user_id=shop.bob.pk, brand_id=shop.acme.pk)
    with pytest.raises(exceptions.BrandUnknown):
        services.mute_brand(user_id=shop.bob.pk, brand_id=NOBODY)


def unmute_brand(shop):
    services.mute_brand(user_id=shop.bob.pk, brand_id=shop.acme.pk)
    for _time in range(2):
        services.unmute_brand(user_id=shop.bob.pk, brand_id=shop.acme.pk)
    assert tell(shop, over="inbox").state == DeliveryState.PENDING


def token(user):
    return unsubscribe_url_of(user_id=user.pk, channel="email").rstrip("/").rpartition("/")[2]


def unsubscribe(shop):
    for _time in range(2):
        assert services.unsubscribe(token=token(shop.bob)) == "email"
    with pytest.raises(exceptions.UnsubscribeLinkInvalid):
        services.unsubscribe(token="x")


def read_unsubscribe_link(shop):
    assert services.read_unsubscribe_link(token=token(shop.bob)) == (shop.bob.pk, "email")
    link = token(shop.bob)
    services.delete_admin(actor_id=shop.ada.pk, admin_id=shop.bob.pk)
    with pytest.raises(exceptions.UnsubscribeLinkInvalid):
        services.read_unsubscribe_link(token=link)


def mark_read(shop):
    delivery = tell(shop, over="inbox")
    with pytest.raises(exceptions.NotificationNotFound):
        services.mark_read(user_id=shop.bob.pk, notification_id=delivery.pk)
    assert services.Worker().run() == 1
    for _time in range(2):
        read = services.mark_read(user_id=shop.bob.pk, notification_id=delivery.pk)
        assert read.read_at is not None
        assert len(read.change_set.first_changes) == 1


def mark_all_read(shop):
    tell(shop, over="inbox")
    services.Worker().run()
    assert services.mark_all_read(user_id=shop.bob.pk) == 1
    assert services.mark_all_read(user_id=shop.bob.pk) == 0


def claim_message(shop):
    for _time in range(2):
        tell(shop, over="email", mode=Mode.DIGEST)
    make_due()
    assert services.claim_message(without=[Route("email", shop.bob.pk)]) is None
    claim = services.claim_message()
    assert rows(Delivery).filter(lease=claim.lease).count() == 2
    assert services.claim_message() is None
    rows(Delivery).update(leased_until=timezone.now() - dt.timedelta(seconds=1))
    again = services.claim_message()
    assert (again.message_id, again.fate_unknown) == (claim.message_id, True)


def send_message(shop):
    tell(shop, over="email")
    assert services.send_message(claim=services.claim_message())
    tell(shop, over="email")
    services.note_bounce(provider_id="", address="bob@example.com", reason="gone", suppress=True)
    with pytest.raises(GiveUp, match="suppressed"):
        services.send_message(claim=services.claim_message())
    tell(shop, over="spare")
    services.mute_brand(user_id=shop.bob.pk, brand_id=shop.acme.pk)
    with pytest.raises(GiveUp, match="muted"):
        services.send_message(claim=services.claim_message())


def confirm_message(shop):
    tell(shop, over="email")
    claim = services.claim_message()
    assert services.confirm_message(claim=claim, provider_id="receipt-1")
    assert not services.confirm_message(claim=claim, provider_id="receipt-1")


def fail_message(shop):
    delivery = tell(shop, over="broken")
    claim = services.claim_message()
    assert services.fail_message(claim=claim, error=DeliveryFailed("It is down."))
    assert not services.fail_message(claim=claim, error=DeliveryFailed("It is down."))
    assert rows(Delivery).get(pk=delivery.pk).via == "email"


def replay_delivery(shop):
    delivery = dead_delivery(shop)
    replayed = services.replay_delivery(delivery_id=delivery.pk)
    assert [one.error for one in replayed.tries.all()] == ["It will never do."]
    with pytest.raises(exceptions.DeliveryNotDead):
        services.replay_delivery(delivery_id=delivery.pk)


def note_bounce(shop):
    delivery = sent_mail(shop)
    bounce = {"provider_id": "receipt-1", "address": "bob@example.com", "reason": "gone", "suppress": True}
    assert [services.note_bounce(**bounce) for _time in range(2)] == [1, 0]
    assert rows(Delivery).get(pk=delivery.pk).state == DeliveryState.DEAD


def lift_suppression(shop):
    services.note_bounce(provider_id="", address="bob@example.com", reason="gone", suppress=True)
    assert services.lift_suppression(address="bob@example.com")
    assert not services.lift_suppression(address="bob@example.com")


def worker(shop):
    tell(shop, over="broken")
    assert services.Worker().run() == 1  # over the channel that takes over
    tell(shop, over="webhook", address=shop.hook.url)
    stopped = iter([False] * 8 + [True] * 2).__next__
    assert services.Worker().follow(pause_seconds=0, stopped=stopped) == 2
    assert len(shop.hook.posted) == 1


def look(shop, address):
    meta = {"REMOTE_ADDR": address, "HTTP_USER_AGENT": "Firefox"}
    services.record_views(kind=ViewKind.RETRIEVED, product_ids=[shop.lamp.pk], meta=meta)


def record_views(shop):
    for address in ("192.0.2.1", "192.0.2.2"):
        look(shop, address)
        counting._salts.clear()
    assert len(set(rows(BufferedViews).values_list("visitor", flat=True))) == 2


def roll_up_views(shop):
    look(shop, "192.0.2.1")
    assert [services.roll_up_views() for _time in range(2)] == [1, 0]


def count_views(shop):
    look(shop, "192.0.2.1")
    assert services.count_views() == 1
    assert rows(DailyViews).get().visits == 1


def forget_visitors(shop):
    look(shop, "192.0.2.1")
    assert services.forget_visitors(now=timezone.now() + dt.timedelta(days=2)) == 1
    assert not rows(VisitorSalt).exists()


CALLS = {
    "Worker": worker,
    **{
        call.__name__: call
        for call in (
            change_admin,
            change_prices,
            change_product,
            change_set,
            choose_channel,
            claim_message,
            confirm_message,
            count_views,
            create_admin,
            create_brand,
            create_category,
            create_product,
            deactivate_admin,
            delete_admin,
            delete_brand,
            delete_category,
            delete_product,
            fail_message,
            forget_visitors,
            import_products,
            lift_suppression,
            mark_all_read,
            mark_read,
            mute_brand,
            note_bounce,
            notify_admins,
            read_unsubscribe_link,
            record_views,
            rename_brand,
            rename_category,
            replay_delivery,
            roll_up_views,
            send_message,
            unmute_brand,
            unsubscribe,
        )
    },
}
# Neither writes nor reads: they are what an import answers.
NO_VERBS = {"BrokenRow", "ImportReport"}


def test_no_verb_is_missing_here():
    assert CALLS.keys() | NO_VERBS == set(services.__all__)


@pytest.mark.django_db
@pytest.mark.usefixtures("primary")
@pytest.mark.parametrize("verb", sorted(CALLS))
def test_no_verb_asks_a_replica_nor_the_default_database(settings, shop, verb):
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Everybody"]
    CALLS[verb](shop)


@pytest.mark.django_db
@pytest.mark.usefixtures("primary")
def test_neither_a_replica_nor_a_default_database_answers():
    for asked in (Brand.objects.first, Brand.objects.using("default").first, transaction.atomic().__enter__):
        with pytest.raises(ImproperlyConfigured):
            asked()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("primary")
def test_a_worker_gives_up_the_connection_to_the_primary_that_let_it_down():
    assert services.Worker().run() == 0
    connections[PRIMARY].connection.close()
    services.Worker().follow(pause_seconds=0, stopped=iter([False, False, True, True]).__next__)
    assert connections[PRIMARY].connection is None


LAMP = {"sku": "LAMP-2", "name": "Lamp", "price": {"amount": "5.00", "currency": "EUR"}, "brand": "{acme}"}
CAROL = {"username": "carol", "email": "carol@example.com", "password": PASSWORD}
REQUESTS = [
    ("post", "products/", {**LAMP, "category": "{chairs}"}, 201),
    ("post", "products/", LAMP, 409),
    ("patch", "products/{lamp}/", {"name": "Lantern", "category": "{chairs}"}, 200),
    ("put", "products/{lamp}/", {**LAMP, "sku": "LAMP-3", "brand": "{other}"}, 200),
    ("post", "products/prices/", {"percent": "10"}, 200),
    ("delete", "products/{lamp}/", {}, 204),
    ("post", "brands/", {"name": "New"}, 201),
    ("patch", "brands/{acme}/", {"name": "Apex"}, 200),
    ("delete", "brands/{acme}/", {}, 409),
    ("post", "categories/", {"name": "Tables"}, 201),
    ("patch", "categories/{chairs}/", {"name": "Seats"}, 200),
    ("delete", "categories/{chairs}/", {}, 409),
    ("post", "deliveries/{dead}/replay/", {}, 200),
    ("post", "admins/", CAROL, 201),
    ("patch", "admins/{bob}/", {"email": "b@example.com"}, 200),
    ("post", "admins/{bob}/deactivate/", {}, 200),
    ("delete", "admins/{bob}/", {}, 204),
]
BOBS_REQUESTS = [
    ("post", "notifications/{told}/read/", {}, 200),
    ("post", "notifications/read/", {}, 200),
    ("put", "notifications/channels/email/", {"mode": "digest"}, 200),
    ("put", "notifications/muted-brands/{acme}/", {}, 204),
    ("delete", "notifications/muted-brands/{acme}/", {}, 204),
    ("post", "unsubscribe/{token}/", {}, 200),
]

IDS_AND_TIMES = re.compile(r'"[0-9a-f]{8}-[^"]{27}"|"\d{4}-\d\d-\d\dT[^"]+"|"id":"\d+"')


def answers(shop):
    """Send each request that writes, and return what was answered, without ids and times."""
    dead, told = dead_delivery(shop), tell(shop, over="inbox")
    assert services.Worker().run() == 2
    there = {"dead": dead.pk, "told": told.pk, "bob": shop.bob.pk, "token": token(shop.bob)}
    there |= {name: getattr(shop, name).pk for name in ("acme", "other", "lamp", "chairs")}
    found = []
    for user, requests in ((shop.bob, BOBS_REQUESTS), (shop.ada, REQUESTS)):
        client = client_of(user)
        for method, path, body, status in requests:
            filled = json.loads(re.sub(r'"{(\w+)}"', lambda one: f'"{there[one[1]]}"', json.dumps(body)))
            send = getattr(client, method)
            answer = send(f"{API}/{path.format(**there)}", filled, format="json", headers={"If-Match": "*"})
            assert answer.status_code == status, answer.content
            found.append((path, IDS_AND_TIMES.sub("", answer.content.decode())))
    content = b"sku,name,price,currency,brand\nLAMP-9,Lamp,7,EUR,Other\n"
    found.append(client.post(f"{API}/products/import/", content, content_type="text/csv").json())
    return found


@pytest.mark.django_db
def test_what_writes_answers_as_it_does_without_a_replica(shop):
    with transaction.atomic():
        usual = answers(shop)
        transaction.set_rollback(True)
    with a_primary_and_a_replica(*OURS):
        assert answers(shop) == usual
