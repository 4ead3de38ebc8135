"""A window on the ledger: look, search, follow; whoever acts, acts through the services."""

from holdfast_wallet.admin.accounts import AccountAdmin
from holdfast_wallet.admin.audit import SealAdmin
from holdfast_wallet.admin.holds import HoldAdmin
from holdfast_wallet.admin.payments import PaymentAdmin
from holdfast_wallet.admin.transfers import TransferAdmin

__all__ = ["AccountAdmin", "HoldAdmin", "PaymentAdmin", "SealAdmin", "TransferAdmin"]
