"""Start-up checks.

======== ==========================================================================================================
E001-004 ``HOLDFAST_ARTISAN_SHOP`` is no dict, has an unknown key, a value of a wrong type, a backend that does not
         load
E005     a number that makes no sense: a negative one, a fee above 100 percent
E006     a database other than PostgreSQL and SQLite
W001     SQLite without ``transaction_mode: IMMEDIATE``
W002     the dummy gateway takes nobody's money (``--deploy``)
======== ==========================================================================================================
"""

from typing import Any

from django.core import checks

from holdfast.checks import engine_of
from holdfast_artisan_shop.conf import settings
from holdfast_artisan_shop.models import Order

LABEL = "holdfast_artisan_shop"
DUMMY = "holdfast_artisan_shop.backends.dummy.DummyGateway"


@checks.register(LABEL)
def check_settings(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse unknown keys, values of a wrong type, backends that do not load, and numbers that make no sense."""
    found: list[checks.CheckMessage] = list(settings.check(LABEL))
    return found or [
        checks.Error(
            f"{settings.setting}[{name!r}] is {value!r}, which makes no sense.",
            hint=declared.description,
            id=f"{LABEL}.E005",
        )
        for name, declared in settings.declared.items()
        if declared.type in (int, float)
        if (value := getattr(settings, name)) < 0 or (name == "FEE_PERCENT" and value > 100)
    ]


@checks.register(LABEL)
def check_engine(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse databases that our statements are not written for, and warn of SQLite transactions that begin too late."""
    return engine_of(Order, label=LABEL, error="E006")


@checks.register(LABEL, deploy=True)
def check_gateway(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of the gateway that says yes to everything."""
    if settings.PAYMENT["BACKEND"] != DUMMY:
        return []
    return [
        checks.Warning(
            "The payment gateway is the dummy: every order is paid, and nobody's money moves.",
            hint="Give HOLDFAST_ARTISAN_SHOP['PAYMENT'] the dotted path of your own gateway.",
            id=f"{LABEL}.W002",
        )
    ]
