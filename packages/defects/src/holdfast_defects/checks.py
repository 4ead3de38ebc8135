"""Start-up checks.

======== =========================================================================================================
E001-004 ``HOLDFAST_DEFECTS`` is no dict, has an unknown key, a value of a wrong type, a counter that does not load
         (as with a URL that is none)
W001     the dummy counts for nobody (``--deploy``)
======== =========================================================================================================
"""

from typing import Any

from django.core import checks

from holdfast_defects.conf import settings

LABEL = "holdfast_defects"
DUMMY = "holdfast_defects.backends.dummy.DummyCounter"


@checks.register(LABEL)
def check_settings(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse unknown keys, values of a wrong type and a counter that does not load."""
    return list(settings.check(LABEL))


@checks.register(LABEL, deploy=True)
def check_counter(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of the counter that counts nothing."""
    if settings.COUNTER["BACKEND"] != DUMMY:
        return []
    return [
        checks.Warning(
            "No counter server is told of the defects.",
            hint="Give HOLDFAST_DEFECTS['COUNTER'] the backend holdfast_defects.backends.http.HttpCounter and a url.",
            id=f"{LABEL}.W001",
        )
    ]
