"""What the defects ask of the outside; filled by dotted path in ``HOLDFAST_DEFECTS``."""

from typing import Protocol
from uuid import UUID

from holdfast_defects.states import Action


class CounterServer(Protocol):
    """Counts, for each user, how many defects were created and deleted."""

    def count(self, *, event_id: UUID, user_id: int | str, action: Action) -> None:
        """Return once the counter has taken it; raise for it to be told again later.

        Called by the relay, outside any transaction and never by a request. The same event may come twice, with the
        same ``event_id``, and is to be counted once. What it raises says what follows: ``holdfast.outbox.GiveUp`` never
        to be told this event again, ``RetryLater`` not before then, anything else by the outbox's schedule.
        """
