"""CSV, in and out, and pages."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from holdfast.api.parsers import BodyTooLarge
from holdfast_catalog_notify.conf import settings


class CSVParser(BaseParser):
    """A CSV file as the body, of limited size."""

    media_type = "text/csv"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the bytes. Raises ``BodyTooLarge``."""
        body = stream.read(settings.IMPORT_MAX_BYTES + 1)
        if len(body) > settings.IMPORT_MAX_BYTES:
            raise BodyTooLarge(f"The file has more than {settings.IMPORT_MAX_BYTES} bytes.")
        return body


class CSVRenderer(JSONRenderer):
    """Lets a view take a client that accepts nothing but CSV; its problems are JSON all the same."""

    media_type = "text/csv"
    format = "csv"


class PageRenderer(JSONRenderer):
    """Lets a view take a browser that accepts nothing but a page; its problems are JSON all the same."""

    media_type = "text/html"
    format = "html"
