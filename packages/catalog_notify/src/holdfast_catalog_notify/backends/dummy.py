"""A channel for where nobody listens."""

from holdfast_catalog_notify.ports import Message


class DummyChannel:
    """Takes everything and tells nobody."""

    digests = True
    needs_address = False
    at_most_once = False

    def send(self, message: Message) -> str:
        """Return the id of the message."""
        return str(message.id)
