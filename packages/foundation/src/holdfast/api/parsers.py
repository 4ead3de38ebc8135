"""Reading JSON strictly: what two parsers could read in two ways is refused before anybody acts on it."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

from holdfast.conf import settings


class BodyTooLarge(APIException):
    """The body is larger than ``MAX_BODY_BYTES``."""

    status_code = 413
    default_detail = "The body is too large."
    default_code = "too_large"


class StrictJSONParser(BaseParser):
    """JSON in UTF-8, of limited size, without duplicate names, NaN, infinities, NULs or halves of surrogate pairs."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the document of the stream. Raises ``ParseError`` and ``BodyTooLarge``."""
        limit = settings.MAX_BODY_BYTES
        # Django's own limit is asked only where Django reads the body; a parser reads the stream past it.
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(f"The body has more than {limit} bytes.")
        try:
            document = json.loads(
                body.decode(), parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique
            )
            _check_text(document)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not strict JSON: {_reason(error)}.") from error
        return document


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error)[:200].rstrip(".")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # 1e999 is JSON, but no float holds it
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("an object has the same name twice")
    return document


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("text has a NUL character")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueError("text has half of a surrogate pair") from None
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_text(name)
            _check_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner)
