"""A counter server for where nobody counts."""

from uuid import UUID

from holdfast_defects.states import Action


class DummyCounter:
    """Takes everything and tells nobody."""

    def count(self, *, event_id: UUID, user_id: int | str, action: Action) -> None:
        """Do nothing."""
