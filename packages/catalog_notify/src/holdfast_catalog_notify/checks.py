"""Start-up checks.

======== ===========================================================================================================
E001-004 ``HOLDFAST_CATALOG_NOTIFY`` is no dict, has an unknown key, a value of a wrong type, a channel or a buffer that
         does not load
E005     a default channel or a failover that no channel has the name of, or a failover that goes in a circle
E006     a ``BOT_PATTERN`` that is no regular expression, a ``REPORT_TIME_ZONE`` that is none, a negative number
W001     no ``BASE_URL``: no message can be unsubscribed from with a click (``--deploy``)
W002     mail over SMTP without ``EMAIL_TIMEOUT``: a server that hangs keeps a worker for ever (``--deploy``)
======== ===========================================================================================================
"""

import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings as django_settings
from django.core import checks

from holdfast_catalog_notify.conf import settings

LABEL = "holdfast_catalog_notify"
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@checks.register(LABEL)
def check_settings(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse unknown keys, values of a wrong type, channels that do not load and names that no channel has."""
    return list(settings.check(LABEL)) or [*_misnamed(), *_uncountable()]


@checks.register(LABEL, deploy=True)
def check_deployment(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of what works until it matters."""
    found: list[checks.CheckMessage] = []
    if not settings.BASE_URL:
        found.append(
            checks.Warning(
                "Messages have no link to unsubscribe with.",
                hint="Give HOLDFAST_CATALOG_NOTIFY['BASE_URL'] the address of this site.",
                id=f"{LABEL}.W001",
            )
        )
    if _waits_for_ever():
        found.append(
            checks.Warning(
                "A mail server that hangs keeps a worker for ever.",
                hint="Set EMAIL_TIMEOUT (in MAILERS the option timeout) to less than LEASE_SECONDS.",
                id=f"{LABEL}.W002",
            )
        )
    return found


def _waits_for_ever() -> bool:
    mailers = getattr(django_settings, "MAILERS", None)  # Django 6.1
    if mailers is None:
        return (django_settings.EMAIL_BACKEND, django_settings.EMAIL_TIMEOUT) == (SMTP, None)
    return (SMTP, None) in [(one.get("BACKEND"), one.get("OPTIONS", {}).get("timeout")) for one in mailers.values()]


def _misnamed() -> Iterator[checks.Error]:
    named = {*settings.DEFAULT_CHANNELS, *settings.FAILOVER, *settings.FAILOVER.values()}
    for name in sorted(named - settings.CHANNELS.keys()):
        yield checks.Error(
            f"{settings.setting} names a channel {name!r}, which is not in CHANNELS.",
            hint=f"The channels are: {', '.join(sorted(settings.CHANNELS))}.",
            id=f"{LABEL}.E005",
        )
    for name in settings.FAILOVER:
        seen = [name]
        while (following := settings.FAILOVER.get(seen[-1])) is not None and following not in seen:
            seen.append(following)
        if following is not None:
            yield checks.Error(
                f"{settings.setting}['FAILOVER'] goes in a circle: {' -> '.join([*seen, following])}.",
                hint="Let the chain end at a channel that nothing takes over from.",
                id=f"{LABEL}.E005",
            )
            return


def _uncountable() -> Iterator[checks.Error]:
    """Yield what would be found out at the first visitor."""
    for name in ("BOT_PATTERN", "REPORT_TIME_ZONE"):
        value = getattr(settings, name)
        try:
            if value is not None:
                re.compile(value) if name == "BOT_PATTERN" else ZoneInfo(value)
        except (re.error, ValueError, OSError, LookupError) as error:
            yield checks.Error(
                f"{settings.setting}[{name!r}] is {value!r}: {error}",
                hint=settings.declared[name].description,
                id=f"{LABEL}.E006",
            )
    for name in ("VISIT_SECONDS", "TRUSTED_PROXIES", "HOURLY_VIEWS_DAYS"):
        if getattr(settings, name) < 0:
            yield checks.Error(
                f"{settings.setting}[{name!r}] is negative.",
                hint=settings.declared[name].description,
                id=f"{LABEL}.E006",
            )
