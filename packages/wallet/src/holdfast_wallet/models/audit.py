"""The hash chain: what makes tampering visible even to somebody who may do everything."""

from django.db import models


class Seal(models.Model):
    """A link of the hash chain: a digest over a block of transfers and over the link before; append-only."""

    id = models.BigAutoField(primary_key=True)
    first_number = models.BigIntegerField()
    last_number = models.BigIntegerField(unique=True)
    transfer_count = models.BigIntegerField()
    previous_digest = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_number__lte=models.F("last_number")) & models.Q(transfer_count__gte=1),
                name="holdfast_wallet_seal_block",
            ),
            models.UniqueConstraint(fields=["previous_digest"], name="holdfast_wallet_seal_one_chain"),
        ]

    def __str__(self) -> str:
        return f"{self.first_number} to {self.last_number}"
