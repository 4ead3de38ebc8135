"""The wallet's routes; a host mounts them where it likes: ``path("api/wallet/", include("holdfast_wallet.urls"))``."""

from django.urls import path

from holdfast_wallet.api import views

app_name = "holdfast_wallet"

urlpatterns = [
    path("accounts/", views.AccountsView.as_view(), name="accounts"),
    path("accounts/<uuid:account_id>/", views.AccountView.as_view(), name="account"),
    path("accounts/<uuid:account_id>/default/", views.MakeDefaultView.as_view(), name="make-default"),
    path("accounts/<uuid:account_id>/close/", views.CloseAccountView.as_view(), name="close-account"),
    path("accounts/<uuid:account_id>/balance/", views.BalanceView.as_view(), name="balance"),
    path("accounts/<uuid:account_id>/entries/", views.EntriesView.as_view(), name="entries"),
    path("accounts/<uuid:account_id>/statement/", views.StatementView.as_view(), name="statement"),
    path("accounts/<uuid:account_id>/statement.csv", views.StatementFileView.as_view(), name="statement-csv"),
    path("accounts/<uuid:account_id>/statement.html", views.StatementPageView.as_view(), name="statement-html"),
    path("deposits/", views.DepositsView.as_view(), name="deposits"),
    path("deposits/<uuid:payment_id>/", views.DepositView.as_view(), name="deposit"),
    path("withdrawals/", views.WithdrawalsView.as_view(), name="withdrawals"),
    path("withdrawals/<uuid:payment_id>/", views.WithdrawalView.as_view(), name="withdrawal"),
    path("transfers/", views.TransfersView.as_view(), name="transfers"),
    path("transfers/batch/", views.TransferBatchView.as_view(), name="transfer-batch"),
    path("transfers/<uuid:transfer_id>/", views.TransferView.as_view(), name="transfer"),
    path("transfers/<uuid:transfer_id>/refunds/", views.RefundView.as_view(), name="refund"),
    path("transactions/", views.TransactionsView.as_view(), name="transactions"),
    path("transactions/<uuid:journal_id>/", views.TransactionView.as_view(), name="transaction"),
    path("holds/", views.HoldsView.as_view(), name="holds"),
    path("holds/<uuid:hold_id>/", views.HoldView.as_view(), name="hold"),
    path("holds/<uuid:hold_id>/capture/", views.CaptureHoldView.as_view(), name="capture-hold"),
    path("holds/<uuid:hold_id>/release/", views.ReleaseHoldView.as_view(), name="release-hold"),
    path("exchanges/", views.ExchangesView.as_view(), name="exchanges"),
    path("exchanges/quote/", views.QuoteView.as_view(), name="quote"),
]
