"""Transfers and entries: how money moved."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from holdfast.money import Money, from_minor
from holdfast_wallet.models.accounts import Account
from holdfast_wallet.states import TransferKind


class Transfer(models.Model):
    """One movement of one positive amount from a source to a target account of the same currency; final.

    ``id`` is chosen by the client: it is the public id and the idempotency key in one. Whoever inserts a row gives
    what the request says; the ledger's trigger fills ``number``, both running balances, both gapless per-account
    versions and ``recorded_at``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(
        default=0, help_text="Grows in the order in which an account's transfers were posted."
    )
    # No foreign key constraints: the ledger's trigger has updated both accounts by the time the row is written,
    # accounts with transfers are never deleted, and two constraint triggers would cost more than all the other rules
    # together.
    source = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="debits"
    )
    target = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="credits"
    )
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    source_balance_minor = models.BigIntegerField(default=0, help_text="The source's balance after this transfer.")
    target_balance_minor = models.BigIntegerField(default=0, help_text="The target's balance after this transfer.")
    source_version = models.BigIntegerField(default=0, help_text="Counts the source's transfers, without gaps.")
    target_version = models.BigIntegerField(default=0, help_text="Counts the target's transfers, without gaps.")
    kind = models.CharField(max_length=40, default=TransferKind.TRANSFER, help_text="Why the money moved.")
    journal_id = models.UUIDField(
        help_text="Groups the transfers of one business event; the transfer's own id if it is alone."
    )
    reverses = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="reversals",
    )
    hold = models.ForeignKey(
        "holdfast_wallet.Hold",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="captures",
    )
    effective_at = models.DateTimeField(
        default=timezone.now, help_text="When it counts; may lie before it was recorded."
    )
    recorded_at = models.DateTimeField(default=timezone.now, help_text="When it was written, by the database's clock.")
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-number"]
        # That the amount is positive and the accounts are two is in the law: a CHECK is compiled anew for each INSERT.
        constraints = [
            models.UniqueConstraint(fields=["number"], name="holdfast_wallet_transfer_number"),
            models.UniqueConstraint(fields=["source", "source_version"], name="holdfast_wallet_transfer_source"),
            models.UniqueConstraint(fields=["target", "target_version"], name="holdfast_wallet_transfer_target"),
        ]
        indexes = [
            # Partial, so that the plain transfer pays for none of them.
            models.Index(fields=["journal_id"], condition=~Q(journal_id=F("id")), name="holdfast_wallet_trf_journal"),
            models.Index(fields=["reverses"], condition=Q(reverses__isnull=False), name="holdfast_wallet_trf_reverses"),
            models.Index(fields=["hold"], condition=Q(hold__isnull=False), name="holdfast_wallet_trf_hold"),
            models.Index(
                fields=["source", "effective_at"],
                condition=~Q(effective_at=F("recorded_at")),
                name="holdfast_wallet_trf_src_effect",
            ),
            models.Index(
                fields=["target", "effective_at"],
                condition=~Q(effective_at=F("recorded_at")),
                name="holdfast_wallet_trf_tgt_effect",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.kind}"

    @property
    def amount(self) -> Money:
        """What moved."""
        return from_minor(self.amount_minor, self.currency)


class Entry(models.Model):
    """One side of a transfer, as a line of an account: what came or went and what was there afterwards."""

    pk = models.CompositePrimaryKey("account_id", "version")
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, related_name="entries")
    version = models.BigIntegerField()
    amount_minor = models.BigIntegerField(help_text="Negative where money went out.")
    balance_minor = models.BigIntegerField(help_text="The account's balance after this line.")
    currency = models.CharField(max_length=3)
    counterparty = models.ForeignKey(Account, on_delete=models.DO_NOTHING, related_name="+")
    transfer = models.ForeignKey(Transfer, on_delete=models.DO_NOTHING, related_name="entries")
    number = models.BigIntegerField(help_text="The transfer's.")
    kind = models.CharField(max_length=40)
    journal_id = models.UUIDField()
    effective_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "holdfast_wallet_entry"
        ordering = ["-version"]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.amount} {self.kind}"

    @property
    def amount(self) -> Money:
        """What came in; negative where it went out."""
        return from_minor(self.amount_minor, self.currency)

    @property
    def balance(self) -> Money:
        """What was there afterwards."""
        return from_minor(self.balance_minor, self.currency)
