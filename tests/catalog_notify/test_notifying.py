"""Each other admin is told once over each of his channels, as he wants to be told; the actor never."""

import datetime as dt
from contextlib import suppress

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from holdfast.money import Money
from holdfast.outbox import DeliveryFailed, GiveUp
from holdfast.testing import captured_events, drain_outbox, race, transition_table
from holdfast_catalog_notify import handlers, selectors, services
from holdfast_catalog_notify.backends.dummy import DummyChannel
from holdfast_catalog_notify.exceptions import (
    AddressNeeded,
    BrandUnknown,
    ChannelUnknown,
    DeliveryNotDead,
    DeliveryNotFound,
    DigestNotOffered,
    NotificationNotFound,
    TooManyMutedBrands,
    UnsubscribeLinkInvalid,
)
from holdfast_catalog_notify.models import ChangeSet, ChannelPreference, Delivery, DeliveryAttempt, Suppression
from holdfast_catalog_notify.services import preferences
from holdfast_catalog_notify.services.messages import unsubscribe_url_of
from holdfast_catalog_notify.states import DeliveryState, Mode
from holdfast_catalog_notify.testing import make_admin, make_product

pytestmark = pytest.mark.django_db

INBOX = {"BACKEND": "holdfast_catalog_notify.backends.inbox.InboxChannel"}
EMAIL = {"BACKEND": "holdfast_catalog_notify.backends.email.EmailChannel"}
DUMMY = {"BACKEND": "holdfast_catalog_notify.backends.dummy.DummyChannel"}


class Scripted(DummyChannel):
    """A channel that fails as it is told to."""

    failures: list[Exception] = []
    sent: list = []

    def send(self, message):
        if Scripted.failures:
            raise Scripted.failures.pop(0)
        Scripted.sent.append(message)
        return f"receipt-{message.id}"


SCRIPTED = {"BACKEND": "tests.catalog_notify.test_notifying.Scripted"}


