"""The smallest Django project around one system, configured in code: each client process is its own host."""

from typing import Any
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings


def database(url: str) -> dict[str, Any]:
    """Return Django's settings for a database URL: ``postgres://...`` or ``sqlite:///path``."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": parts.path,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 60,
                # FULL: a commit is on the disk when it returns, as with PostgreSQL's synchronous_commit.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            },
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
    }


def configure(url: str, *apps: str, **more: Any) -> None:
    """Set Django up with these apps over this database, with nothing else switched on."""
    settings.configure(
        DATABASES={"default": database(url)},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", *apps],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        SECRET_KEY="benchmarks",  # signs nothing here
        LOGGING_CONFIG=None,
        **more,
    )
    django.setup()
