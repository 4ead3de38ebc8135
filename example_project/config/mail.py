"""The way that mail goes, chosen by the environment, and told as each Django wants to hear it."""

from typing import Any

import django
import environ

MAILBOX = "storefront.mailbox.MailboxBackend"
SMTP = "django.core.mail.backends.smtp.EmailBackend"
TIMEOUT_SECONDS = 10
# The options of a mailer, by the settings that they were before Django 6.1.
OPTIONS = {
    "host": "EMAIL_HOST",
    "port": "EMAIL_PORT",
    "username": "EMAIL_HOST_USER",
    "password": "EMAIL_HOST_PASSWORD",
    "use_tls": "EMAIL_USE_TLS",
    "use_ssl": "EMAIL_USE_SSL",
    "timeout": "EMAIL_TIMEOUT",
    "file_path": "EMAIL_FILE_PATH",
}


def settings_from(env: environ.Env) -> dict[str, Any]:
    """Return the settings of the way that ``EMAIL_URL`` says: smtp+tls://user:password@host:587."""
    url = env.email_url("EMAIL_URL", default="consolemail://")
    if url["EMAIL_BACKEND"] == SMTP:
        url = {**url, "EMAIL_FILE_PATH": None, "EMAIL_TIMEOUT": TIMEOUT_SECONDS}
    return sent_by(url["EMAIL_BACKEND"], **{option: url[name] for option, name in OPTIONS.items() if url.get(name)})


def sent_by(backend: str, **options: Any) -> dict[str, Any]:
    """Return the settings that send all mail through a backend."""
    if django.VERSION >= (6, 1):
        return {"MAILERS": {"default": {"BACKEND": backend, "OPTIONS": options}}}
    return {"EMAIL_BACKEND": backend, **{OPTIONS[option]: value for option, value in options.items()}}
