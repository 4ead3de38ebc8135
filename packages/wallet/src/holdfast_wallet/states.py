"""The words of the wallet."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class AccountState(TextChoices):
    """What an account may do."""

    ACTIVE = "active", _("active")
    FROZEN = "frozen", _("frozen")
    CLOSED = "closed", _("closed")


class HoldState(TextChoices):
    """Whether a hold still keeps money back, and if not, how it ended."""

    OPEN = "open", _("open")
    CAPTURED = "captured", _("captured")
    RELEASED = "released", _("released")
    EXPIRED = "expired", _("expired")


class HoldEventKind(TextChoices):
    """A step in the life of a hold."""

    PLACED = "placed", _("placed")
    CAPTURED = "captured", _("captured")
    RELEASED = "released", _("released")
    EXPIRED = "expired", _("expired")


class PaymentState(TextChoices):
    """How far a payment from or to the outside has come."""

    PENDING = "pending", _("pending")
    SETTLED = "settled", _("settled")
    FAILED = "failed", _("failed")


class PaymentDirection(TextChoices):
    """Whether money comes in from the outside or goes out."""

    DEPOSIT = "deposit", _("deposit")
    WITHDRAWAL = "withdrawal", _("withdrawal")


class SystemRole(TextChoices):
    """The house's own accounts, one for each role and currency; a host may add roles of its own."""

    CASH_IN = "cash_in", _("cash in")
    CASH_OUT = "cash_out", _("cash out")
    FEES = "fees", _("fees")
    FX = "fx", _("foreign exchange")
    SUSPENSE = "suspense", _("suspense")


class TransferKind(TextChoices):
    """Why the wallet itself moved money; a host may post kinds of its own."""

    TRANSFER = "transfer", _("transfer")
    DEPOSIT = "deposit", _("deposit")
    WITHDRAWAL = "withdrawal", _("withdrawal")
    CAPTURE = "capture", _("capture of a hold")
    REVERSAL = "reversal", _("reversal")
    EXCHANGE = "exchange", _("exchange")
    FEE = "fee", _("fee")
