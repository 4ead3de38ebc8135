"""The provider: the shipped sandbox, which answers at once, in a process of its own."""

from benchmarks import django_host


class Client:
    def __init__(self) -> None:
        django_host.configure("sqlite:///:memory:", "holdfast", "holdfast_cards")
        # Nothing of Django can be imported before it is configured.
        from holdfast_cards.testing.sandbox import SandboxServer

        self.server = SandboxServer()
        self.server.listen()

    def address(self) -> str:
        return self.server.providers["bank"].base_url

    def cards(self) -> int:
        return len(self.server.providers["bank"].cards)

    def reset(self) -> None:
        """Forget the cards of the last turn: they would only fill the memory."""
        self.server.providers["bank"].reset()
