"""The tables of the reference: a stored balance under a lock, a transfer with a unique key, two entries."""

import uuid
from typing import ClassVar

from django.db import models


class Account(models.Model):
    """A balance in minor units that the database keeps from falling below zero."""

    balance = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(balance__gte=0), name="plain_orm_floor")]

    def __str__(self) -> str:
        return f"account {self.pk}"


class Transfer(models.Model):
    """One movement; the key makes a repetition fail."""

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"transfer {self.key}"


class Entry(models.Model):
    """One side of a transfer with the balance after it."""

    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.amount} on {self.account_id}"
