"""The outbox."""

import django.db.models.deletion
import holdfast.ids
import holdfast.outbox.indexes
from django.db import migrations, models


# The queue empties as fast as it fills: a share of the table says nothing about its dead rows, a number does.
VACUUM_BY_NUMBER = "autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_scale_factor = 0"


def vacuum_by_number(apps, schema_editor):
    """Let autovacuum come after a number of dead rows (PostgreSQL)."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE holdfast_outboxdelivery SET ({VACUUM_BY_NUMBER})")
        schema_editor.execute(f"ALTER TABLE holdfast_outboxevent SET ({VACUUM_BY_NUMBER})")


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="OutboxLease",
            fields=[
                ("part", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("owner", models.CharField(blank=True, max_length=80)),
                ("epoch", models.BigIntegerField(default=0)),
                ("until", models.DateTimeField()),
            ],
            options={
                "verbose_name": "lease",
            },
        ),
        migrations.CreateModel(
            name="OutboxRelay",
            fields=[
                ("name", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "relay",
            },
        ),
        migrations.CreateModel(
            name="OutboxSubscriber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("handler", "Handler"), ("webhook", "Webhook"), ("broker", "Broker")],
                        default="handler",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "subscriber",
            },
        ),
        migrations.CreateModel(
            name="InboxEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("consumer", models.CharField(max_length=200)),
                ("event_uid", models.UUIDField()),
                ("applied_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "inbox entry",
                "verbose_name_plural": "inbox entries",
                "indexes": [
                    holdfast.outbox.indexes.BlockRangeIndex(fields=["applied_at"], name="holdfast_inbox_applied_at")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("consumer", "event_uid"), name="holdfast_inbox_applied_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="OutboxEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=holdfast.ids.uuid7, editable=False)),
                ("type", models.CharField(max_length=120)),
                ("key", models.CharField(max_length=120)),
                ("part", models.SmallIntegerField()),
                ("payload", models.JSONField()),
                ("headers", models.JSONField(default=dict)),
                ("occurred_at", models.DateTimeField()),
                ("routed", models.BooleanField(default=False)),
            ],
            options={
                "verbose_name": "event",
                "indexes": [
                    models.Index(
                        condition=models.Q(("routed", False)), fields=["part", "id"], name="holdfast_event_pending"
                    ),
                    holdfast.outbox.indexes.BlockRangeIndex(fields=["uid"], name="holdfast_event_uid"),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", models.UUIDField(default=holdfast.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("url", models.CharField(max_length=2000, verbose_name="URL")),
                (
                    "patterns",
                    models.JSONField(default=list, help_text="Event types or patterns, such as holdfast_wallet.*"),
                ),
                ("sealed_secrets", models.TextField(blank=True, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Active"), ("paused", "Paused"), ("disabled", "Disabled")],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("state_reason", models.CharField(blank=True, max_length=500)),
                ("failing_since", models.DateTimeField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "subscriber",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhook_endpoint",
                        to="holdfast.outboxsubscriber",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook endpoint",
            },
        ),
        migrations.CreateModel(
            name="OutboxDelivery",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "subscriber_id",
                        "part",
                        "event_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("part", models.SmallIntegerField()),
                ("key_hash", models.BigIntegerField()),
                ("attempts", models.SmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(null=True)),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="deliveries",
                        to="holdfast.outboxevent",
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="holdfast.outboxsubscriber",
                    ),
                ),
            ],
            options={
                "verbose_name": "delivery",
                "verbose_name_plural": "deliveries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["subscriber", "part", "key_hash", "event"],
                        name="holdfast_delivery_blocked",
                    ),
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["subscriber", "due_at"],
                        name="holdfast_delivery_due",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OutboxDeadLetter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("attempts", models.SmallIntegerField()),
                ("error", models.TextField()),
                ("died_at", models.DateTimeField()),
                (
                    "resolution",
                    models.CharField(
                        choices=[("open", "Open"), ("replayed", "Replayed"), ("discarded", "Discarded")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dead_letters",
                        to="holdfast.outboxevent",
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dead_letters",
                        to="holdfast.outboxsubscriber",
                    ),
                ),
            ],
            options={
                "verbose_name": "dead letter",
                "indexes": [
                    models.Index(
                        condition=models.Q(("resolution", "open")), fields=["died_at"], name="holdfast_deadletter_open"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OutboxAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event_id", models.BigIntegerField()),
                ("number", models.SmallIntegerField()),
                ("at", models.DateTimeField()),
                ("duration_ms", models.IntegerField()),
                ("succeeded", models.BooleanField()),
                ("status", models.SmallIntegerField(null=True)),
                ("detail", models.TextField(blank=True)),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="logged_attempts",
                        to="holdfast.outboxsubscriber",
                    ),
                ),
            ],
            options={
                "verbose_name": "attempt",
                "indexes": [
                    models.Index(fields=["subscriber", "event_id"], name="holdfast_attempt_delivery"),
                    models.Index(fields=["at"], name="holdfast_attempt_at"),
                ],
            },
        ),
        migrations.RunPython(vacuum_by_number, migrations.RunPython.noop),
    ]
