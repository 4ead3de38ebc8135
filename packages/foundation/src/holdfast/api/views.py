"""The base of every domain's views: parse, call one verb, render."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import connections, transaction
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from holdfast import tracing
from holdfast.api import pagination, problems
from holdfast.api.parsers import StrictJSONParser
from holdfast.api.schema import DomainAutoSchema


class DomainAPIView(APIView):
    """A door to one verb; every "no" leaves it as a problem document.

    What a host's defaults for Django REST framework could weaken is named here: who may enter, what is read, what is
    written. How a host authenticates and throttles stays the host's.
    """

    permission_classes = [IsAuthenticated]
    parser_classes = [StrictJSONParser]
    renderer_classes = [JSONRenderer]
    schema = DomainAutoSchema()

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, outside of ``ATOMIC_REQUESTS``: a verb owns its transactions, and some commit twice."""
        view = super().as_view(**initkwargs)
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Run the request under its id; what it binds for tracing (who acts) ends with it."""
        with tracing.request_scope(request) as request_id, tracing.bound():
            response = super().dispatch(request, *args, **kwargs)
            response.headers["X-Request-ID"] = request_id
            return response

    def perform_authentication(self, request: Request) -> None:
        """Authenticate, and remember who acts for the events and logs of this request."""
        super().perform_authentication(request)
        if request.user is not None and request.user.is_authenticated:
            tracing.bind(actor_id=str(request.user.pk))

    def get_exception_handler(self) -> Callable[..., Response | None]:
        """Name the handler per view: a host's own views keep the one of its settings."""
        return problems.answer

    def parse(
        self, serializer_class: type[BaseSerializer[Any]], data: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the validated values of the body, or of ``data``. Raises DRF's ``ValidationError``.

        Of a query string (``data=request.query_params``) the parameters of pages are left out: ``keyset_page`` reads
        those.
        """
        if isinstance(data, QueryDict):
            # A plain dict: in a form DRF takes a missing boolean for false. A name twice is a list, which no text is.
            data = {
                name: values[0] if len(values) == 1 else values
                for name, values in data.lists()
                if name not in pagination.PARAMETERS
            }
        serializer = serializer_class(
            data=self.request.data if data is None else data, context={"request": self.request}
        )
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values
