"""The verbs of cards: the only writers.

The scope. ``holder_id`` is the primary key of the user in whose name a verb acts; somebody else's card is not found.
Some verbs have no scope because they serve the house alone: those of the review (``adopt_card``,
``declare_without_effect``, ``send_again``, ``retry_now``, ``resolve_discrepancy``), of the inbox and of the worker.

Results. A verb that asks the provider commits the wish, asks outside any transaction, and commits the answer. Where the
answer is lost the ``Result`` ``is_open``: the wish stands, the worker finds out what became of it, and nobody has to
ask for it again.

Transactions. Such a verb must not be called inside one; it would wait on a network there, and raises ``RuntimeError``.
"""

from holdfast_cards.services.changes import activate_card, cancel_card, freeze_card, oppose_card, unfreeze_card
from holdfast_cards.services.inbox import apply_notice, receive_webhook
from holdfast_cards.services.requests import replace_card, request_card
from holdfast_cards.services.results import Result
from holdfast_cards.services.review import (
    adopt_card,
    declare_without_effect,
    resolve_discrepancy,
    retry_now,
    send_again,
)
from holdfast_cards.services.upkeep import cancel_extra_cards, expire_cards, forget_webhooks, read_feed, refresh_cards
from holdfast_cards.services.worker import Work, work

__all__ = [
    "Result",
    "Work",
    "activate_card",
    "adopt_card",
    "apply_notice",
    "cancel_card",
    "cancel_extra_cards",
    "declare_without_effect",
    "expire_cards",
    "forget_webhooks",
    "freeze_card",
    "oppose_card",
    "read_feed",
    "receive_webhook",
    "refresh_cards",
    "replace_card",
    "request_card",
    "resolve_discrepancy",
    "retry_now",
    "send_again",
    "unfreeze_card",
    "work",
]
