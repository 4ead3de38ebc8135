"""What cards keep.

========================== ==========================================================================================
``Card``                   one wish of a holder, and the card that came of it
``CardTransition``         a step in its life; append-only
``Operation``              something that the provider is to do, written before it is asked; its payload is frozen
``Attempt``                one call of the provider for an operation; append-only, without bodies
``Notice``                 a verified webhook, stored once, applied after
``Feed``                   how far a provider's log of events was read
``Discrepancy``            in what the provider and we do not agree, for a person or the worker to resolve
========================== ==========================================================================================

Cards are locked before anything else is written, everywhere. An operation is never locked: it is saved only if its
``version`` is still the one that was read. No row ever holds a card number or a code: there is no column for them.
"""

from holdfast_cards.models.cards import Card, CardTransition
from holdfast_cards.models.discrepancies import Discrepancy
from holdfast_cards.models.inbox import Feed, Notice
from holdfast_cards.models.operations import Attempt, Operation

__all__ = ["Attempt", "Card", "CardTransition", "Discrepancy", "Feed", "Notice", "Operation"]
