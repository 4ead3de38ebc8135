"""Changes of a card that there is: the wish is written down, the provider asked, the answer taken over.

A change that is in effect already is done: asking twice changes nothing. The card stays as it is until the provider
says otherwise.
"""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from holdfast_cards.conf import settings
from holdfast_cards.exceptions import ChangeUnderWay, NotSupportedByProvider, TransitionNotAllowed
from holdfast_cards.models import Card, Operation
from holdfast_cards.ports import HolderId
from holdfast_cards.services.gate import Gate
from holdfast_cards.services.lives import has_reached, queue
from holdfast_cards.services.results import Result, answer, carry_out
from holdfast_cards.services.rows import lock_card, using
from holdfast_cards.states import ENDING, LIVE, OPEN, CardState, OpposeReason, Verb

_FROM = {
    Verb.ACTIVATE: frozenset({CardState.ORDERED, CardState.SENT}),
    Verb.FREEZE: frozenset({CardState.ACTIVATED}),
    Verb.UNFREEZE: frozenset({CardState.FROZEN}),
    # A request may be cancelled, too: the card is settled first, then cancelled.
    Verb.CANCEL: LIVE | {CardState.REQUESTED},
    Verb.OPPOSE: LIVE,
}


def activate_card(*, card_id: UUID, holder_id: HolderId) -> Result:
    """Let a card authorize that has arrived.

    Raises ``CardNotFound``, ``TransitionNotAllowed``, ``ChangeUnderWay``, ``NotSupportedByProvider``,
    ``ProviderRejected``, ``ProviderMisconfigured``. Emits ``CardActivated``.
    """
    return _change(card_id, holder_id, Verb.ACTIVATE)


def freeze_card(*, card_id: UUID, holder_id: HolderId) -> Result:
    """Stop a card from authorizing until it is unfrozen.

    Raises as ``activate_card`` does. Emits ``CardFrozen``.
    """
    return _change(card_id, holder_id, Verb.FREEZE)


def unfreeze_card(*, card_id: UUID, holder_id: HolderId) -> Result:
    """Let a frozen card authorize again.

    Raises as ``activate_card`` does. Emits ``CardUnfrozen``.
    """
    return _change(card_id, holder_id, Verb.UNFREEZE)


def cancel_card(*, card_id: UUID, holder_id: HolderId) -> Result:
    """End a card for good; one that is still being made is cancelled as soon as it is known.

    Raises as ``activate_card`` does. Emits ``CardCancelled``.
    """
    return _change(card_id, holder_id, Verb.CANCEL)


def oppose_card(*, card_id: UUID, holder_id: HolderId, reason: OpposeReason) -> Result:
    """End a card for good that was lost or stolen.

    Raises as ``activate_card`` does. Emits ``CardOpposed``.
    """
    return _change(card_id, holder_id, Verb.OPPOSE, reason=OpposeReason(reason))


def _change(card_id: UUID, holder_id: HolderId, verb: Verb, *, reason: str = "") -> Result:
    try:
        operation = _intend(card_id, holder_id, verb, reason)
    except IntegrityError:
        raise ChangeUnderWay(card_id=str(card_id), verb=str(verb)) from None
    if isinstance(operation, Card):
        return Result(card=operation)
    if settings.MODE == "inline":
        operation = carry_out(operation=operation)
    return answer(operation=operation)


def _intend(card_id: UUID, holder_id: HolderId, verb: Verb, reason: str) -> Operation | Card:
    """Write down that a card is to be changed; return the card where it is so already."""
    gate = Gate()
    with transaction.atomic(using=using(), durable=True):
        card = lock_card(card_id=card_id, holder_id=holder_id)
        if has_reached(verb=verb, card=card):
            return card
        if card.provider != gate.name or verb not in gate.capabilities.verbs:
            raise NotSupportedByProvider(verb=str(verb))
        if card.state not in _FROM[verb]:
            raise TransitionNotAllowed(card_id=str(card_id), state=str(card.state), verb=str(verb))
        under_way = list(Operation.objects.using(using()).filter(card=card, state__in=sorted(OPEN)))
        for other in under_way:
            if other.verb == verb:
                other.card = card
                return other
            if verb not in ENDING and not other.makes_a_card:
                raise ChangeUnderWay(card_id=str(card_id), verb=other.verb)
        return queue(card=card, verb=verb, reason=reason, at=timezone.now())
