"""Celery doors to services; each is a management command too, for hosts without Celery.

::

    beat_schedule = {
        "expire holds": {"task": "holdfast_wallet.tasks.expire_holds", "schedule": 60},
        "ask the payment rail": {"task": "holdfast_wallet.tasks.sync_payments", "schedule": 60},
        "seal the ledger": {"task": "holdfast_wallet.tasks.seal", "schedule": 300},
        "verify the ledger": {"task": "holdfast_wallet.tasks.verify", "schedule": crontab(hour=3)},
    }
"""

import logging

from celery import shared_task

from holdfast_wallet import services
from holdfast_wallet.services import Finding

logger = logging.getLogger("holdfast_wallet")


@shared_task(ignore_result=True)
def expire_holds(limit: int = 500) -> int:
    """End the holds whose time is over; at most ``limit`` in one run."""
    return services.expire_holds(limit=limit)


@shared_task(ignore_result=True)
def sync_payments(limit: int = 100) -> int:
    """Ask the payment rail about the pending payments that are due."""
    return services.sync_payments(limit=limit)


@shared_task(ignore_result=True)
def seal() -> int:
    """Prolong the hash chain."""
    return services.seal()


@shared_task(ignore_result=True)
def verify() -> int:
    """Recompute the ledger; log each finding as critical and return how many there are."""
    findings = [step for step in services.verify() if isinstance(step, Finding)]
    for finding in findings:
        logger.critical(
            "The ledger is wrong: %s: %s (account %s, transfer %s, expected %s, found %s)",
            finding.check,
            finding.message,
            finding.account_id,
            finding.transfer_id,
            finding.expected,
            finding.found,
        )
    return len(findings)
