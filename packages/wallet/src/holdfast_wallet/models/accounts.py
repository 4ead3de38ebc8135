"""Accounts: who has how much."""

import datetime as dt

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from holdfast.fsm import StatefulModel
from holdfast.ids import uuid7
from holdfast.money import Money, from_minor
from holdfast_wallet.states import AccountState

# Far enough below 2**63 that the sum of a balance, a hold, a limit and an amount does not overflow: on SQLite an
# overflowing integer silently becomes a float, so its law refuses a balance beyond the maximum.
MAX_AMOUNT_MINOR = 10**18
MAX_BALANCE_MINOR = 2 * 10**18


class Account(StatefulModel):
    """Money of one currency that belongs to one owner, or to the house in a role.

    ``available = balance - held + overdraft limit``. A house account may be kept in ``slots``: accounts of the same
    role that share its postings so that they do not queue for one row; the balance is then the sum of the slots'.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="wallet_accounts"
    )
    role = models.CharField(
        max_length=40, blank=True, help_text="What the house uses it for; empty for an owner's account."
    )
    currency = models.CharField(max_length=3)
    name = models.CharField(max_length=120, blank=True)
    state = FSMField(choices=AccountState.choices, default=AccountState.ACTIVE, protected=True)
    is_default = models.BooleanField(
        default=False, help_text="Whether it is its owner's first account in the currency."
    )

    balance_minor = models.BigIntegerField(default=0, editable=False)
    held_minor = models.BigIntegerField(default=0, editable=False)
    version = models.BigIntegerField(default=0, editable=False, help_text="How many transfers touched the account.")
    overdraft_limit_minor = models.BigIntegerField(
        null=True, blank=True, default=0, validators=[MinValueValidator(0)], help_text="Empty: unlimited."
    )
    maximum_balance_minor = models.BigIntegerField(
        null=True, blank=True, validators=[MinValueValidator(0)], help_text="Empty: unlimited."
    )
    credits_blocked = models.BooleanField(
        default=False, help_text="Whether it cannot receive money either while frozen."
    )

    slots = models.SmallIntegerField(default=1)
    slot_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="slot_accounts")

    created_at = models.DateTimeField(auto_now_add=True)
    posted_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The time of the last transfer; no later one has an earlier."
    )
    frozen_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            # The one rule that every posting could break, as one constraint: PostgreSQL reads and compiles each anew
            # for each UPDATE. NULL, a limit that is not there, passes. What only opening or changing an account could
            # break is in the law (``holdfast_wallet_account_rules``), whose trigger does not stir when money moves.
            models.CheckConstraint(
                condition=Q(held_minor__gte=0)
                & Q(balance_minor__gte=F("held_minor") - F("overdraft_limit_minor"))
                & Q(balance_minor__lte=F("maximum_balance_minor")),
                name="holdfast_wallet_account_within_limits",
            ),
            models.UniqueConstraint(
                fields=["role", "currency"],
                condition=Q(owner=None, slot_of=None),
                name="holdfast_wallet_account_one_for_role",
            ),
            models.UniqueConstraint(
                fields=["owner", "currency"],
                condition=Q(is_default=True),
                name="holdfast_wallet_account_one_default",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.role or self.id} ({self.currency})"

    @property
    def is_split(self) -> bool:
        """Whether the account is kept in slots: its money is theirs, and postings to it go to one of them."""
        return self.slots > 1

    @property
    def balance(self) -> Money:
        """The posted money."""
        minor = self.balance_minor
        if self.is_split:
            minor = self.slot_accounts.aggregate(sum=models.Sum("balance_minor"))["sum"] or 0
        return from_minor(minor, self.currency)

    @property
    def held(self) -> Money:
        """What open holds set aside."""
        return from_minor(self.held_minor, self.currency)

    @property
    def available(self) -> Money | None:
        """What can be spent now; ``None``: without limit."""
        if self.overdraft_limit_minor is None:
            return None
        return from_minor(self.balance_minor - self.held_minor + self.overdraft_limit_minor, self.currency)

    @property
    def overdraft_limit(self) -> Money | None:
        """How far the available money may go below zero; ``None``: without limit."""
        return None if self.overdraft_limit_minor is None else from_minor(self.overdraft_limit_minor, self.currency)

    @property
    def maximum_balance(self) -> Money | None:
        """How much the account may have; ``None``: without limit."""
        return None if self.maximum_balance_minor is None else from_minor(self.maximum_balance_minor, self.currency)

    @transition(field=state, source=AccountState.ACTIVE, target=AccountState.FROZEN)
    def freeze(self, *, at: dt.datetime, credits_blocked: bool) -> None:
        """Nothing is paid out until the account is unfrozen."""
        self.frozen_at = at
        self.credits_blocked = credits_blocked

    @transition(field=state, source=AccountState.FROZEN, target=AccountState.ACTIVE)
    def unfreeze(self) -> None:
        """Let everything work again."""
        self.frozen_at = None
        self.credits_blocked = False

    @transition(field=state, source=AccountState.ACTIVE, target=AccountState.CLOSED)
    def close(self, *, at: dt.datetime) -> None:
        """Nothing moves any more; only at zero."""
        self.closed_at = at
        self.is_default = False
