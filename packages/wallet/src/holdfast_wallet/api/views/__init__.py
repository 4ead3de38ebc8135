"""The doors, by what they lead to."""

from holdfast_wallet.api.views.accounts import (
    AccountsView,
    AccountView,
    BalanceView,
    CloseAccountView,
    EntriesView,
    MakeDefaultView,
)
from holdfast_wallet.api.views.exchanges import ExchangesView, QuoteView
from holdfast_wallet.api.views.holds import CaptureHoldView, HoldsView, HoldView, ReleaseHoldView
from holdfast_wallet.api.views.payments import DepositsView, DepositView, WithdrawalsView, WithdrawalView
from holdfast_wallet.api.views.statements import StatementFileView, StatementPageView, StatementView
from holdfast_wallet.api.views.transactions import TransactionsView, TransactionView
from holdfast_wallet.api.views.transfers import RefundView, TransferBatchView, TransfersView, TransferView

__all__ = [
    "AccountView",
    "AccountsView",
    "BalanceView",
    "CaptureHoldView",
    "CloseAccountView",
    "DepositView",
    "DepositsView",
    "EntriesView",
    "ExchangesView",
    "HoldView",
    "HoldsView",
    "MakeDefaultView",
    "QuoteView",
    "RefundView",
    "ReleaseHoldView",
    "StatementFileView",
    "StatementPageView",
    "StatementView",
    "TransactionView",
    "TransactionsView",
    "TransferBatchView",
    "TransferView",
    "TransfersView",
    "WithdrawalView",
    "WithdrawalsView",
]
