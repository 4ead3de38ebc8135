"""The addresses of the pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from storefront.views import activity, cards, defects, exchange, holds, home, payments, people, send, wallet

app_name = "storefront"

urlpatterns = [
    path("", home.HomeView.as_view(), name="home"),
    path("register/", people.RegisterView.as_view(), name="register"),
    path("login/", people.LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("profile/", people.ProfileView.as_view(), name="profile"),
    path("profile/password/", people.PasswordView.as_view(), name="password"),
    path("activity/", activity.ActivityView.as_view(), name="activity"),
    path("defects/", defects.DefectsView.as_view(), name="defects"),
    path("defects/lines/", defects.DefectLinesView.as_view(), name="defect-lines"),
    path("defects/counters/", defects.CountersView.as_view(), name="defect-counters"),
    path("defects/new/", defects.ReportDefectView.as_view(), name="report-defect"),
    path("defects/<uuid:defect_id>/", defects.DefectView.as_view(), name="defect"),
    path("defects/<uuid:defect_id>/change/", defects.ChangeDefectView.as_view(), name="change-defect"),
    path("defects/<uuid:defect_id>/delete/", defects.DeleteDefectView.as_view(), name="delete-defect"),
    path("defects/<uuid:defect_id>/<slug:step>/", defects.StepDefectView.as_view(), name="step-defect"),
    path("cards/", cards.CardsView.as_view(), name="cards"),
    path("cards/new/", cards.OrderCardView.as_view(), name="order-card"),
    path("cards/<uuid:card_id>/", cards.CardView.as_view(), name="card"),
    path("cards/<uuid:card_id>/life/", cards.CardLifeView.as_view(), name="card-life"),
    path("cards/<uuid:card_id>/lost/", cards.LostCardView.as_view(), name="lost-card"),
    path("cards/<uuid:card_id>/end/", cards.EndCardView.as_view(), name="end-card"),
    path("cards/<uuid:card_id>/<slug:step>/", cards.StepCardView.as_view(), name="step-card"),
    path("wallet/", wallet.WalletView.as_view(), name="wallet"),
    path("wallet/open/", wallet.OpenAccountView.as_view(), name="open-account"),
    path("wallet/accounts/<uuid:account_id>/", wallet.AccountView.as_view(), name="account"),
    path("wallet/accounts/<uuid:account_id>/statement/", wallet.StatementView.as_view(), name="statement"),
    path(
        "wallet/accounts/<uuid:account_id>/statement.csv",
        wallet.StatementView.as_view(),
        {"as_csv": True},
        name="statement-csv",
    ),
    path("wallet/transfers/<uuid:transfer_id>/", wallet.TransferView.as_view(), name="transfer"),
    path("wallet/top-up/", payments.TopUpView.as_view(), name="top-up"),
    path("wallet/pay-out/", payments.PayOutView.as_view(), name="pay-out"),
    path("wallet/send/", send.SendView.as_view(), name="send"),
    path("wallet/send/confirm/", send.ConfirmSendView.as_view(), name="send-confirm"),
    path("wallet/exchange/", exchange.ExchangeView.as_view(), name="exchange"),
    path("wallet/exchange/confirm/", exchange.ConfirmExchangeView.as_view(), name="exchange-confirm"),
    path("wallet/holds/", holds.HoldsView.as_view(), name="holds"),
    path("wallet/holds/new/", holds.SetAsideView.as_view(), name="hold-place"),
    path("wallet/holds/<uuid:hold_id>/pay/", holds.PayFromHoldView.as_view(), name="hold-pay"),
    path("wallet/holds/<uuid:hold_id>/free/", holds.FreeHoldView.as_view(), name="hold-free"),
]
