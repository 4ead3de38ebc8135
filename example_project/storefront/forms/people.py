"""Forms about people."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

from people import attempts
from people.states import Role


class RegistrationForm(forms.Form):
    """A new account."""

    username = forms.CharField(
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        help_text="Others send you money by this name.",
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    first_name = forms.CharField(
        max_length=150,
        required=False,
        label="First name (optional)",
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        max_length=150,
        required=False,
        label="Last name (optional)",
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    role = forms.ChoiceField(
        label="I am here",
        initial=Role.CUSTOMER,
        widget=forms.RadioSelect,
        choices=[(Role.CUSTOMER, "to buy and pay"), (Role.ARTISAN, "to sell what I make")],
    )
    password = forms.CharField(
        strip=False,
        help_text="At least eight characters, and nothing that everybody uses.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class LoginForm(AuthenticationForm):
    """Signing in, with a limit on guesses."""

    error_messages = AuthenticationForm.error_messages | {
        "exhausted": "That were too many attempts. Try again in a quarter of an hour."
    }

    def clean(self) -> dict[str, Any]:
        """Check the password, unless it was tried too often."""
        name = self.cleaned_data.get("username", "")
        address = attempts.address_of(self.request) if self.request else ""
        if attempts.exhausted(name, address):
            raise ValidationError(self.error_messages["exhausted"], code="exhausted")
        try:
            cleaned = super().clean()
        except ValidationError:
            attempts.count(name, address)
            raise
        attempts.forgive(name, address)
        return cleaned


class ProfileForm(forms.Form):
    """What people may change of themselves."""

    first_name = forms.CharField(
        max_length=150, required=False, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        max_length=150, required=False, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "email"}))
