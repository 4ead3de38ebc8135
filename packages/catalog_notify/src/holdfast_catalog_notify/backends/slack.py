"""Slack, and what understands Slack's incoming webhooks: Mattermost, Rocket.Chat, Discord under ``/slack``."""

from holdfast_catalog_notify.backends.posting import HttpChannel, encoded
from holdfast_catalog_notify.ports import Message


class SlackChannel(HttpChannel):
    """Posts the message as text to an incoming webhook, the admin's own or the host's ``url``.

    An incoming webhook has no idempotency: after a crash between the post and its being written down, the message is
    posted again. ``at_most_once`` has a person decide instead.
    """

    def __init__(self, *, url: str = "", at_most_once: bool = False) -> None:
        super().__init__(url=url)
        self.at_most_once = at_most_once

    def send(self, message: Message) -> str:
        """Post the message; return its id, for Slack gives none."""
        text = _plain(f"{message.subject}\n{message.text}")
        self.post(message.recipient.address, encoded({"text": text, "mrkdwn": False, "unfurl_links": False}), {})
        return str(message.id)


def _plain(text: str) -> str:
    """Return a text in which no name of a product is markup, or calls anybody."""
    # Slack's own escapes: https://docs.slack.dev/messaging/formatting-message-text
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Mattermost and Discord call a whole room at "@channel" in a plain text; a space of no width keeps it readable.
    return text.replace("@", "@\u200b")