@pytest.fixture
def scripted(settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {
        "CHANNELS": {"main": SCRIPTED, "spare": DUMMY, "inbox": INBOX},
        "DEFAULT_CHANNELS": ["main"],
    }
    Scripted.failures, Scripted.sent = [], []
    return Scripted


def change_price(product, amount="12", actor=None, **values):
    services.change_product(
        product_id=product.pk, price=Money(amount, "EUR"), actor_id=actor.pk if actor else None, **values
    )


def told(**filters):
    rows = Delivery.objects.filter(**filters).order_by("pk")
    return [(row.recipient.get_username(), row.channel, row.state) for row in rows]


def make_due():
    Delivery.objects.update(due_at=timezone.now() - dt.timedelta(seconds=1))


def test_each_other_admin_is_told_over_each_of_his_channels_and_the_actor_is_not(ada, bob, lamp):
    make_admin(username="gone", is_active=False)
    make_admin(username="reader", is_staff=False, is_superuser=False)
    drain_outbox()
    Delivery.objects.all().delete()

    change_price(lamp, actor=ada)
    drain_outbox()

    assert sorted(told()) == [("bob", "email", "pending"), ("bob", "inbox", "pending")]
    assert services.Worker().run() == 2
    assert sorted(told()) == [("bob", "email", "sent"), ("bob", "inbox", "sent")]
    (sent,) = mail.outbox
    assert sent.to == ["bob@example.com"]
    assert sent.subject == "Changed: Lamp"
    assert "ada, " in sent.body
    assert "price: 10.00 EUR -> 12.00 EUR" in sent.body
    assert "10.00 EUR → 12.00 EUR" in " ".join(sent.alternatives[0][0].split())


def test_an_event_that_comes_twice_tells_nobody_twice(ada, bob, lamp):
    change_price(lamp, actor=ada)
    change_set = ChangeSet.objects.latest("pk")
    for _time in range(2):
        services.notify_admins(change_set_id=change_set.pk)
    services.Worker().run()
    services.notify_admins(change_set_id=change_set.pk)
    assert services.Worker().run() == 0
    assert len(mail.outbox) == 1


def test_once_is_said_by_the_table_too(bob, lamp):
    delivery = Delivery(change_set=ChangeSet.objects.first(), recipient=bob, channel="email", via="email")
    delivery.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery(change_set=delivery.change_set, recipient=bob, channel="email", via="email").save()


def test_a_rolled_back_change_is_told_to_nobody(bob, lamp):
    with captured_events() as events, suppress(RuntimeError), transaction.atomic():
        change_price(lamp)
        raise RuntimeError
    assert events == []


def test_a_change_of_nobodys_name_is_told_to_everybody(ada, bob, lamp):
    drain_outbox()
    assert {name for name, _channel, _state in told()} == {"ada", "bob"}


def test_the_law_of_the_deliveries():
    assert transition_table(Delivery) == {
        ("pending", "confirm"): "sent",
        ("pending", "give_up"): "dead",
        ("pending", "postpone"): "failed",
        ("sent", "bounce"): "dead",
        ("failed", "confirm"): "sent",
        ("failed", "give_up"): "dead",
        ("failed", "postpone"): "failed",
        ("dead", "replay"): "pending",
    }


# Preferences


def test_a_channel_that_is_off_and_a_brand_that_is_muted_tell_nothing(ada, bob, lamp, acme):
    services.choose_channel(user_id=bob.pk, channel="email", mode=Mode.OFF)
    drain_outbox()
    Delivery.objects.all().delete()
    change_price(lamp, actor=ada)
    drain_outbox()
    assert told() == [("bob", "inbox", "pending")]

    services.mute_brand(user_id=bob.pk, brand_id=acme.pk)
    change_price(lamp, "13", actor=ada)
    drain_outbox()
    assert len(told()) == 1
    with services.change_set(actor_id=ada.pk):
        change_price(lamp, "14")
        other = make_product(name="Chair")
    drain_outbox()
    services.Worker().run()
    entry = selectors.inbox(user_id=bob.pk).first()
    assert entry.change_set.changes.count() == 2
    services.choose_channel(user_id=bob.pk, channel="email", mode=Mode.IMMEDIATE)
    services.unmute_brand(user_id=bob.pk, brand_id=acme.pk)
    change_price(other, "15", actor=ada)
    drain_outbox()
    assert len(told(state="pending")) == 2


def test_of_a_change_set_the_muted_part_is_not_shown(ada, bob, lamp, acme):
    services.mute_brand(user_id=bob.pk, brand_id=acme.pk)
    drain_outbox()
    Delivery.objects.all().delete()
    with services.change_set(actor_id=ada.pk):
        change_price(lamp)
        make_product(name="Chair")
    drain_outbox()
    services.Worker().run()
    (sent,) = mail.outbox
    assert sent.subject == "New: Chair"
    assert "Lamp" not in sent.body


def test_changes_of_a_window_are_one_digest(ada, bob, lamp):
    services.choose_channel(user_id=bob.pk, channel="email", mode=Mode.DIGEST)
    services.choose_channel(user_id=bob.pk, channel="inbox", mode=Mode.OFF)
    drain_outbox()
    Delivery.objects.all().delete()
    for amount in ("11", "12", "13"):
        change_price(lamp, amount, actor=ada)
    drain_outbox()
    assert services.Worker().run() == 0
    due = {row.due_at for row in Delivery.objects.all()}
    assert all(one > timezone.now() for one in due)

    make_due()
    assert services.Worker().run() == 1
    (sent,) = mail.outbox
    assert sent.subject == "3 products changed"
    assert [f"{old}.00 EUR -> {old + 1}.00 EUR" in sent.body for old in (10, 11, 12)] == [True] * 3
    assert len({row.message_id for row in Delivery.objects.all()}) == 1
    assert {row.state for row in Delivery.objects.all()} == {"sent"}


def test_a_digest_that_failed_comes_again_whole_and_under_its_id(scripted, ada, bob, lamp):
    services.choose_channel(user_id=bob.pk, channel="main", mode=Mode.DIGEST)
    drain_outbox()
    Delivery.objects.all().delete()
    for amount in ("11", "12"):
        change_price(lamp, amount, actor=ada)
    drain_outbox()
    make_due()
    scripted.failures = [OSError("down")]
    assert services.Worker().run() == 0
    first = {row.message_id for row in Delivery.objects.all()}
    change_price(lamp, "13", actor=ada)
    drain_outbox()
    make_due()
    assert services.Worker().run() == 2
    assert {len(message.change_sets) for message in scripted.sent} == {1, 2}
    assert first <= {message.id for message in scripted.sent}


@pytest.mark.parametrize(
    ("channel", "mode", "address", "refusal"),
    [
        ("pigeon", Mode.IMMEDIATE, "", ChannelUnknown),
        ("inbox", Mode.DIGEST, "", DigestNotOffered),
        ("slack", Mode.IMMEDIATE, "", AddressNeeded),
        ("slack", Mode.IMMEDIATE, "ftp://example.com", AddressNeeded),
        ("slack", Mode.IMMEDIATE, "http://example.com", AddressNeeded),
        ("slack", Mode.IMMEDIATE, "https://me:secret@example.com", AddressNeeded),
        ("slack", Mode.IMMEDIATE, "https://example.com/" + "x" * 500, AddressNeeded),
    ],
)
def test_a_preference_that_cannot_be_kept_is_refused(settings, bob, channel, mode, address, refusal):
    slack = {"BACKEND": "holdfast_catalog_notify.backends.slack.SlackChannel"}
    settings.HOLDFAST_CATALOG_NOTIFY = {"CHANNELS": {"inbox": INBOX, "slack": slack}, "DEFAULT_CHANNELS": ["inbox"]}
    with pytest.raises(refusal):
        services.choose_channel(user_id=bob.pk, channel=channel, mode=mode, address=address)
    assert not ChannelPreference.objects.exists()


def test_what_one_mutes_has_a_limit(monkeypatch, bob, acme, lamp):
    monkeypatch.setattr(preferences, "MUTED_BRANDS_MAX", 1)
    for _time in range(2):
        services.mute_brand(user_id=bob.pk, brand_id=acme.pk)
    with pytest.raises(TooManyMutedBrands):
        services.mute_brand(user_id=bob.pk, brand_id=make_product().brand_id)
    assert selectors.muted_brands(user_id=bob.pk) == [acme.pk]


def test_nobody_mutes_a_brand_that_is_not(bob, lamp):
    with pytest.raises(BrandUnknown):
        services.mute_brand(user_id=bob.pk, brand_id=lamp.pk)


def test_the_link_ends_its_channel_for_its_admin_and_nothing_else(settings, ada, bob):
    settings.HOLDFAST_CATALOG_NOTIFY = {"BASE_URL": "https://shop.example/"}
    url = unsubscribe_url_of(user_id=bob.pk, channel="email")
    assert url.startswith("https://shop.example/api/catalog/unsubscribe/")
    token = url.rstrip("/").rpartition("/")[2]

    assert services.unsubscribe(token=token) == services.unsubscribe(token=token) == "email"
    modes = {one.channel: one.mode for one in selectors.preferences(user_id=bob.pk)}
    assert modes == {"inbox": "immediate", "email": "off"}
    assert {one.mode for one in selectors.preferences(user_id=ada.pk)} == {"immediate"}
    for forged in (token[:-1], f"{token}x", token.replace(":", ";"), "x", ""):
        with pytest.raises(UnsubscribeLinkInvalid):
            services.unsubscribe(token=forged)


# Sending


@pytest.fixture
def pending(scripted, bob, lamp):
    """One delivery of bob's over the scripted channel."""
    drain_outbox()
    return Delivery.objects.get()


def test_a_failed_delivery_waits_comes_again_and_is_logged(scripted, pending):
    scripted.failures = [OSError("down"), DeliveryFailed("busy", after_seconds=3_600)]
    worker = services.Worker()
    assert worker.run() == 0
    pending.refresh_from_db()
    assert (pending.state, pending.error, pending.attempts) == (DeliveryState.FAILED, "OSError: down", 1)
    assert pending.due_at > timezone.now()
    assert worker.run() == 0
    make_due()
    worker.run()
    pending.refresh_from_db()
    assert pending.due_at > timezone.now() + dt.timedelta(minutes=55)
    make_due()
    assert worker.run() == 1
    pending.refresh_from_db()
    assert (pending.state, pending.error, pending.provider_id) == ("sent", "", f"receipt-{pending.pk}")
    tries = [(one.number, one.error) for one in pending.tries.all()]
    assert tries == [(1, "OSError: down"), (2, "busy"), (3, "")]


def test_a_delivery_dies_when_it_is_refused_for_good_or_the_schedule_is_over(scripted, settings, pending):
    scripted.failures = [GiveUp("no such address")]
    services.Worker().run()
    assert told() == [("bob", "main", "dead")]
    settings.HOLDFAST_OUTBOX = {"RETRY_SECONDS": [1]}
    services.replay_delivery(delivery_id=pending.pk)
    scripted.failures = [OSError("one"), OSError("two")]
    for _time in range(2):
        make_due()
        services.Worker().run()
    assert told() == [("bob", "main", "dead")]
    assert DeliveryAttempt.objects.count() == 3


def test_a_dead_delivery_is_replayed_and_no_other(scripted, pending):
    with pytest.raises(DeliveryNotDead):
        services.replay_delivery(delivery_id=pending.pk)
    with pytest.raises(DeliveryNotFound):
        services.replay_delivery(delivery_id=pending.change_set_id)
    scripted.failures = [GiveUp("no")]
    services.Worker().run()
    services.replay_delivery(delivery_id=pending.pk)
    assert services.Worker().run() == 1
    assert told() == [("bob", "main", "sent")]
    assert [message.id for message in scripted.sent] == [pending.pk]


def test_the_next_channel_takes_over(scripted, settings, pending):
    options = {"FAILOVER": {"main": "spare"}, "FAILOVER_AFTER": 2}
    settings.HOLDFAST_CATALOG_NOTIFY = {**settings.HOLDFAST_CATALOG_NOTIFY, **options}
    scripted.failures = [OSError("one"), OSError("two")]
    for _time in range(2):
        make_due()
        assert services.Worker().run() in (0, 1)
    pending.refresh_from_db()
    assert (pending.state, pending.channel, pending.via) == ("sent", "main", "spare")
    assert [one.via for one in pending.tries.all()] == ["main", "main", "spare"]


def test_no_channel_takes_over_by_which_one_is_told_anyway(scripted, settings, ada, bob, lamp):
    settings.HOLDFAST_CATALOG_NOTIFY = {
        **settings.HOLDFAST_CATALOG_NOTIFY,
        "DEFAULT_CHANNELS": ["main", "inbox"],
        "FAILOVER": {"main": "inbox", "inbox": "spare"},
    }
    drain_outbox()
    Delivery.objects.all().delete()
    change_price(lamp, actor=ada)
    drain_outbox()
    scripted.failures = [GiveUp("no")]
    services.Worker().run()
    assert selectors.inbox(user_id=bob.pk).count() == 1
    assert sorted(Delivery.objects.values_list("channel", "via", "state")) == [
        ("inbox", "inbox", "sent"),
        ("main", "spare", "sent"),
    ]


def test_a_refusal_for_good_goes_to_the_next_channel_at_once_and_dies_at_the_last(scripted, settings, pending):
    settings.HOLDFAST_CATALOG_NOTIFY = {
        **settings.HOLDFAST_CATALOG_NOTIFY,
        "CHANNELS": {"main": SCRIPTED, "last": SCRIPTED},
        "FAILOVER": {"main": "last"},
    }
    scripted.failures = [GiveUp("no"), GiveUp("nor here")]
    services.Worker().run()
    pending.refresh_from_db()
    assert (pending.state, pending.via, pending.error) == ("dead", "last", "nor here")


def test_who_is_no_admin_any_more_is_not_told(scripted, pending, bob):
    bob.is_active = False
    bob.save()
    services.Worker().run()
    assert told() == [("bob", "main", "dead")]
    assert scripted.sent == []


def test_a_channel_that_is_gone_is_a_dead_letter(scripted, settings, pending):
    settings.HOLDFAST_CATALOG_NOTIFY = {}
    services.Worker().run()
    assert told() == [("bob", "main", "dead")]


def test_who_is_down_is_asked_seldom_and_nobodys_attempts_are_spent(scripted, bob, acme):
    for _number in range(25):
        make_product(brand=acme)
    drain_outbox()
    scripted.failures = [OSError("down")] * 25
    services.Worker().run()
    assert DeliveryAttempt.objects.count() == 20
    assert Delivery.objects.filter(state="pending", attempts=0).count() == 5


def test_the_lease_decides_who_writes_down_the_outcome(scripted, settings, pending):
    settings.HOLDFAST_CATALOG_NOTIFY = {**settings.HOLDFAST_CATALOG_NOTIFY, "LEASE_SECONDS": 0.0}
    slow = services.claim_message()
    quick = services.claim_message()
    assert slow.message_id == quick.message_id == pending.pk
    assert (slow.fate_unknown, quick.fate_unknown) == (False, True)
    assert services.confirm_message(claim=slow, provider_id="slow") is False
    assert services.fail_message(claim=slow, error=OSError("slow")) is False
    assert services.confirm_message(claim=quick, provider_id="quick") is True
    pending.refresh_from_db()
    assert (pending.state, pending.provider_id) == ("sent", "quick")


def test_what_is_taken_is_taken_by_nobody_else(scripted, pending):
    assert services.claim_message() is not None
    assert services.claim_message() is None


def test_a_message_that_kills_each_worker_comes_to_an_end(scripted, settings, pending):
    settings.HOLDFAST_OUTBOX = {"RETRY_SECONDS": [1, 1]}
    settings.HOLDFAST_CATALOG_NOTIFY = {**settings.HOLDFAST_CATALOG_NOTIFY, "LEASE_SECONDS": 0.0}
    for _death in range(3):
        assert services.claim_message()
    assert services.Worker().run() == 0
    assert told() == [("bob", "main", "dead")]


def test_where_nothing_may_come_twice_a_message_of_unknown_fate_waits_for_a_person(settings, bob, lamp):
    channel = {**EMAIL, "OPTIONS": {"at_most_once": True}}
    settings.HOLDFAST_CATALOG_NOTIFY = {
        "CHANNELS": {"email": channel, "inbox": INBOX},
        "DEFAULT_CHANNELS": ["email"],
        "FAILOVER": {"email": "inbox"},
        "LEASE_SECONDS": 0.0,
    }
    drain_outbox()
    services.claim_message()
    services.Worker().run()
    assert told() == [("bob", "email", "dead")]
    assert mail.outbox == []
    services.replay_delivery(delivery_id=Delivery.objects.get().pk)
    settings.HOLDFAST_CATALOG_NOTIFY = {**settings.HOLDFAST_CATALOG_NOTIFY, "LEASE_SECONDS": 60.0}
    assert services.Worker().run() == 1
    assert len(mail.outbox) == 1


# Inbox


def test_the_inbox_is_ones_own_and_counts_what_is_unread(ada, bob, lamp):
    change_price(lamp, actor=ada)
    drain_outbox()
    assert selectors.inbox(user_id=bob.pk).count() == 0
    services.Worker().run()

    assert selectors.inbox(user_id=bob.pk, unread=True).count() == 2
    entry = selectors.inbox(user_id=bob.pk).first()
    with pytest.raises(NotificationNotFound):
        services.mark_read(user_id=ada.pk, notification_id=entry.pk)
    read = services.mark_read(user_id=bob.pk, notification_id=entry.pk)
    assert services.mark_read(user_id=bob.pk, notification_id=entry.pk).read_at == read.read_at
    assert selectors.inbox(user_id=bob.pk, unread=True).count() == 1
    assert services.mark_all_read(user_id=bob.pk) == 1
    assert selectors.inbox(user_id=bob.pk, unread=True).count() == 0


# Bounces


def bounced(event_type, reject_reason=None, message_id="", recipient="Bob@Example.com"):
    anymail = pytest.importorskip("anymail.signals")
    event = anymail.AnymailTrackingEvent(
        event_type=event_type,
        message_id=message_id,
        recipient=recipient,
        reject_reason=reject_reason,
        description="550 no such user",
    )
    anymail.tracking.send(sender=object, event=event, esp_name="SendGrid")


@pytest.mark.parametrize(
    ("event_type", "reject_reason", "state", "suppressed"),
    [
        ("bounced", "bounced", "dead", True),
        ("bounced", "invalid", "dead", True),
        ("complained", "spam", "dead", True),
        ("bounced", "other", "dead", False),
        ("deferred", None, "sent", False),
        ("delivered", None, "sent", False),
        ("opened", None, "sent", False),
    ],
)
def test_what_a_provider_tells_later_counts(bob, lamp, event_type, reject_reason, state, suppressed):
    drain_outbox()
    services.Worker().run()
    delivery = Delivery.objects.get(channel="email")
    bounced(event_type, reject_reason, message_id=delivery.provider_id)

    delivery.refresh_from_db()
    assert delivery.state == state
    assert Suppression.objects.filter(address="bob@example.com").exists() is suppressed
    change_price(lamp)
    drain_outbox()
    services.Worker().run()
    assert len(mail.outbox) == (1 if suppressed else 2)
    if suppressed:
        assert services.lift_suppression(address="BOB@example.com")
        change_price(lamp, "13")
        drain_outbox()
        services.Worker().run()
        assert len(mail.outbox) == 2


def test_a_bounce_of_nobodys_mail_changes_nothing(bob, lamp):
    drain_outbox()
    services.Worker().run()
    bounced("bounced", "other", message_id="strange", recipient="")
    bounced("bounced", "bounced", message_id="", recipient="")
    assert {state for _name, _channel, state in told()} == {"sent"}
    assert not Suppression.objects.exists()
    assert handlers.tracking is not None


# Races


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_four_workers_one_sends_each_message(settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {"CHANNELS": {"main": SCRIPTED}, "DEFAULT_CHANNELS": ["main"]}
    Scripted.failures, Scripted.sent = [], []
    for _number in range(3):
        make_admin()
    for _number in range(5):
        make_product()
    drain_outbox()
    assert sum(race(lambda: services.Worker().run())) == 15
    assert len({message.id for message in Scripted.sent}) == len(Scripted.sent) == 15


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_four_workers_make_one_digest_of_one_window(settings):
    settings.HOLDFAST_CATALOG_NOTIFY = {"CHANNELS": {"main": SCRIPTED}, "DEFAULT_CHANNELS": ["main"]}
    Scripted.failures, Scripted.sent = [], []
    admins = [make_admin() for _number in range(4)]
    for admin in admins:
        services.choose_channel(user_id=admin.pk, channel="main", mode=Mode.DIGEST)
    for _number in range(10):
        make_product()
    drain_outbox()
    make_due()
    race(lambda: services.Worker().run())
    assert sorted(len(message.change_sets) for message in Scripted.sent) == [10] * 4


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_relays_that_tell_of_one_change_set_at_once_make_its_deliveries_once():
    for _number in range(10):
        make_admin()
    make_product()
    change_set = ChangeSet.objects.get()
    outcomes = race(lambda: services.notify_admins(change_set_id=change_set.pk))
    assert outcomes == [20] * 4
    assert Delivery.objects.count() == 20
