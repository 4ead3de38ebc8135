"""The routes of cards; a host mounts them where it likes: ``path("api/", include("holdfast_cards.urls"))``."""

from django.urls import path

from holdfast_cards.api import views, webhooks

app_name = "holdfast_cards"

urlpatterns = [
    path("cards/", views.CardsView.as_view(), name="cards"),
    path("cards/offer/", views.OfferView.as_view(), name="offer"),
    path("cards/<uuid:card_id>/", views.CardView.as_view(), name="card"),
    path("cards/<uuid:card_id>/history/", views.HistoryView.as_view(), name="history"),
    path("cards/<uuid:card_id>/activate/", views.ActivateCardView.as_view(), name="activate-card"),
    path("cards/<uuid:card_id>/freeze/", views.FreezeCardView.as_view(), name="freeze-card"),
    path("cards/<uuid:card_id>/unfreeze/", views.UnfreezeCardView.as_view(), name="unfreeze-card"),
    path("cards/<uuid:card_id>/cancel/", views.CancelCardView.as_view(), name="cancel-card"),
    path("cards/<uuid:card_id>/oppose/", views.OpposeCardView.as_view(), name="oppose-card"),
    path("cards/<uuid:card_id>/replace/", views.ReplaceCardView.as_view(), name="replace-card"),
    path("cards/webhooks/<slug:provider>/", webhooks.WebhookView.as_view(), name="webhook"),
]
