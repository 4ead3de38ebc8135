"""Celery's doors: each task is a management command too, for hosts without Celery."""

from celery import shared_task

from holdfast.idempotency import purge_keys
from holdfast.outbox.relay import Relay
from holdfast.outbox.retention import purge


@shared_task(ignore_result=True)
def drain_outbox(seconds: float = 50.0) -> int:
    """Deliver what is there, for at most so long, beside whatever relays there are: the leases are the same.

    A host that can run ``outbox_relay`` runs that; this is for one that has workers and a beat, and nothing else.
    """
    return Relay().drain(seconds=seconds)


@shared_task(ignore_result=True)
def purge_outbox() -> None:
    """Delete what was delivered long ago."""
    purge()


@shared_task(ignore_result=True)
def purge_idempotency_keys() -> int:
    """Forget the answers of old requests."""
    return purge_keys()
