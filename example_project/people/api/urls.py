"""The addresses below ``/api/v1/``."""

from django.urls import path

from people.api import views

app_name = "people"

urlpatterns = [
    path("people/", views.RegistrationView.as_view(), name="register"),
    path("me/", views.ProfileView.as_view(), name="profile"),
    path("auth/csrf/", views.CSRFView.as_view(), name="csrf"),
    path("auth/session/", views.SessionView.as_view(), name="session"),
    path("auth/jwt/", views.JWTView.as_view(), name="jwt"),
    path("auth/jwt/refresh/", views.JWTRefreshView.as_view(), name="jwt-refresh"),
    path("auth/token/", views.TokenView.as_view(), name="token"),
]
