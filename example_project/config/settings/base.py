"""What every place has in common. All that differs between two installations comes from the environment.

A variable ``X`` may also be given as ``X_FILE``, the path of a file that holds it: that is how Docker and Kubernetes
hand over secrets.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import environ
import sentry_sdk
from celery.schedules import crontab
from django.templatetags.static import static

from config import cards, catalog, databases, logs, mail

BASE_DIR = Path(__file__).resolve().parents[2]

env = environ.FileAwareEnv()
env.read_env(BASE_DIR.parent / ".env")  # what the environment has already, wins

DEBUG = False
SECRET_KEY = env("DJANGO_SECRET_KEY", default="")
ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("DJANGO_CSRF_TRUSTED_ORIGINS", default=[])
CSRF_FAILURE_VIEW = "storefront.views.errors.csrf_failure"
ENVIRONMENT = "base"

INSTALLED_APPS = [
    "unfold",  # before the admin: it replaces its templates
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_prometheus",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rest_framework.authtoken",
    "holdfast",
    "holdfast_wallet",
    "holdfast_cards",
    "holdfast_defects",
    "holdfast_catalog_notify",
    "holdfast_artisan_shop",
    "people",
    "storefront",
]

MIDDLEWARE = [
    "holdfast.middleware.RequestTraceMiddleware",  # outermost: every answer and every log line has the request's id
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.security.ContentSecurityPolicyMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],  # wins over the admin's theme, which wins over the admin
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "storefront.context.navigation",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS += ["django.forms"]

# Data
DATABASES = {
    "default": databases.from_url(
        env("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'holdfast.sqlite3'}"),
        pooled=env.bool("DATABASE_POOL", default=False),
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env("REDIS_URL", default="")
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# People
AUTH_USER_MODEL = "people.User"
PASSWORD_HASHERS = [
    # Scrypt wants memory as well as time, which is what makes guessing by the million dear.
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "storefront:login"
LOGIN_REDIRECT_URL = "storefront:wallet"
LOGOUT_REDIRECT_URL = "storefront:home"
SIGN_IN_ATTEMPTS = 10
SIGN_IN_ATTEMPTS_SECONDS = 15 * 60

# Language and time: one language, so that the OpenAPI document is the same with every release of Django.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
TIME_ZONE = "UTC"
USE_TZ = True

# Files
STATIC_URL = "static/"
STATIC_ROOT = env.path("DJANGO_STATIC_ROOT", default=BASE_DIR / "staticfiles")
MEDIA_ROOT = env.path("DJANGO_MEDIA_ROOT", default=BASE_DIR.parent / ".demo" / "files")  # pictures of products
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Security. The pages need nothing but our own files; the admin's theme compiles expressions in the browser (Alpine),
# and the API's two readers bring inline styles.
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
_STRICT = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
_INLINE_STYLE = "style-src 'self' 'unsafe-inline'"
CONTENT_SECURITY_POLICIES = {
    "/": _STRICT,
    # Pictures of products are wherever their makers keep them.
    "/catalog/": _STRICT.replace("img-src 'self' data:", "img-src 'self' data: https:"),
    "/market/": _STRICT.replace("img-src 'self' data:", "img-src 'self' data: https:"),
    "/basket/": _STRICT.replace("img-src 'self' data:", "img-src 'self' data: https:"),
    "/workshop/": _STRICT.replace("img-src 'self' data:", "img-src 'self' data: https:"),
    "/admin/": f"{_STRICT}; {_INLINE_STYLE}; script-src 'self' 'unsafe-inline' 'unsafe-eval'",
    "/schema/": f"{_STRICT}; {_INLINE_STYLE}; script-src 'self' 'unsafe-inline'; worker-src blob:",
}
CORS_ALLOWED_ORIGINS = env.list("DJANGO_CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/(api|schema)/"
CORS_ALLOW_HEADERS = ["accept", "authorization", "content-type", "idempotency-key", "if-match", "x-request-id"]
CORS_EXPOSE_HEADERS = ["etag", "idempotency-replayed", "retry-after", "x-request-id"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "config.uploads.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# The wallet. The dummy rail settles at once, for the demo: production names another one.
HOLDFAST_WALLET: dict[str, Any] = {
    "PAYMENT_RAIL": {"BACKEND": env("PAYMENT_RAIL", default="holdfast_wallet.backends.dummy.DummyRail")},
    "RATES": {
        "BACKEND": "holdfast_wallet.backends.rates.FixedRates",
        "OPTIONS": {
            "rates": {
                "EUR/USD": "1.0842",
                "EUR/GBP": "0.8531",
                "EUR/CHF": "0.9417",
                "EUR/JPY": "163.25",
                "GBP/USD": "1.2709",
            }
        },
    },
    "FEES": {
        "BACKEND": "holdfast_wallet.backends.fees.FlatAndPercent",
        "OPTIONS": {"percent": "0.5", "kinds": ["exchange"]},
    },
}

# The outbox. It tries often within the first minutes, unlike the schedule of webhooks: who restarts a neighbor should
# not wait for hours to see it hear of everything. It ends after three days, as that one does.
HOLDFAST_OUTBOX: dict[str, Any] = {
    "RETRY_SECONDS": [2, 5, 10, 30, 60, 300, 900, 1800, 7200, 18000, 36000, 50400, 72000, 86400],
    # Webhooks leave for the public net alone, by TLS; the demo's receiver is on this machine.
    "WEBHOOK_ALLOW_HTTP": env.bool("WEBHOOK_ALLOW_HTTP", default=False),
    "WEBHOOK_ALLOWED_NETWORKS": env.list("WEBHOOK_ALLOWED_NETWORKS", default=[]),
}
# A page that looks on holds a thread of the web server: of its eight, no more than these. A stream ends after a while,
# and a page that is still there opens it again: that is how the thread of one that was left comes free.
HOLDFAST: dict[str, Any] = {"STREAMS_MAX": env.int("STREAMS_MAX", default=4), "STREAM_SECONDS": 10}

# Defects are told to the counter server, where there is one. People see what it counted at its page.
COUNTER_URL = env("COUNTER_URL", default="")
COUNTER_PAGE = env("COUNTER_PAGE", default=COUNTER_URL and urljoin(COUNTER_URL, "/"))
HOLDFAST_DEFECTS: dict[str, Any] = {}
if COUNTER_URL:
    HOLDFAST_DEFECTS["COUNTER"] = {
        "BACKEND": "holdfast_defects.backends.http.HttpCounter",
        "OPTIONS": {"url": COUNTER_URL, "secret": env("COUNTER_SECRET", default="")},
    }

# Cards are made by whom the environment names; where that is the sandbox, people see what it believes at its page.
HOLDFAST_CARDS = cards.settings_from(env)
CARD_SANDBOX_PAGE = env("CARD_SANDBOX_PAGE", default="")

# Mail goes the way that EMAIL_URL says (smtp+tls://user:password@host:587); where there is a MAILBOX_DIR, as in the
# demo, into that folder instead, to be looked at on the pages.
vars().update(mail.settings_from(env))
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Holdfast <catalog@example.org>")
MAILBOX_DIR = env("MAILBOX_DIR", default="")
MAILBOX_PAGE = env("MAILBOX_PAGE", default="")  # of a mail catcher such as Mailpit
if MAILBOX_DIR:
    vars().update(mail.sent_by(mail.MAILBOX))

# The catalog: how its admins are told of changes, and how visitors are counted.
SITE_URL = env("SITE_URL", default="")
HOLDFAST_CATALOG_NOTIFY: dict[str, Any] = catalog.settings_from(env)

# The market: paid from the wallet, which keeps the fee for the house.
HOLDFAST_ARTISAN_SHOP: dict[str, Any] = {
    "PAYMENT": {"BACKEND": "adapters.wallet_gateway.WalletGateway"},
    "FEE_PERCENT": env.float("MARKET_FEE_PERCENT", default=8.0),
}

# How many proxies of ours stand before the web server. Each adds to X-Forwarded-For whom it saw; what stands there
# beside that is what a caller says of himself, and would give him a new name at each throttle.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)

# The API
REST_FRAMEWORK = {
    "NUM_PROXIES": TRUSTED_PROXIES,
    "URL_FORMAT_OVERRIDE": None,  # what is wanted is said by the path and by Accept
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env("DJANGO_THROTTLE_ANON", default="120/min"),
        "user": env("DJANGO_THROTTLE_USER", default="1200/min"),
        "sign_in": env("DJANGO_THROTTLE_SIGN_IN", default="20/min"),
    },
}
# Who changes his password ends the tokens that were given for the old one.
SIMPLE_JWT = {"CHECK_REVOKE_TOKEN": True}
SPECTACULAR_SETTINGS = {
    "TITLE": "Holdfast",
    "DESCRIPTION": "Apps for commerce on Django, assembled: this is the API of the example project.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# Work behind the pages. There is no django-celery-beat: its schedule is code, reviewed and released like the rest.
CELERY_BROKER_URL = env("CELERY_BROKER_URL", default=REDIS_URL or "memory://")
CELERY_TASK_ALWAYS_EAGER = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # The relay is a process of its own; this tick is the net below it, for the time in which it is restarted.
    "drain the outbox": {"task": "holdfast.tasks.drain_outbox", "schedule": 60},
    "purge the outbox": {"task": "holdfast.tasks.purge_outbox", "schedule": crontab(minute=10)},
    "purge idempotency keys": {"task": "holdfast.tasks.purge_idempotency_keys", "schedule": crontab(minute=20)},
    "repair cards": {"task": "holdfast_cards.tasks.work", "schedule": 5},
    # A tick that nobody took before the next one came is no loss.
    "deliver notifications": {
        "task": "holdfast_catalog_notify.tasks.deliver",
        "schedule": 2,
        "kwargs": {"seconds": 10},
        "options": {"expires": 2},
    },
    "count views": {
        "task": "holdfast_catalog_notify.tasks.count",
        "schedule": 5,
        "kwargs": {"seconds": 0},
        "options": {"expires": 5},
    },
    "keep the market": {"task": "holdfast_artisan_shop.tasks.tidy", "schedule": 60},
    "remind of deliveries": {"task": "holdfast_artisan_shop.tasks.remind", "schedule": crontab(minute=30)},
    "count sales": {"task": "holdfast_artisan_shop.tasks.roll_up", "schedule": crontab(hour=2, minute=0)},
    "expire holds": {"task": "holdfast_wallet.tasks.expire_holds", "schedule": 60},
    "ask the payment rail": {"task": "holdfast_wallet.tasks.sync_payments", "schedule": 60},
    "seal the ledger": {"task": "holdfast_wallet.tasks.seal", "schedule": 300},
    "verify the ledger": {"task": "holdfast_wallet.tasks.verify", "schedule": crontab(hour=3, minute=0)},
}

# Watching
LOG_LEVEL = env("DJANGO_LOG_LEVEL", default="INFO")
LOGGING = logs.configure(level=LOG_LEVEL, as_json=env.bool("DJANGO_LOG_JSON", default=True))
DJANGO_STRUCTLOG_CELERY_ENABLED = True
PROMETHEUS_EXPORT_MIGRATIONS = False
METRICS_TOKEN = env("METRICS_TOKEN", default="")
METRICS_OPEN = True  # to everybody, where there is no token

if SENTRY_DSN := env("SENTRY_DSN", default=""):
    sentry_sdk.init(
        dsn=SENTRY_DSN,
        environment=env("SENTRY_ENVIRONMENT", default="production"),
        release=env("SENTRY_RELEASE", default=None),
        traces_sample_rate=env.float("SENTRY_TRACES_SAMPLE_RATE", default=0.0),
        send_default_pii=False,
    )

# The admin
UNFOLD = {
    "SITE_TITLE": "Holdfast",
    "SITE_HEADER": "Holdfast",
    "SITE_SUBHEADER": "Back office",
    "SITE_SYMBOL": "anchor",
    "SHOW_HISTORY": True,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("storefront/mark.svg")}],
    "STYLES": [lambda _request: static("storefront/backoffice.css")],
    "DASHBOARD_CALLBACK": "storefront.dashboard.context",
    "SIDEBAR": {"show_search": True, "navigation": "storefront.sidebar.navigation"},
    "ENVIRONMENT": "storefront.dashboard.environment",
    "COLORS": {
        "primary": {
            "50": "#effaf6",
            "100": "#d8f3e8",
            "200": "#b4e5d4",
            "300": "#82d1b9",
            "400": "#4eb599",
            "500": "#2b997e",
            "600": "#1c7b66",
            "700": "#176354",
            "800": "#154f44",
            "900": "#134139",
            "950": "#082521",
        }
    },
}
