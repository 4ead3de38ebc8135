"""Doors to the people's verbs, and to the tokens of the two libraries."""

from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest
from django.middleware.csrf import get_token
from drf_spectacular.utils import OpenApiParameter
from rest_framework.authentication import SessionAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.tokens import RefreshToken

from holdfast.api.schema import document
from holdfast.api.views import DomainAPIView
from people import attempts, selectors, services
from people.api import serializers
from people.exceptions import EmailTaken, PasswordTooWeak, UsernameTaken
from people.models import User


class OpenView(DomainAPIView):
    """A door for who is not known yet: slower to open than the others."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "sign_in"

    def get_authenticate_header(self, request: Request) -> str:
        """Say how to come back, so that a wrong password is 401 and not 403."""
        return 'Bearer realm="api"'

    def sign_in(self, request: Request) -> User:
        """Return who these credentials belong to. Raises ``AuthenticationFailed``."""
        credentials = self.parse(serializers.CredentialsInput)
        address = attempts.address_of(request)
        if attempts.exhausted(credentials["username"], address):
            raise AuthenticationFailed("Too many attempts. Try again later.", code="attempts_exhausted")
        user = authenticate(request, **credentials)
        if user is None:
            attempts.count(credentials["username"], address)
            raise AuthenticationFailed("The username or the password is wrong.", code="credentials_wrong")
        attempts.forgive(credentials["username"], address)
        return user


def _django(request: Request) -> HttpRequest:
    return request._request  # noqa: SLF001 - sessions and CSRF tokens are Django's, and live on its request


def _require_our_own_page(request: Request) -> None:
    # Another site could sign somebody in as somebody else.
    SessionAuthentication().enforce_csrf(_django(request))  # type: ignore[arg-type]  # the stubs mean REST framework's


def _identity(user: User) -> dict[str, Any]:
    return {"user_id": user.pk, "username": user.username, "is_staff": user.is_staff}


class RegistrationView(OpenView):
    """POST: an account for a new person."""

    @document(
        request=serializers.RegistrationInput,
        response=serializers.ProfileOutput,
        status=201,
        refusals=[UsernameTaken, EmailTaken, PasswordTooWeak],
    )
    def post(self, request: Request) -> Response:
        """Register a person."""
        user = services.register_person(**self.parse(serializers.RegistrationInput))
        return Response(serializers.ProfileOutput(user).data, status=201)


class ProfileView(DomainAPIView):
    """GET, PATCH: who I am here."""

    @document(response=serializers.ProfileOutput)
    def get(self, request: Request) -> Response:
        """Show my profile."""
        person: Any = request.user  # who is signed in
        return Response(serializers.ProfileOutput(person).data)

    @document(request=serializers.ProfileInput, response=serializers.ProfileOutput, refusals=[EmailTaken])
    def patch(self, request: Request) -> Response:
        """Change my profile."""
        person: Any = request.user
        known = {"email": person.email, "first_name": person.first_name, "last_name": person.last_name}
        user = services.change_profile(user_id=person.pk, **known | self.parse(serializers.ProfileInput))
        return Response(serializers.ProfileOutput(user).data)


class CSRFView(DomainAPIView):
    """GET: what a client with a session sends along with each change."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @document(response=serializers.CSRFOutput, tags=["auth"])
    def get(self, request: Request) -> Response:
        """Read the token to send as the header `X-CSRFToken`; its cookie comes along."""
        answer = serializers.CSRFOutput({"csrf_token": get_token(_django(request))})
        return Response(answer.data, headers={"Cache-Control": "no-store"})


_CSRF = OpenApiParameter(
    "X-CSRFToken", str, OpenApiParameter.HEADER, required=True, description="The token of `auth/csrf/`."
)


class SessionView(OpenView):
    """POST, DELETE: a session, for a browser on our own pages."""

    @document(
        request=serializers.CredentialsInput, response=serializers.IdentityOutput, parameters=[_CSRF], tags=["auth"]
    )
    def post(self, request: Request) -> Response:
        """Sign in with a session; the CSRF token is a new one from then on."""
        _require_our_own_page(request)
        user = self.sign_in(request)
        login(_django(request), user)
        return Response(_identity(user))

    @document(status=204, parameters=[_CSRF], tags=["auth"])
    def delete(self, request: Request) -> Response:
        """Sign out."""
        _require_our_own_page(request)
        logout(_django(request))
        return Response(status=204)


class JWTView(OpenView):
    """POST: a pair of JSON web tokens."""

    @document(request=serializers.CredentialsInput, response=serializers.JWTOutput, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Sign in for a while."""
        user = self.sign_in(request)
        refresh = RefreshToken.for_user(user)
        return Response({**_identity(user), "access": str(refresh.access_token), "refresh": str(refresh)})


class JWTRefreshView(OpenView):
    """POST: a new access token for a refresh token."""

    @document(request=serializers.RefreshInput, response=serializers.AccessOutput, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Stay signed in."""
        try:
            refresh = RefreshToken(self.parse(serializers.RefreshInput)["refresh"])
        except TokenError as error:
            raise InvalidToken(str(error)) from error
        if not selectors.is_active(refresh.get("user_id")):
            raise AuthenticationFailed("This account is closed.", code="user_inactive")
        return Response({"access": str(refresh.access_token)})


class TokenView(OpenView):
    """POST: a token that stays valid until it is deleted, for scripts."""

    @document(request=serializers.CredentialsInput, response=serializers.TokenOutput, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Sign in for good."""
        user = self.sign_in(request)
        token, _ = Token.objects.get_or_create(user=user)
        return Response({**_identity(user), "token": token.key})
