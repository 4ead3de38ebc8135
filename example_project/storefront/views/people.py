"""Registering, signing in, the profile."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.views import LoginView as DjangoLoginView
from django.contrib.auth.views import PasswordChangeView as DjangoPasswordChangeView
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy

from people import services
from people.models import User
from storefront.forms.people import LoginForm, ProfileForm, RegistrationForm
from storefront.pages import FormPage, OpenFormPage
from storefront.trying import who_to_be


class RegisterView(OpenFormPage):
    """A new account, signed in at once."""

    template_name = "storefront/people/register.html"
    form_class = RegistrationForm
    success_url = reverse_lazy("storefront:wallet")
    done = "Welcome. Your account is ready."

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Lead who is signed in to the wallet."""
        if request.user.is_authenticated:
            return redirect("storefront:wallet")
        return super().dispatch(request, *args, **kwargs)

    def run(self, form: Form) -> User:
        """Register the person."""
        user = services.register_person(**form.cleaned_data)
        login(self.request, user, backend="django.contrib.auth.backends.ModelBackend")
        return user


class LoginView(DjangoLoginView):
    """Signing in."""

    template_name = "storefront/people/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_initial(self) -> dict[str, Any]:
        """Take the name that a link on the demo's first page has chosen."""
        return super().get_initial() | {"username": self.request.GET.get("as", "")[:150]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say who one may be, where there is a demo to try out."""
        return super().get_context_data(who=who_to_be(), **kwargs)

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show what is wrong, and say in the status when it were too many attempts."""
        response = super().form_invalid(form)
        if form.has_error(NON_FIELD_ERRORS, code="exhausted"):
            response.status_code = 429
            response.headers["Retry-After"] = str(settings.SIGN_IN_ATTEMPTS_SECONDS)
        return response


class ProfileView(FormPage):
    """Who I am here."""

    template_name = "storefront/people/profile.html"
    form_class = ProfileForm
    success_url = reverse_lazy("storefront:profile")
    done = "Your profile is saved."

    def get_initial(self) -> dict[str, Any]:
        """Show what is known."""
        user: Any = self.request.user  # who is signed in
        return {"first_name": user.first_name, "last_name": user.last_name, "email": user.email}

    def run(self, form: Form) -> User:
        """Change the profile."""
        return services.change_profile(user_id=self.owner_id, **form.cleaned_data)


class PasswordView(DjangoPasswordChangeView):
    """A new password."""

    template_name = "storefront/people/password.html"
    success_url = reverse_lazy("storefront:profile")

    def form_valid(self, form: Any) -> Any:
        """Change it, and say so."""
        messages.success(self.request, "Your password is changed.")
        return super().form_valid(form)
