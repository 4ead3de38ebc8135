"""The inbox: a channel that keeps its messages here."""

from holdfast_catalog_notify.ports import Message


class InboxChannel:
    """Needs to send nothing: a delivery over it that is sent is an entry of the admin's inbox, and so exactly one."""

    digests = False
    needs_address = False
    at_most_once = False

    def send(self, message: Message) -> str:
        """Return the id of the message."""
        return str(message.id)
