"""What the views have in common."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework import status
from rest_framework.exceptions import NotAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.etags import etag_of
from holdfast.api.serializers import StrictSerializer
from holdfast.api.views import DomainAPIView
from holdfast.idempotency import IdempotencyMixin
from holdfast_artisan_shop.api.permissions import ReadOrUser

# An order is committed before its answer is stored; a run that died may be taken over after this time.
LEASE_SECONDS = 60


class UserView(DomainAPIView):
    """A door for those who are signed in; verbs act in the name of the user who asks, and of nobody else."""

    @property
    def user_id(self) -> Any:
        """The scope of every verb: who asks. Raises ``NotAuthenticated`` for nobody."""
        user = self.request.user
        if user is None or user.pk is None:
            raise NotAuthenticated
        return user.pk

    def parse_nothing(self) -> None:
        """Refuse a body with anything in it."""
        self.parse(StrictSerializer)


class MarketView(UserView):
    """A door that everybody may look through."""

    permission_classes = [ReadOrUser]

    @property
    def visitor_id(self) -> Any:
        """Who looks, or ``None`` for somebody who is not signed in."""
        return self.request.user.pk if self.request.user is not None else None


class OnceMixin(IdempotencyMixin):
    """A door to a verb that keeps the key itself, and commits before its answer is stored."""

    idempotency_lease_seconds = LEASE_SECONDS


class CSVRenderer(JSONRenderer):
    """Lets a view take a client that accepts nothing but CSV; its problems are JSON all the same."""

    media_type = "text/csv"
    format = "csv"


def conditional(request: Request, data: Any, *, version: int | None = None) -> HttpResponseBase:
    """Return what is shown under its entity tag, or 304 if the client has it already.

    The tag is the version that a change names, where there is one, and a digest of everything that is shown.
    """
    digest = hashlib.sha256(repr(data).encode()).hexdigest()
    tag = etag_of(digest[:32] if version is None else f"{version}.{digest[:16]}")
    # What one sees is not what others see, and no cache is to mix them up.
    response = Response(data, headers={"ETag": tag, "Cache-Control": "private, no-cache"})
    answered = get_conditional_response(request._request, etag=tag, response=response)  # noqa: SLF001 - Django's own function wants Django's request
    return cast("HttpResponseBase", answered)


def versioned(data: Mapping[str, Any], version: int, *, created: bool = False) -> Response:
    """Return what a verb made or changed, with the entity tag that the next change has to name."""
    code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
    return Response(data, status=code, headers={"ETag": etag_of(version)})


def created(data: Mapping[str, Any] | Sequence[Any]) -> Response:
    """Return what a verb made."""
    return Response(data, status=status.HTTP_201_CREATED)


def no_content() -> Response:
    """Return that it is done, and that there is nothing to show."""
    return Response(status=status.HTTP_204_NO_CONTENT)
