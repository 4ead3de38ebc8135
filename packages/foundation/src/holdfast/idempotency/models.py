"""The table of idempotency keys."""

from django.db import models


class IdempotencyKey(models.Model):
    """One key of one caller: the request that it stands for and, once there is one, the answer."""

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=500, help_text="Who asked for what: user, method and route.")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    claim = models.UUIDField(help_text="Which run holds the key; a run whose lease was taken over stores nothing.")
    claimed_until = models.DateTimeField(null=True, help_text="Only for views that commit more than once.")
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty while the request is running.")
    headers = models.JSONField(null=True)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="holdfast_idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="holdfast_idempotency_age")]

    def __str__(self) -> str:
        return f"{self.key} ({self.scope})"
