"""What the posting verbs are asked, and the same as the ledger stores it."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from holdfast.money import InvalidAmount, Money, to_minor
from holdfast_wallet.conf import settings
from holdfast_wallet.exceptions import AmountNotPositive, AmountTooLarge, MalformedRequest, SameAccount
from holdfast_wallet.models.accounts import MAX_AMOUNT_MINOR
from holdfast_wallet.ports import OwnerId
from holdfast_wallet.states import TransferKind

KIND_LENGTH = 40

_NO_METADATA: Mapping[str, Any] = {}
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, sort_keys=True).encode


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferRequest:
    """One transfer, as somebody asks for it.

    ``key`` becomes the transfer's id; asked again with the same key, the ledger answers with the first transfer.
    ``owner_id`` is the scope, which must own the source.
    """

    key: UUID
    source_id: UUID
    target_id: UUID
    amount: Money
    owner_id: OwnerId
    kind: str = TransferKind.TRANSFER
    journal_id: UUID | None = None
    effective_at: dt.datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Posting(NamedTuple):
    """One transfer, as the ledger's INSERT takes it. ``scope_id`` is the account that ``owner_id`` must own."""

    id: UUID
    source_id: UUID
    target_id: UUID
    amount_minor: int
    currency: str
    kind: str
    journal_id: UUID
    reverses_id: UUID | None
    hold_id: UUID | None
    effective_at: dt.datetime | None
    metadata: Mapping[str, Any]
    metadata_json: str
    scope_id: UUID
    owner_id: OwnerId


def posting(
    *,
    key: UUID,
    source_id: UUID,
    target_id: UUID,
    amount: Money,
    scope_id: UUID,
    owner_id: OwnerId,
    kind: str,
    journal_id: UUID | None = None,
    reverses_id: UUID | None = None,
    hold_id: UUID | None = None,
    effective_at: dt.datetime | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Posting:
    """Return the request as the ledger stores it.

    Raises ``AmountNotPositive``, ``AmountTooLarge``, ``SameAccount``, ``MalformedRequest``,
    ``holdfast.money.InvalidAmount``.
    """
    if source_id == target_id:
        raise SameAccount(account_id=str(source_id))
    if not kind:
        raise MalformedRequest("A transfer has a kind.")
    checked_text(kind, length=KIND_LENGTH)
    if effective_at is not None and timezone.is_naive(effective_at):
        raise MalformedRequest("A time needs a time zone.")
    return Posting(
        key,
        source_id,
        target_id,
        positive_minor(amount),
        amount.currency.code,
        str(kind),
        journal_id or key,
        reverses_id,
        hold_id,
        effective_at,
        metadata or _NO_METADATA,
        metadata_json(metadata) if metadata else "{}",
        scope_id,
        owner_id,
    )


def positive_minor(amount: Money) -> int:
    """Return a positive amount in minor units.

    Raises ``AmountNotPositive``, ``AmountTooLarge``, ``holdfast.money.InvalidAmount``.
    """
    minor = to_minor(amount)
    if minor <= 0:
        raise AmountNotPositive(amount=str(amount.amount), currency=amount.currency.code)
    if minor > MAX_AMOUNT_MINOR:
        raise AmountTooLarge(currency=amount.currency.code)
    return minor


def metadata_json(metadata: Mapping[str, Any] | None) -> str:
    """Return metadata as JSON text.

    Raises ``MalformedRequest`` for what JSON or the database cannot keep, and for what is too large.
    """
    try:
        text = _encode(dict(metadata or {}))
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError):
        raise MalformedRequest("Metadata must be an object of plain JSON values.") from None
    if "\\u0000" in text:  # PostgreSQL's jsonb cannot keep it
        raise MalformedRequest("Metadata must not contain the character U+0000.")
    limit: int = settings.METADATA_MAX_BYTES
    if size > limit:
        raise MalformedRequest("The metadata is too large.", max_bytes=limit)
    return text


def plain_metadata(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return metadata as it will be read again: a tuple, for one, comes back as a list.

    Raises as ``metadata_json`` does.
    """
    plain: dict[str, Any] = json.loads(metadata_json(metadata))
    return plain


def checked_text(text: str, *, length: int) -> str:
    """Return text for a line of a form.

    Raises ``MalformedRequest`` for what is too long or cannot be printed.
    """
    if len(text) > length or not text.isprintable():
        raise MalformedRequest(f"A text has at most {length} printable characters.")
    return text


def checked_key(key: UUID) -> UUID:
    """Return the key. Raises ``MalformedRequest`` where it is not a UUID."""
    if not isinstance(key, UUID):
        raise MalformedRequest("A key is a UUID.")
    return key


__all__ = ["InvalidAmount", "OwnerId", "Posting", "TransferRequest", "metadata_json", "positive_minor", "posting"]
