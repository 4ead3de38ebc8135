"""The addresses of the pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from storefront.views import home, people

app_name = "storefront"

urlpatterns = [
    path("", home.HomeView.as_view(), name="home"),
    path("register/", people.RegisterView.as_view(), name="register"),
    path("login/", people.LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("profile/", people.ProfileView.as_view(), name="profile"),
    path("profile/password/", people.PasswordView.as_view(), name="password"),
]
