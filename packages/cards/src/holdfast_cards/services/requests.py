"""A wish for a card: written down first, then ordered."""

import re
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from holdfast.conf import load_backend
from holdfast_cards.conf import settings
from holdfast_cards.exceptions import (
    AlreadyReplaced,
    CardLimitReached,
    CardNotFound,
    HolderNotReady,
    InvalidColor,
    InvalidKey,
    InvalidKind,
    KeyReused,
    NotSupportedByProvider,
    RequestAlreadyOpen,
    TransitionNotAllowed,
)
from holdfast_cards.models import Card, Operation
from holdfast_cards.ports import CardOrder, Holder, HolderId, HolderUnknown
from holdfast_cards.services.changes import oppose_card
from holdfast_cards.services.gate import Gate
from holdfast_cards.services.operations import advance, is_due
from holdfast_cards.services.results import Result, answer, carry_out
from holdfast_cards.services.rows import load_operation, using
from holdfast_cards.states import LIVE, MAKING, CardKind, CardState, OpposeReason, ReplaceReason, Verb

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_TRIES = 5

# What a card can be replaced for. One that is on its way can be lost, too.
_REPLACEABLE = {
    ReplaceReason.DAMAGED: frozenset({CardState.SENT, CardState.ACTIVATED, CardState.FROZEN}),
    ReplaceReason.EXPIRED: frozenset({CardState.ACTIVATED, CardState.FROZEN, CardState.EXPIRED}),
    ReplaceReason.LOST: LIVE | {CardState.OPPOSED},
    ReplaceReason.STOLEN: LIVE | {CardState.OPPOSED},
}


def request_card(
    *,
    holder_id: HolderId,
    color: str,
    kind: CardKind = CardKind.PHYSICAL,
    key: str | None = None,
    wait: bool = True,
) -> Result:
    """Order a card of a color for a holder.

    The wish is committed before the provider is asked; where his answer is lost the result ``is_open``, and the worker
    finds out. ``key`` is the holder's name for this request: the same key and request have the first result. With
    ``wait=False`` the worker does all of it. Must not be called inside a transaction.

    Raises ``InvalidColor``, ``InvalidKind``, ``InvalidKey``, ``KeyReused``, ``HolderNotReady``,
    ``RequestAlreadyOpen``, ``CardLimitReached``, ``ProviderRejected``, ``ProviderMisconfigured``,
    ``ProviderUnavailable``. Emits ``CardOrdered``.
    """
    gate = Gate()
    if color not in gate.capabilities.colors:
        raise InvalidColor(color=color, colors=list(gate.capabilities.colors))
    if kind not in gate.capabilities.kinds:
        raise InvalidKind(kind=str(kind), kinds=[str(one) for one in gate.capabilities.kinds])
    card = Card(holder_id=holder_id, color=color, kind=CardKind(kind), provider=gate.name, request_key=_checked(key))
    return _order(gate, card, wait=wait)


def replace_card(
    *, card_id: UUID, holder_id: HolderId, reason: ReplaceReason, key: str | None = None, wait: bool = True
) -> Result:
    """Order another card of the same color and kind in place of one.

    A lost or stolen card is opposed first. Any other goes on until the new one is activated, and is cancelled then.

    Raises as ``request_card`` does, and ``CardNotFound``, ``TransitionNotAllowed``, ``AlreadyReplaced``,
    ``NotSupportedByProvider``. Emits ``CardOrdered``, and ``CardOpposed`` of the old one.
    """
    gate = Gate()
    reason = ReplaceReason(reason)
    old = Card.objects.using(using()).filter(id=card_id, holder_id=holder_id).first()
    if old is None:
        raise CardNotFound(card_id=str(card_id))
    if old.provider != gate.name or Verb.REPLACE not in gate.capabilities.verbs:
        raise NotSupportedByProvider(verb=str(Verb.REPLACE))
    card = Card(
        holder_id=holder_id,
        color=old.color,
        kind=old.kind,
        provider=gate.name,
        request_key=_checked(key),
        replaces=old,
    )
    if (known := _known_by_key(card)) is not None:
        return _replay(known)
    if old.state not in _REPLACEABLE[reason]:
        raise TransitionNotAllowed(card_id=str(card_id), state=str(old.state), verb=str(Verb.REPLACE))
    if reason in (ReplaceReason.LOST, ReplaceReason.STOLEN) and old.state in LIVE:
        oppose_card(card_id=old.id, holder_id=holder_id, reason=OpposeReason(reason.value))
    return _order(gate, card, replace_reason=reason, wait=wait)


