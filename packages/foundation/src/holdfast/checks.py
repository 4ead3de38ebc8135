"""Start-up checks, and one that domains run on the database of their own tables."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution
from django.db import connections, router
from django.db.models import Model

from holdfast.conf import settings
from holdfast.events import registry
from holdfast.outbox.conf import settings as outbox_settings
from holdfast.outbox.dialect import VENDORS
from holdfast.outbox.models import OutboxEvent
from holdfast.outbox.subscriptions import matches, subscriptions


@register
def check_foundation(**_kwargs: Any) -> list[CheckMessage]:
    """Check the foundation's own settings."""
    errors: list[CheckMessage] = [*settings.check("holdfast")]
    if not errors and settings.IDEMPOTENCY_RETENTION_HOURS < 24:
        errors.append(
            Error(
                "HOLDFAST['IDEMPOTENCY_RETENTION_HOURS'] is less than 24.",
                hint="A client may repeat a request for a day: with its key forgotten, it has two effects.",
                id="holdfast.E005",
            )
        )
    return errors


@register
def check_outbox(**_kwargs: Any) -> list[CheckMessage]:
    """Check the outbox's settings and subscriptions."""
    return [*outbox_settings.check("holdfast.outbox"), *_networks(), *_subscriptions()]


@register
def check_database(*, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Check that the outbox speaks the language of its database."""
    return [
        Error(
            f"The outbox works on PostgreSQL and SQLite, not on {connections[alias].vendor}.",
            hint="Route the app 'holdfast' and the apps that emit to a database that is one of them.",
            id="holdfast.outbox.E010",
        )
        for alias in databases or []
        if connections[alias].vendor not in VENDORS and OutboxEvent._meta.can_migrate(connections[alias])
    ]


def engine_of(model: type[Model], *, label: str, error: str) -> list[CheckMessage]:
    """Refuse to keep a model in anything but PostgreSQL or SQLite, and warn of SQLite transactions that begin too late.

    The messages' ids are ``<label>.<error>`` and ``<label>.W001``.
    """
    alias = router.db_for_write(model)
    connection = connections[alias]
    if connection.vendor not in VENDORS:
        return [
            Error(
                f"{label} cannot be kept in {connection.display_name} (database {alias!r}).",
                hint="Use PostgreSQL, or SQLite on one machine: rules of its tables are written for no other.",
                id=f"{label}.{error}",
            )
        ]
    mode = connection.settings_dict.get("OPTIONS", {}).get("transaction_mode")
    if connection.vendor == "sqlite" and str(mode).upper() not in ("IMMEDIATE", "EXCLUSIVE"):
        return [
            Caution(
                f"SQLite transactions of the database {alias!r} begin as readers.",
                hint="Two that read and then write refuse each other with 'database is locked', however patient. "
                f"Set DATABASES[{alias!r}]['OPTIONS'] = {{'transaction_mode': 'IMMEDIATE'}}.",
                id=f"{label}.W001",
            )
        ]
    return []


def _networks() -> Iterator[CheckMessage]:
    for network in outbox_settings.WEBHOOK_ALLOWED_NETWORKS:
        try:
            ip_network(network)
        except ValueError as error:
            yield Error(
                f"HOLDFAST_OUTBOX['WEBHOOK_ALLOWED_NETWORKS'] has {network!r}: {error}.",
                hint="Write networks as 10.1.0.0/16 or fd00::/8.",
                id="holdfast.outbox.E011",
            )


def _subscriptions() -> Iterator[CheckMessage]:
    for subscription in subscriptions.values():
        for pattern in subscription.patterns:
            if not any(matches(event_type, [pattern]) for event_type in registry):
                yield Caution(
                    f"{subscription.name!r} subscribes to {pattern!r}, which no installed app declares.",
                    hint="Correct the type, or install the app whose event it is.",
                    id="holdfast.outbox.W001",
                )
