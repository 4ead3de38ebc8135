"""Sending what is due: the worker's side.

A message is taken (a lease is written on its deliveries and the attempt is counted), sent outside any transaction, and
its outcome written down by who still holds the lease. A worker that is killed

- before the lease is committed, has done nothing;
- after that, leaves the message until its lease runs out: then it is sent again under the same id. Whoever knows the
  id is told once; where nobody does (SMTP), once or twice, or with ``at_most_once`` once or not at all, which a person
  decides;
- after the outcome is committed, has done all.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db import DatabaseError, connections
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from holdfast.outbox import DeliveryFailed, GiveUp
from holdfast.outbox.circuit import Circuit
from holdfast.outbox.retry import delay_seconds
from holdfast.transactions import atomic_for
from holdfast_catalog_notify import selectors
from holdfast_catalog_notify.backends.posting import HttpChannel
from holdfast_catalog_notify.conf import settings
from holdfast_catalog_notify.exceptions import DeliveryNotDead, DeliveryNotFound
from holdfast_catalog_notify.models import ChannelPreference, Delivery, DeliveryAttempt, Suppression
from holdfast_catalog_notify.models.notifications import ERROR_LENGTH, OPEN, PROVIDER_ID_LENGTH
from holdfast_catalog_notify.services.messages import message_of
from holdfast_catalog_notify.services.rows import using
from holdfast_catalog_notify.states import DeliveryState, Mode

logger = logging.getLogger("holdfast_catalog_notify")

DIGEST_MAX = 500
UNKNOWN_FATE = "The worker died while it sent this; nobody knows whether it arrived."


@dataclass(frozen=True)
class Claim:
    """A message that belongs to this worker for a while."""

    message_id: UUID
    lease: UUID
    via: str
    recipient_id: Any
    fate_unknown: bool


@dataclass(frozen=True)
class Route:
    """What can be down by itself: a channel or, with ``recipient_id``, the address that one admin gave for it."""

    via: str
    recipient_id: Any = None


def claim_message(*, without: Collection[Route] = ()) -> Claim | None:
    """Take the message that has been due for longest, but none over the routes of ``without``, and count the attempt.

    Returns ``None`` if nothing is due.
    """
    with atomic_for(Delivery):
        return _claim(_due_rows(without))


def send_message(*, claim: Claim) -> str:
    """Send a message that was taken; return the receiver's id of it. Raises what the channel does, and ``GiveUp``.

    Outside any transaction: nothing waits for a receiver while it holds a lock.
    """
    deliveries = list(_held(claim).order_by("change_set_id").select_related("recipient", "change_set"))
    if not deliveries:
        raise GiveUp("The lease is lost.")
    if claim.fate_unknown and deliveries[0].attempts > 1 and delay_seconds(deliveries[0].attempts - 1) is None:
        raise GiveUp(UNKNOWN_FATE)  # it has killed whoever tried, each time
    channel = selectors.channel(claim.via)
    if channel is None:
        raise GiveUp(f"There is no channel {claim.via!r} any more.")
    if claim.fate_unknown and channel.at_most_once:
        raise GiveUp(UNKNOWN_FATE)
    recipient = deliveries[0].recipient
    if not (recipient.is_active and recipient.is_staff):
        raise GiveUp("The recipient is no active admin any more.")
    chosen_off = ChannelPreference.objects.using(using()).filter(user=recipient, mode=Mode.OFF)
    if chosen_off.filter(channel__in=[claim.via, deliveries[0].channel]).exists():
        raise GiveUp("The recipient does not want to be told over this channel any more.")
    message = message_of(deliveries=deliveries)
    if not message.change_sets:
        raise GiveUp("The recipient has muted all of it.")
    if selectors.is_suppressed(channel=channel, recipient=message.recipient, using=using()):
        raise GiveUp("The address is suppressed: mail to it bounced, or was complained of.")
    return channel.send(message)


@atomic_for(Delivery)
def confirm_message(*, claim: Claim, provider_id: str) -> bool:
    """Write down that a message was taken; return whether it was still ours."""
    now, provider_id = timezone.now(), _storable(provider_id, PROVIDER_ID_LENGTH)
    rows = _locked(claim)
    for row in rows:
        row.confirm(at=now, provider_id=provider_id)
    _write(rows, claim, provider_id=provider_id)
    return bool(rows)


@atomic_for(Delivery)
def fail_message(*, claim: Claim, error: Exception) -> bool:
    """Write down that sending failed: again later, over the next channel, or never; return whether it was ours."""
    reason = str(error) if isinstance(error, DeliveryFailed) and str(error) else f"{type(error).__name__}: {error}"
    reason = _storable(reason, ERROR_LENGTH)
    final = isinstance(error, DeliveryFailed) and error.final
    asked = error.after_seconds if isinstance(error, DeliveryFailed) else None
    now = timezone.now()
    rows = _locked(claim)
    attempts = rows[0].attempts if rows else 0
    # One wait for all of a digest, or it would come apart.
    seconds = None if final else delay_seconds(attempts, asked)
    following = _following(rows, claim.via)
    for row in rows:
        number = row.attempts
        if following and reason != UNKNOWN_FATE and (seconds is None or number >= settings.FAILOVER_AFTER):
            row.via, row.attempts = following, 0
            row.postpone(until=now, error=reason)
        elif seconds is None:
            row.give_up(error=reason)
        else:
            row.postpone(until=now + dt.timedelta(seconds=seconds), error=reason)
    _write(rows, claim, error=reason, number=attempts)
    return bool(rows)


@atomic_for(Delivery)
def replay_delivery(*, delivery_id: UUID) -> Delivery:
    """Send a dead delivery again, beginning with the channel that the admin chose; return it with its tries.

    By itself, also if it was part of a digest, and under its own id: should it have arrived after all, who knows the
    id is not told twice. Raises ``DeliveryNotFound``, ``DeliveryNotDead``.
    """
    delivery = selectors.deliveries(using=using()).select_for_update().filter(pk=delivery_id).first()
    if delivery is None:
        raise DeliveryNotFound(delivery_id=str(delivery_id))
    if delivery.state != DeliveryState.DEAD:
        raise DeliveryNotDead(delivery_id=str(delivery_id), state=delivery.state)
    delivery.replay(at=timezone.now())
    delivery.message_id, delivery.digest = None, False
    delivery.save(update_fields=["state", "via", "due_at", "attempts", "sent_at", "message_id", "digest"])
    return delivery


@atomic_for(Delivery)
def note_bounce(*, provider_id: str, address: str, reason: str, suppress: bool) -> int:
    """Write down that a mail came back or was complained of; return how many deliveries that were.

    With ``suppress`` nothing is sent to the address any more, until somebody lifts it.
    """
    if suppress and address:
        Suppression.objects.get_or_create(address=address.lower()[:254], defaults={"reason": reason[:200]})
    if not provider_id:
        return 0
    rows = list(
        Delivery.objects.select_for_update()
        .filter(provider_id=provider_id[:PROVIDER_ID_LENGTH], state=DeliveryState.SENT)
        .order_by("pk")
    )
    for row in rows:
        row.bounce(error=_storable(reason, ERROR_LENGTH))
        row.save(update_fields=["state", "error"])
    return len(rows)


def lift_suppression(*, address: str) -> bool:
    """Send to an address again; return whether it was suppressed."""
    return bool(Suppression.objects.filter(address=address.lower()).delete()[0])


class Worker:
    """Sends due messages, one after the other; several workers share the work. Who is down is asked seldom."""

    def __init__(self) -> None:
        self._circuits: dict[Route, Circuit] = {}

    def run(self, *, seconds: float | None = None, stopped: Callable[[], bool] = lambda: False) -> int:
        """Send until nothing is due, or for so long; return how many messages arrived."""
        until = None if seconds is None else time.monotonic() + seconds
        sent = 0
        while not stopped() and (until is None or time.monotonic() < until):
            claim = claim_message(without=[route for route, one in self._circuits.items() if not one.ready()])
            if claim is None:
                break
            sent += self._send(claim)
        return sent

    def follow(self, *, pause_seconds: float = 1.0, stopped: Callable[[], bool]) -> int:
        """Send whatever becomes due until told to stop; return how many messages arrived."""
        sent = 0
        while not stopped():
            try:
                sent += self.run(stopped=stopped)
            except DatabaseError:
                logger.exception("The database does not answer; what was taken comes again when its lease runs out.")
                connections[using()].close()
            if not stopped():
                time.sleep(pause_seconds)
        return sent

    def _send(self, claim: Claim) -> int:
        circuit = self._circuits.setdefault(_route(claim), Circuit())
        circuit.admit()
        try:
            provider_id = send_message(claim=claim)
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stranger's channel raises is a failed attempt
            logger.warning("Message %s failed over %s: %r", claim.message_id, claim.via, error)
            if not (isinstance(error, DeliveryFailed) and error.final):  # which speaks of this message alone
                circuit.failed()
            kept = fail_message(claim=claim, error=error)
            arrived = 0
        else:
            circuit.succeeded()
            kept = confirm_message(claim=claim, provider_id=provider_id)
            arrived = 1
        if not kept:
            logger.warning("Message %s took longer than its lease; another worker has it.", claim.message_id)
        return arrived


def _route(claim: Claim) -> Route:
    """Return what a message takes: whoever gave an address of his own is down by himself, and keeps nobody waiting."""
    preference = ChannelPreference.objects.using(using()).filter(user_id=claim.recipient_id, channel=claim.via)
    if isinstance(selectors.channel(claim.via), HttpChannel) and preference.exclude(address="").exists():
        return Route(claim.via, claim.recipient_id)
    return Route(claim.via)


def _storable(said: object, length: int) -> str:
    """Return what a stranger said as a column can hold it; sending it once more would not make it any better."""
    return str(said).replace("\0", "").encode(errors="replace").decode()[:length]


def _following(rows: Sequence[Delivery], via: str) -> str | None:
    """Return the channel that takes over: the next one over which the recipient is not told of it anyway."""
    told = Delivery.objects.using(using()).filter(
        recipient_id__in={row.recipient_id for row in rows}, change_set_id__in=[row.change_set_id for row in rows]
    )
    told_over = set(told.values_list("channel", flat=True))
    seen = {via}
    while (following := settings.FAILOVER.get(via)) not in {None, *seen}:
        if following not in told_over:
            return following
        seen.add(via := following)
    return None


def _due_rows(without: Collection[Route]) -> Sequence[Delivery]:
    """Return the deliveries of the next message, locked: one, or all of a digest.

    The row that has the message's id stands for the message: who has locked it has them all, so two workers never
    wait for each other over the halves of a digest.
    """
    now = timezone.now()
    due = (
        Delivery.objects.filter(state__in=OPEN, due_at__lte=now)
        .filter(Q(lease__isnull=True) | Q(leased_until__lt=now))
        .order_by("due_at", "pk")
    )
    for route in without:
        whose = {} if route.recipient_id is None else {"recipient_id": route.recipient_id}
        due = due.exclude(via=route.via, **whose)
    first = (
        due.filter(Q(message_id__isnull=True, digest=False) | Q(message_id=F("pk")))
        .select_for_update(skip_locked=True)
        .first()
    )
    if first is not None:
        if not first.digest:
            return [first]
        return list(due.filter(message_id=first.pk).select_for_update())
    fresh = due.filter(message_id__isnull=True, digest=True)
    theirs = fresh.order_by().filter(recipient_id=OuterRef("user_id"), channel=OuterRef("channel"))
    preference = ChannelPreference.objects.filter(Exists(theirs)).select_for_update(skip_locked=True).first()
    if preference is None:
        return []
    mine = fresh.filter(recipient_id=preference.user_id, channel=preference.channel)
    # If another worker took them between the two statements, there may still be another digest.
    return list(mine.order_by("pk").select_for_update()[:DIGEST_MAX]) or _due_rows(without)


def _claim(rows: Sequence[Delivery]) -> Claim | None:
    if not rows:
        return None
    first = min(rows, key=lambda row: row.pk)
    lease, message_id = uuid4(), first.message_id or first.pk
    until = timezone.now() + dt.timedelta(seconds=settings.LEASE_SECONDS)
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        lease=lease, leased_until=until, message_id=message_id, attempts=F("attempts") + 1
    )
    return Claim(message_id, lease, first.via, first.recipient_id, fate_unknown=first.lease is not None)


def _held(claim: Claim) -> Any:
    return Delivery.objects.using(using()).filter(message_id=claim.message_id, lease=claim.lease).order_by("pk")


def _locked(claim: Claim) -> list[Delivery]:
    return list(_held(claim).select_for_update())


def _write(rows: Sequence[Delivery], claim: Claim, *, number: int = 0, provider_id: str = "", error: str = "") -> None:
    for row in rows:
        row.lease = row.leased_until = None
        row.save(
            update_fields=[
                "state",
                "via",
                "due_at",
                "attempts",
                "provider_id",
                "error",
                "sent_at",
                "lease",
                "leased_until",
            ]
        )
    DeliveryAttempt.objects.using(using()).bulk_create(
        DeliveryAttempt(
            delivery=row, number=number or row.attempts, via=claim.via, provider_id=provider_id, error=error
        )
        for row in rows
    )
