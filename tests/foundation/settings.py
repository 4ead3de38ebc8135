"""The smallest host that the foundation needs."""

from tests import host
from tests.host import *  # noqa: F403 - a settings module is its base and what differs

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "tests.foundation.urls"
INSTALLED_APPS = [*host.INSTALLED_APPS, "tests.foundation.host", "tests.foundation.outbox.campaign"]
MIDDLEWARE = ["holdfast.middleware.RequestTraceMiddleware", *host.MIDDLEWARE]
SPECTACULAR_SETTINGS = {"TITLE": "The test host", "VERSION": "1", "OAS_VERSION": "3.1.1"}
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
