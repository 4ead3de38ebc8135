"""In production: behind a proxy that ends TLS, every secret from the environment or from a file."""

from config.settings.base import *  # noqa: F403 - a settings module is its base and what differs
from config.settings.base import HOLDFAST_CATALOG_NOTIFY, HOLDFAST_WALLET, REST_FRAMEWORK, SITE_URL, env

ENVIRONMENT = "production"
SECRET_KEY = env("DJANGO_SECRET_KEY")
ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS")

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=1)
REST_FRAMEWORK = REST_FRAMEWORK | {"NUM_PROXIES": TRUSTED_PROXIES}
SECURE_SSL_REDIRECT = env.bool("DJANGO_SECURE_SSL_REDIRECT", default=True)
# Probes and scrapers come over plain HTTP from inside the cluster.
SECURE_REDIRECT_EXEMPT = [r"^ping/$", r"^health/$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.int("DJANGO_SECURE_HSTS_SECONDS", default=365 * 24 * 60 * 60)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = env.bool("DJANGO_COOKIES_SECURE", default=True)
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE

METRICS_OPEN = False  # they tell how business goes

# Money appears when somebody has seen it on the bank's statement, and never because it was asked for.
HOLDFAST_WALLET = HOLDFAST_WALLET | {
    "PAYMENT_RAIL": {"BACKEND": env("PAYMENT_RAIL", default="adapters.manual_rail.ManualRail")}
}

# Links in mails lead to the site, whatever it is called from inside.
HOLDFAST_CATALOG_NOTIFY = HOLDFAST_CATALOG_NOTIFY | {
    "BASE_URL": SITE_URL or "".join(f"https://{host}" for host in ALLOWED_HOSTS[:1]),
    "TRUSTED_PROXIES": TRUSTED_PROXIES,
}
