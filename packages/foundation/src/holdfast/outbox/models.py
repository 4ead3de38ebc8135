"""The outbox's tables."""

from django.db import models


class OutboxEvent(models.Model):
    """One event, written in the transaction of what it tells; immutable but for ``routed``."""

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField()
    type = models.CharField(max_length=120)
    key = models.CharField(max_length=120)
    part = models.SmallIntegerField()
    payload = models.JSONField()
    headers = models.JSONField()
    occurred_at = models.DateTimeField()
    routed = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["part", "id"], condition=models.Q(routed=False), name="holdfast_event_pending"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.uid}"
