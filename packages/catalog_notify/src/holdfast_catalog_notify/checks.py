"""Start-up checks.

======== ===========================================================================================================
E001-004 ``HOLDFAST_CATALOG_NOTIFY`` is no dict, has an unknown key, a value of a wrong type, a channel or a buffer that
         does not load
E005     a default channel or a failover that no channel has the name of, or a failover that goes in a circle
W001     no ``BASE_URL``: no message can be unsubscribed from with a click (``--deploy``)
W002     mail over SMTP without ``EMAIL_TIMEOUT``: a server that hangs keeps a worker for ever (``--deploy``)
======== ===========================================================================================================
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings as django_settings
from django.core import checks

from holdfast_catalog_notify.conf import settings

LABEL = "holdfast_catalog_notify"


@checks.register(LABEL)
def check_settings(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse unknown keys, values of a wrong type, channels that do not load and names that no channel has."""
    return list(settings.check(LABEL)) or list(_misnamed())


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
    smtp = getattr(django_settings, "EMAIL_BACKEND", "") == "django.core.mail.backends.smtp.EmailBackend"
    if smtp and getattr(django_settings, "EMAIL_TIMEOUT", None) is None:
        found.append(
            checks.Warning(
                "A mail server that hangs keeps a worker for ever.",
                hint="Set EMAIL_TIMEOUT, to less than HOLDFAST_CATALOG_NOTIFY['LEASE_SECONDS'].",
                id=f"{LABEL}.W002",
            )
        )
    return found


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
