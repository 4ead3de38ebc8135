"""The provider's door: verify on the raw bytes, store once, answer. What it says is applied after."""

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.parsers import BodyTooLarge
from holdfast.api.views import DomainAPIView
from holdfast_cards import services
from holdfast_cards.conf import settings


class WebhookView(DomainAPIView):
    """One address for each provider. Who asks is told by the signature, not by a login."""

    authentication_classes = []
    permission_classes = []
    parser_classes = []
    throttle_classes = []
    schema: Any = None  # for the provider's eyes, not for the clients that read our OpenAPI document

    def post(self, request: Request, provider: str) -> Response:
        """Store a webhook: 204 also for one that is stored already; 400 where no signature fits."""
        body = self._raw_body()
        services.receive_webhook(provider=provider, headers=dict(request.headers), body=body)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def head(self, request: Request, provider: str) -> Response:
        """Answer those who look whether there is a door, as some providers' pages do."""
        return Response(status=status.HTTP_200_OK)

    def _raw_body(self) -> bytes:
        limit: int = settings.WEBHOOK_MAX_BYTES
        # Past DRF, which would parse, and bounded before anything is read into memory.
        body: bytes = self.request._request.read(limit + 1)  # noqa: SLF001 - the bytes that were signed
        if len(body) > limit:
            raise BodyTooLarge(f"The body has more than {limit} bytes.")
        return body
