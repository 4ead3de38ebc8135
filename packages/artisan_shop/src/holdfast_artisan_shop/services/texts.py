"""Texts: what the columns hold, and no more."""

from holdfast_artisan_shop.exceptions import TextInvalid


def check_text(field: str, text: str, maximum: int, *, required: bool = False) -> None:
    """Raise ``TextInvalid`` for a text that is empty although it must not be, too long, or cannot be stored."""
    if (required and not text.strip()) or len(text) > maximum or "\0" in text:
        raise TextInvalid(field=field, length=len(text), maximum=maximum)
