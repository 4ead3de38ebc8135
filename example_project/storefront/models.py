"""What the pages remember by themselves.

``Notice`` is one line on somebody's activity page; the reactions write it when an event concerns them.
"""

from django.conf import settings
from django.db import models


class Notice(models.Model):
    """Something that happened to a person, in a sentence."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    event_id = models.UUIDField()
    icon = models.CharField(max_length=16)
    text = models.CharField(max_length=240)
    address = models.CharField(max_length=200, blank=True)
    occurred_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-occurred_at", "-id")
        constraints = [
            # Events are told at least once; a person reads of each once.
            models.UniqueConstraint(fields=["user", "event_id"], name="storefront_notice_once"),
        ]
        indexes = [models.Index(fields=["user", "-occurred_at", "-id"], name="storefront_notice_newest")]

    def __str__(self) -> str:
        return self.text
