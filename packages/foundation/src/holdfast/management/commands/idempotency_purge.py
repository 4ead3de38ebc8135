"""``manage.py idempotency_purge``: forget the answers of old requests."""

from typing import Any

from django.core.management.base import BaseCommand

from holdfast.idempotency import purge_keys


class Command(BaseCommand):
    """The door to ``purge_keys``, for hosts without Celery."""

    help = "Deletes idempotency keys that are older than HOLDFAST['IDEMPOTENCY_RETENTION_HOURS']."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Delete."""
        self.stdout.write(f"Deleted {purge_keys()} idempotency keys.")
