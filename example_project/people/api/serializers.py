"""What goes in and out."""

from typing import Any

from django.contrib.auth.validators import UnicodeUsernameValidator
from rest_framework import serializers

from holdfast.api.serializers import StrictSerializer
from people.models import User
from people.states import Role


class RegistrationInput(StrictSerializer):
    """A new account."""

    username = serializers.CharField(max_length=150, validators=[UnicodeUsernameValidator()])
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, write_only=True, trim_whitespace=False)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.CUSTOMER)
    first_name = serializers.CharField(max_length=150, default="", allow_blank=True)
    last_name = serializers.CharField(max_length=150, default="", allow_blank=True)


class ProfileInput(StrictSerializer):
    """What people may change of themselves; what is left out stays."""

    email = serializers.EmailField(max_length=254, required=False)
    first_name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    last_name = serializers.CharField(max_length=150, required=False, allow_blank=True)


class ProfileOutput(serializers.ModelSerializer[User]):
    """A person, as they see themselves."""

    class Meta:
        model = User
        fields = [
            "id",
            "external_id",
            "username",
            "email",
            "first_name",
            "last_name",
            "role",
            "is_staff",
            "date_joined",
        ]
        read_only_fields = fields


class CredentialsInput(StrictSerializer):
    """A username and its password."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=128, trim_whitespace=False, write_only=True)


class RefreshInput(StrictSerializer):
    """A refresh token."""

    refresh = serializers.CharField(max_length=4096)


class IdentityOutput(serializers.Serializer[Any]):
    """Who signed in."""

    user_id = serializers.IntegerField()
    username = serializers.CharField()
    is_staff = serializers.BooleanField()


class CSRFOutput(serializers.Serializer[Any]):
    """What shows that a request comes from our own pages."""

    csrf_token = serializers.CharField()


class JWTOutput(IdentityOutput):
    """A pair of tokens, and whose they are."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class AccessOutput(serializers.Serializer[Any]):
    """A new access token."""

    access = serializers.CharField()


class TokenOutput(IdentityOutput):
    """A token without an end, and whose it is."""

    token = serializers.CharField()
