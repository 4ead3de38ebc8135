"""The catalog's channels, chosen by the environment: a room for chat or a receiver of webhooks, where there is one."""

from typing import Any

import environ

BACKENDS = "holdfast_catalog_notify.backends"


def settings_from(env: environ.Env) -> dict[str, Any]:
    """Return ``HOLDFAST_CATALOG_NOTIFY``.

    ``CATALOG_CHAT_URL`` is an incoming webhook of Slack, or of what understands Slack's; ``CATALOG_WEBHOOK_URL`` is
    told the same as JSON, signed with ``CATALOG_WEBHOOK_SECRET``. Without them each admin may still give an address
    of his own. Mail goes the project's usual way; ``MAIL_DOMAIN`` names its messages.
    """
    chat, url = env("CATALOG_CHAT_URL", default=""), env("CATALOG_WEBHOOK_URL", default="")
    secret = env("CATALOG_WEBHOOK_SECRET", default="") or None
    return {
        "BASE_URL": env("SITE_URL", default=""),
        "CURRENCIES": ["EUR", "USD", "GBP", "CHF", "JPY"],
        "CHANNELS": {
            "inbox": {"BACKEND": f"{BACKENDS}.inbox.InboxChannel"},
            "email": {
                "BACKEND": f"{BACKENDS}.email.EmailChannel",
                "OPTIONS": {"domain": env("MAIL_DOMAIN", default="holdfast.invalid")},
            },
            "chat": {"BACKEND": f"{BACKENDS}.slack.SlackChannel", "OPTIONS": {"url": chat}},
            "webhook": {"BACKEND": f"{BACKENDS}.webhook.WebhookChannel", "OPTIONS": {"url": url, "secret": secret}},
            "console": {"BACKEND": f"{BACKENDS}.console.ConsoleChannel"},
        },
        "DEFAULT_CHANNELS": ["inbox", "email"],
        # Half an hour: who comes back within it is the same visitor.
        "VISIT_SECONDS": 30 * 60,
        "TRUSTED_PROXIES": env.int("TRUSTED_PROXIES", default=0),
    }
