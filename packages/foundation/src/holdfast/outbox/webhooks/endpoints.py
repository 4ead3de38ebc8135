"""The verbs of webhook endpoints."""

import datetime as dt
from uuid import UUID

from django.db import router
from django.utils import timezone

from holdfast.outbox.conf import settings
from holdfast.outbox.emission import emit
from holdfast.outbox.events import WebhookDisabled
from holdfast.outbox.models import EndpointState, OutboxSubscriber, SubscriberKind, WebhookEndpoint
from holdfast.outbox.wakeup import after_commit_wakeup
from holdfast.outbox.webhooks import vault
from holdfast.outbox.webhooks.addresses import parse
from holdfast.outbox.webhooks.signing import generate_secret
from holdfast.transactions import atomic_for

ROTATION_OVERLAP = dt.timedelta(days=1)


@atomic_for(WebhookEndpoint)
def create_endpoint(*, name: str, url: str, patterns: list[str], secret: str | None = None) -> WebhookEndpoint:
    """Make an endpoint, with a secret of its own unless the receiver gave one.

    Raises ``Refused`` for a URL that no webhook may go to, ``BadSecret``.
    """
    parse(url)
    endpoint = WebhookEndpoint(name=name, url=url, patterns=patterns)
    endpoint.subscriber = OutboxSubscriber.objects.create(name=f"webhook:{endpoint.pk}", kind=SubscriberKind.WEBHOOK)
    vault.put(endpoint, secret or generate_secret(), overlap=ROTATION_OVERLAP)
    endpoint.save()
    return endpoint


@atomic_for(WebhookEndpoint)
def rotate_secret(*, endpoint_id: UUID, secret: str | None = None) -> str:
    """Give an endpoint a new secret and return it; the old one signs beside it for a day. Raises ``BadSecret``."""
    endpoint = _lock(endpoint_id)
    new = secret or generate_secret()
    try:
        vault.put(endpoint, new, overlap=ROTATION_OVERLAP)
    except vault.SealBroken:
        # What cannot be opened cannot sign either: begin anew.
        endpoint.sealed_secrets = ""
        vault.put(endpoint, new, overlap=ROTATION_OVERLAP)
    endpoint.save(update_fields=["sealed_secrets", "updated_at"])
    return new


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """Return the secrets that sign now, the newest first. Raises ``SealBroken``."""
    return vault.active_secrets(endpoint)


@atomic_for(WebhookEndpoint)
def pause_endpoint(*, endpoint_id: UUID, reason: str) -> WebhookEndpoint:
    """Send nothing more; its events wait for it."""
    endpoint = _lock(endpoint_id)
    _set_state(endpoint, EndpointState.PAUSED, reason)
    return endpoint


@atomic_for(WebhookEndpoint)
def enable_endpoint(*, endpoint_id: UUID) -> WebhookEndpoint:
    """Send again, beginning with what waited. Events from while it was disabled are not among them: replay those."""
    endpoint = _lock(endpoint_id)
    endpoint.failing_since = None
    _set_state(endpoint, EndpointState.ACTIVE, "")
    after_commit_wakeup(router.db_for_write(WebhookEndpoint))
    return endpoint


@atomic_for(WebhookEndpoint)
def disable_endpoint(*, endpoint_id: UUID, reason: str) -> WebhookEndpoint:
    """Route nothing more to an endpoint. Emits ``WebhookDisabled``."""
    endpoint = _lock(endpoint_id)
    if endpoint.state != EndpointState.DISABLED:
        _set_state(endpoint, EndpointState.DISABLED, reason)
        emit(WebhookDisabled(endpoint_id=str(endpoint.pk), name=endpoint.name, url=endpoint.url, reason=reason))
    return endpoint


def note_failure(*, endpoint_id: UUID) -> None:
    """Remember since when nothing but failure came back; disable the endpoint when that is long enough."""
    now = timezone.now()
    endpoints = WebhookEndpoint.objects.using(router.db_for_write(WebhookEndpoint)).filter(pk=endpoint_id)
    endpoints.filter(failing_since=None).update(failing_since=now)
    days = settings.WEBHOOK_DISABLE_AFTER_DAYS
    if endpoints.filter(failing_since__lt=now - dt.timedelta(days=days), state=EndpointState.ACTIVE).exists():
        disable_endpoint(endpoint_id=endpoint_id, reason=f"Every webhook failed for {days:g} days.")


def note_success(*, endpoint_id: UUID) -> None:
    """Forget the failures."""
    WebhookEndpoint.objects.filter(pk=endpoint_id, failing_since__isnull=False).update(failing_since=None)


def _lock(endpoint_id: UUID) -> WebhookEndpoint:
    return WebhookEndpoint.objects.select_for_update().get(pk=endpoint_id)


def _set_state(endpoint: WebhookEndpoint, state: EndpointState, reason: str) -> None:
    endpoint.state = state
    endpoint.state_reason = reason
    endpoint.save(update_fields=["state", "state_reason", "failing_since", "updated_at"])
