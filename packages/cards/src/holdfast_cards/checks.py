"""Start-up checks: settings that cannot work, a provider that nobody can recover from, one that refuses us.

======== ===========================================================================================================
E001-004 ``HOLDFAST_CARDS`` is no dict, has an unknown key, a value of a wrong type, a backend that does not load
E005     a database that cards cannot be kept in
W001     SQLite without ``transaction_mode: IMMEDIATE``
W002     the dummy provider makes no cards (``--deploy``)
W003     the provider has no way to find out what became of a lost answer: each will need a person (``--deploy``)
W004     the provider does not accept us: orders wait (``--database``)
======== ===========================================================================================================
"""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import router
from django.db.utils import DatabaseError

from holdfast.checks import engine_of
from holdfast.conf import load_backend
from holdfast_cards.conf import settings
from holdfast_cards.models import Card, Operation
from holdfast_cards.states import OPEN, Outcome

LABEL = "holdfast_cards"
DUMMY = "holdfast_cards.backends.dummy.DummyProvider"


@checks.register(LABEL)
def check_settings(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse unknown keys, values of a wrong type and backends that do not load."""
    return list(settings.check(LABEL))


@checks.register(LABEL)
def check_engine(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse databases without partial unique constraints, and warn of SQLite transactions that begin too late."""
    return engine_of(Card, label=LABEL, error="E005")


@checks.register(LABEL, deploy=True)
def check_provider(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of a provider that makes no cards, and of one whose lost answers nobody can recover."""
    if settings.PROVIDER.get("BACKEND") == DUMMY:
        return [
            checks.Warning(
                "The card provider is the dummy: it makes no cards.",
                hint="Give HOLDFAST_CARDS['PROVIDER'] the dotted path of your provider's adapter.",
                id=f"{LABEL}.W002",
            )
        ]
    try:
        can = load_backend(settings.PROVIDER).capabilities
    except Exception:  # noqa: BLE001 - check_settings has said it
        return []
    if can.idempotency_key or can.find_by_reference or can.list_by_holder:
        return []
    return [
        checks.Warning(
            "The card provider takes no key and shows no cards: each lost answer will wait for a person.",
            hint="Ask the provider for an idempotency header or a way to list cards, and switch it on in OPTIONS.",
            id=f"{LABEL}.W003",
        )
    ]


@checks.register(checks.Tags.database)
def check_accepted(*, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[checks.CheckMessage]:
    """Tell of orders that wait because the provider does not take us for whom we are."""
    alias = router.db_for_write(Card)
    if alias not in (databases or ()):
        return []
    waiting = Operation.objects.using(alias).filter(state__in=sorted(OPEN), last_outcome=Outcome.MISCONFIGURED)
    try:
        count = waiting.count()
    except DatabaseError:  # not migrated yet
        return []
    if not count:
        return []
    return [
        checks.Warning(
            f"The card provider does not accept us: {count} operation(s) wait.",
            hint="Correct the key, the address or the permissions in HOLDFAST_CARDS['PROVIDER']; the worker goes on.",
            id=f"{LABEL}.W004",
        )
    ]
