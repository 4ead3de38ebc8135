"""A channel for looking on."""

import sys

from holdfast_catalog_notify.ports import Message


class ConsoleChannel:
    """Writes each message to the worker's standard output."""

    digests = True
    needs_address = False
    at_most_once = False

    def send(self, message: Message) -> str:
        """Write the message; return its id."""
        sys.stdout.write(f"To {message.recipient.name}: {message.subject}\n{message.text}\n")
        sys.stdout.flush()
        return str(message.id)
