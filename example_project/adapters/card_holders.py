"""Under which id, name and address the card provider knows our people."""

from typing import Any

from holdfast_cards.ports import Address, Holder, HolderId, HolderUnknown
from people.models import User


class People:
    """A person is known by his ``external_id``; cards are sent to our counter, where their holders fetch them."""

    def __init__(self, counter: dict[str, Any]) -> None:
        self._counter = Address(**counter)

    def of(self, holder_id: HolderId) -> Holder:
        """Return the holder. Raises ``HolderUnknown``."""
        person = User.objects.filter(pk=holder_id).first()
        if person is None or not person.external_id:
            raise HolderUnknown(f"Nobody outside knows user {holder_id}.")
        return Holder(external_id=person.external_id, name=str(person), address=self._counter)
