"""Makers: holders and cards, ready for a test."""

from typing import Any

from django.contrib.auth import get_user_model

from holdfast.conf import load_backend
from holdfast.ids import uuid7
from holdfast_cards import services
from holdfast_cards.conf import settings
from holdfast_cards.models import Card, Operation
from holdfast_cards.ports import CardProvider
from holdfast_cards.states import CardState, OperationState, Verb

_ROUNDS = 100


def make_holder(**fields: Any) -> Any:
    """Return a new user of the host's model, with a login of its own; ``fields`` for what the model demands beside."""
    model = get_user_model()
    return model._default_manager.create(  # noqa: SLF001 - what Django documents for models not one's own
        **{model.USERNAME_FIELD: f"holder-{uuid7()}", **fields}
    )


def make_card(*, holder: Any = None, color: str = "pink", state: str = CardState.ORDERED, **fields: Any) -> Card:
    """Return a card in any state, with the operation that made it, without asking a provider.

    Works inside a transaction, as ``TestCase`` opens one.
    """
    provider: CardProvider = load_backend(settings.PROVIDER)
    holder_id = make_holder().pk if holder is None else holder.pk
    made = state not in (CardState.REQUESTED, CardState.FAILED)
    values = {
        "holder_reference": str(holder_id),
        "provider": provider.name,
        "provider_card_id": f"made-{uuid7()}" if made else None,
        "provider_status": state.upper(),
        **fields,
    }
    card = Card.objects.create(holder_id=holder_id, color=color, state=CardState(state), **values)
    open_or_over = {
        CardState.REQUESTED: {"state": OperationState.PENDING, "next_attempt_at": card.created_at},
        CardState.FAILED: {"state": OperationState.REJECTED, "ended_at": card.created_at},
    }
    ended = {"state": OperationState.SUCCEEDED, "ended_at": card.created_at}
    operation = Operation(
        card=card,
        verb=Verb.ISSUE,
        provider=card.provider,
        payload={},
        trying_since=card.created_at,
        **open_or_over.get(CardState(state), ended),
    )
    operation.key = operation.id
    operation.save(force_insert=True)
    return card


def run_worker(*, rounds: int = _ROUNDS) -> services.Work:
    """Let the worker do what is due until nothing is, and return what its last round with something to do has done."""
    last = done = services.work()
    for _ in range(rounds):
        if not done:
            return last
        last, done = done, services.work()
    raise AssertionError(f"After {rounds} rounds there is still something to do: {done}.")