def _order(gate: Gate, card: Card, *, wait: bool, replace_reason: ReplaceReason | None = None) -> Result:
    holder = _holder(card)
    card.holder_reference = holder.external_id
    verb = Verb.ISSUE if card.replaces is None else Verb.REPLACE
    operation = Operation(card=card, verb=verb, reason=replace_reason or "", provider=gate.name)
    operation.key = operation.id
    operation.next_attempt_at = operation.trying_since = timezone.now()
    operation.payload = _payload(gate, card, operation, holder, replace_reason)
    for tries_left in reversed(range(_TRIES)):
        try:
            _write(card, operation)
            break
        except IntegrityError:
            if (first := _after_another(card)) is not None:
                return first
            if not tries_left:  # no other request stands in the way
                raise
    if wait and settings.MODE == "inline":
        operation = carry_out(operation=operation, queue_when_down=settings.QUEUE_WHEN_DOWN)
    return answer(operation=operation)


def _write(card: Card, operation: Operation) -> None:
    """Write the wish down, if the constraints let it in. Raises ``IntegrityError``."""
    with transaction.atomic(using=using(), durable=True):
        card.save(using=using(), force_insert=True)
        _check_limit(card)
        operation.save(using=using(), force_insert=True)


def _checked(key: str | None) -> str | None:
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidKey
    return key


def _holder(card: Card) -> Holder:
    try:
        holder: Holder = load_backend(settings.HOLDER_REFERENCE).of(card.holder_id)
    except HolderUnknown as error:
        raise HolderNotReady(holder_id=str(card.holder_id)) from error
    return holder


def _payload(
    gate: Gate, card: Card, operation: Operation, holder: Holder, replace_reason: ReplaceReason | None
) -> dict[str, object]:
    order = CardOrder(
        reference=str(operation.id),
        holder=holder,
        color=card.color,
        kind=CardKind(card.kind),
        replaces="" if card.replaces is None else str(card.replaces.provider_card_id),
        replace_reason=replace_reason,
    )
    try:
        return gate.compose(order)
    except ValueError as error:
        raise HolderNotReady(holder_id=str(card.holder_id)) from error


def _check_limit(card: Card) -> None:
    """Refuse a card too many; after the INSERT, since who holds the one open request has nobody beside him."""
    limit: int | None = settings.MAX_LIVE_CARDS
    if limit is None:
        return
    others = Card.objects.using(using()).filter(holder_id=card.holder_id, state__in=sorted(LIVE))
    if card.replaces_id is not None:
        others = others.exclude(id=card.replaces_id)
    if others.count() >= limit:
        raise CardLimitReached(limit=limit)


def _after_another(card: Card) -> Result | None:
    """Answer a request that another was faster than: the same one sent twice, or a second one.

    ``None`` where what stood in the way has ended since.
    """
    known = _known_by_key(card)
    if known is not None:
        return _replay(known)
    holders = Card.objects.using(using()).filter(holder_id=card.holder_id)
    open_request = holders.filter(state=CardState.REQUESTED).first()
    if open_request is not None:
        raise RequestAlreadyOpen(card_id=str(open_request.id))
    replacement = holders.filter(replaces=card.replaces_id).exclude(state=CardState.FAILED).first()
    if card.replaces_id is not None and replacement is not None:
        raise AlreadyReplaced(card_id=str(card.replaces_id), replaced_by=str(replacement.id))
    return None


def _known_by_key(card: Card) -> Card | None:
    if card.request_key is None:
        return None
    known = Card.objects.using(using()).filter(holder_id=card.holder_id, request_key=card.request_key).first()
    if known is not None and (known.color, known.kind, known.replaces_id) != (card.color, card.kind, card.replaces_id):
        raise KeyReused
    return known


def _replay(card: Card) -> Result:
    """Answer as the first request of the key, and help it on if it was left behind."""
    making = Operation.objects.using(using()).get(card=card, verb__in=sorted(MAKING))
    operation = load_operation(operation_id=making.id)
    if settings.MODE == "inline" and operation.is_open and is_due(operation=operation, now=timezone.now()):
        operation = advance(operation=operation)
    return answer(operation=operation, replayed=True)
