"""Under which id the provider knows a holder."""

from django.contrib.auth import get_user_model
from django.db import router

from holdfast_cards.ports import Holder, HolderId, HolderUnknown


class PrimaryKeys:
    """The provider knows a holder by our primary key for him."""

    def of(self, holder_id: HolderId) -> Holder:
        """Return the holder."""
        return Holder(external_id=str(holder_id))


class UserAttribute:
    """The provider knows a holder by a field of our user model: ``{"OPTIONS": {"name": "external_id"}}``."""

    def __init__(self, name: str = "external_id") -> None:
        self.name = name

    def of(self, holder_id: HolderId) -> Holder:
        """Return the holder. Raises ``HolderUnknown`` while the field is empty."""
        model = get_user_model()
        # Not from a replica: who has just registered may not be there yet.
        users = model._default_manager.using(router.db_for_write(model))  # noqa: SLF001 - Django's own way to them
        value = users.filter(pk=holder_id).values_list(self.name, flat=True).first()
        if not value:
            raise HolderUnknown(f"User {holder_id} has no {self.name}.")
        return Holder(external_id=str(value))
