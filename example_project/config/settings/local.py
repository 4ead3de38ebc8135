"""On a developer's machine, and the demo: no secrets to set, static files straight from the sources."""

from config import logs
from config.settings.base import *  # noqa: F403 - a settings module is its base and what differs
from config.settings.base import LOG_LEVEL, SECRET_KEY, STORAGES, env

ENVIRONMENT = "local"
DEBUG = env.bool("DJANGO_DEBUG", default=True)
SECRET_KEY = SECRET_KEY or "only-for-local-use-and-never-for-anything-that-can-be-reached-from-outside"
ALLOWED_HOSTS = ["*"]
INTERNAL_IPS = ["127.0.0.1"]

STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True

LOGGING = logs.configure(level=LOG_LEVEL, as_json=env.bool("DJANGO_LOG_JSON", default=False))
