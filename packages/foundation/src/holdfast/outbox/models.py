"""The outbox's tables.

- ``OutboxEvent``: what happened; one row, written in the transaction of what it tells.
- ``OutboxSubscriber``: who is told: a handler in the code, a webhook endpoint, a broker. Gives each a small number.
- ``OutboxDelivery``: the queue: one narrow row for each event and subscriber, gone when it was delivered.
- ``OutboxDeadLetter``: a delivery that was given up, until somebody replays or discards it.
- ``OutboxAttempt``: the log of attempts (failures only, by default).
- ``OutboxLease``: which relay delivers which partition; its epoch fences a relay that was asleep.
- ``OutboxRelay``: the relays and when each was last seen.
- ``InboxEntry``: which event a handler already applied (``exactly_once``).
- ``WebhookEndpoint``: a receiver outside, its secrets and its state.

The relay reads and writes these tables with the SQL of its own modules; the ORM is for the admin and the commands.
"""

from django.db import models
from django.db.models import Q

from holdfast.ids import uuid7
from holdfast.outbox.indexes import BlockRangeIndex

NAME_LENGTH = 200


class OutboxEvent(models.Model):
    """One event, immutable but for ``routed``: whether the relay has written its deliveries.

    Every index is paid by the business transaction, so there are three cheap ones. The partial index holds the unrouted
    tail only. ``uid`` has no b-tree: UUIDv7 grows with time as the rows do, so that a block range index of a few pages
    finds one; it is unique by construction, and uniqueness for receivers is the inbox's.
    """

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid7, editable=False)
    type = models.CharField(max_length=120)
    key = models.CharField(max_length=120)
    part = models.SmallIntegerField()
    payload = models.JSONField()
    headers = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    routed = models.BooleanField(default=False)

    class Meta:
        verbose_name = "event"
        indexes = [
            models.Index(fields=["part", "id"], condition=Q(routed=False), name="holdfast_event_pending"),
            BlockRangeIndex(fields=["uid"], name="holdfast_event_uid"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.uid}"


class SubscriberKind(models.TextChoices):
    """What carries an event to a subscriber."""

    HANDLER = "handler"
    WEBHOOK = "webhook"
    BROKER = "broker"


class OutboxSubscriber(models.Model):
    """A stable name and its number. A row outlives the code that made it: its deliveries are kept and reported."""

    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    kind = models.CharField(max_length=10, choices=SubscriberKind, default=SubscriberKind.HANDLER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "subscriber"

    def __str__(self) -> str:
        return self.name


class OutboxDelivery(models.Model):
    """An event that a subscriber has yet to get. The primary key is the order of reading.

    ``due_at`` is NULL but for the failing head of a key, so that both partial indexes hold failing rows only.
    """

    pk = models.CompositePrimaryKey("subscriber_id", "part", "event_id")
    # No constraints, or the database would look up both for each row. The relay writes a delivery from the event
    # itself, the purge never deletes an event that has one, and subscribers are dropped through the ORM.
    subscriber = models.ForeignKey(
        OutboxSubscriber, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="deliveries"
    )
    part = models.SmallIntegerField()
    event = models.ForeignKey(
        OutboxEvent, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="deliveries"
    )
    key_hash = models.BigIntegerField()
    attempts = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "delivery"
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["subscriber", "part", "key_hash", "event"],
                condition=Q(due_at__isnull=False),
                name="holdfast_delivery_blocked",
            ),
            models.Index(
                fields=["subscriber", "due_at"], condition=Q(due_at__isnull=False), name="holdfast_delivery_due"
            ),
        ]

    def __str__(self) -> str:
        return f"event {self.event_id} to {self.subscriber_id}"


class Resolution(models.TextChoices):
    """What became of a dead letter."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class OutboxDeadLetter(models.Model):
    """A delivery that was given up. Its event is kept until somebody replays or discards it."""

    event = models.ForeignKey(OutboxEvent, on_delete=models.CASCADE, related_name="dead_letters")
    subscriber = models.ForeignKey(OutboxSubscriber, on_delete=models.CASCADE, related_name="dead_letters")
    attempts = models.SmallIntegerField()
    error = models.TextField()
    died_at = models.DateTimeField()
    resolution = models.CharField(max_length=10, choices=Resolution, default=Resolution.OPEN)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "dead letter"
        indexes = [
            models.Index(fields=["died_at"], condition=Q(resolution=Resolution.OPEN), name="holdfast_deadletter_open"),
        ]

    def __str__(self) -> str:
        return f"event {self.event_id} to {self.subscriber_id}"


class OutboxAttempt(models.Model):
    """One attempt at a delivery, as far as ``ATTEMPT_LOG`` asks for it."""

    # Plain numbers: a log line must not keep an event from being purged, nor cost an index more than the one it is read
    # by.
    event_id = models.BigIntegerField()
    subscriber = models.ForeignKey(
        OutboxSubscriber, on_delete=models.CASCADE, db_index=False, related_name="logged_attempts"
    )
    number = models.SmallIntegerField()
    at = models.DateTimeField()
    duration_ms = models.IntegerField()
    succeeded = models.BooleanField()
    status = models.SmallIntegerField(null=True)
    detail = models.TextField(blank=True)

    class Meta:
        verbose_name = "attempt"
        indexes = [
            models.Index(fields=["subscriber", "event_id"], name="holdfast_attempt_delivery"),
            models.Index(fields=["at"], name="holdfast_attempt_at"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of event {self.event_id}"


class OutboxLease(models.Model):
    """Who delivers a partition, until when. The epoch grows with each owner and fences the one before."""

    part = models.SmallIntegerField(primary_key=True)
    owner = models.CharField(max_length=80, blank=True)
    epoch = models.BigIntegerField(default=0)
    until = models.DateTimeField()

    class Meta:
        verbose_name = "lease"

    def __str__(self) -> str:
        return f"{self.part}: {self.owner}"


class OutboxRelay(models.Model):
    """A relay process, seen while it renews its leases."""

    name = models.CharField(primary_key=True, max_length=80)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = "relay"

    def __str__(self) -> str:
        return self.name


class InboxEntry(models.Model):
    """A handler has applied an event: committed together with its effects."""

    consumer = models.CharField(max_length=NAME_LENGTH)
    event_uid = models.UUIDField()
    applied_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "inbox entry"
        verbose_name_plural = "inbox entries"
        constraints = [
            models.UniqueConstraint(fields=["consumer", "event_uid"], name="holdfast_inbox_applied_once"),
        ]
        indexes = [BlockRangeIndex(fields=["applied_at"], name="holdfast_inbox_applied_at")]

    def __str__(self) -> str:
        return f"{self.consumer} {self.event_uid}"


class EndpointState(models.TextChoices):
    """Whether a webhook endpoint is told."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class WebhookEndpoint(models.Model):
    """A receiver outside: paused, its events are kept for it; disabled, it gets none."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    url = models.CharField("URL", max_length=2000)
    patterns = models.JSONField(default=list, help_text="Event types or patterns, such as holdfast_wallet.*")
    sealed_secrets = models.TextField(blank=True, editable=False)
    state = models.CharField(max_length=10, choices=EndpointState, default=EndpointState.ACTIVE)
    state_reason = models.CharField(max_length=500, blank=True)
    failing_since = models.DateTimeField(null=True, editable=False)
    subscriber = models.OneToOneField(
        OutboxSubscriber, on_delete=models.PROTECT, editable=False, related_name="webhook_endpoint"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "webhook endpoint"

    def __str__(self) -> str:
        return self.name
