"""For the tests: as in production where it matters, quick where it does not."""

from config.settings.base import *  # noqa: F403 - a settings module is its base and what differs
from config.settings.base import HOLDFAST, REST_FRAMEWORK, STORAGES

ENVIRONMENT = "test"
SECRET_KEY = "only-for-tests-and-long-enough-for-every-check-that-looks-at-its-length"  # noqa: S105 - guards nothing
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True

HOLDFAST = HOLDFAST | {"STREAMS_MAX": 50, "STREAMS_PER_USER_MAX": 50}  # a test's server has a thread for everybody

CELERY_BROKER_URL = "memory://"
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True

REST_FRAMEWORK = REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": {"anon": None, "user": None, "sign_in": None}}
LOGGING = {"version": 1, "disable_existing_loggers": False}
