"""On a developer's machine, and the demo: no secrets to set, static files straight from the sources."""

from config import logs, mail
from config.settings.base import *  # noqa: F403 - a settings module is its base and what differs
from config.settings.base import BASE_DIR, LOG_LEVEL, SECRET_KEY, STORAGES, env

ENVIRONMENT = "local"
DEBUG = env.bool("DJANGO_DEBUG", default=True)
SECRET_KEY = SECRET_KEY or "only-for-local-use-and-never-for-anything-that-can-be-reached-from-outside"
ALLOWED_HOSTS = ["*"]
INTERNAL_IPS = ["127.0.0.1"]

STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None  # nothing is collected: WhiteNoise would warn of a folder that is not there

# Mails stay on the machine, to be looked at on the pages, unless there is a server to send them to.
MAILBOX_DIR = env(
    "MAILBOX_DIR", default="" if env("EMAIL_URL", default="") else str(BASE_DIR.parent / ".demo" / "mails")
)
if MAILBOX_DIR:
    vars().update(mail.sent_by(mail.MAILBOX))

LOGGING = logs.configure(level=LOG_LEVEL, as_json=env.bool("DJANGO_LOG_JSON", default=False))
