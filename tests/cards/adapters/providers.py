"""The shipped adapters, pointed at their sandboxes."""

import time
from collections.abc import Callable
from typing import Any

from holdfast.ids import uuid7
from holdfast_cards.backends.bank import BankProvider
from holdfast_cards.backends.lithic import LithicProvider
from holdfast_cards.backends.stripe import StripeProvider
from holdfast_cards.ports import Answer, CardOrder, CardProvider, Holder
from holdfast_cards.testing.contract import ADDRESS
from holdfast_cards.testing.sandbox import Sandbox

HOLDER = Holder(external_id="holder-1", name="Ada Lovelace", address=ADDRESS)
SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
DIALECTS = ("bank", "stripe", "lithic")


def bank(base_url: str, **options: Any) -> BankProvider:
    return BankProvider(base_url=base_url, **options)


def stripe(base_url: str, **options: Any) -> StripeProvider:
    designs = {"pink": "pd_pink", "black": "pd_black"}
    return StripeProvider(base_url=base_url, **{"api_key": "sk_test_sandbox", "designs": designs, **options})


def lithic(base_url: str, **options: Any) -> LithicProvider:
    products, art = {"pink": "1", "black": "2"}, {"pink": "1", "black": "2"}
    given = {"api_key": "lithic-sandbox", "products": products, "digital_art": art}
    return LithicProvider(base_url=base_url, **{**given, **options})


MAKERS = {"bank": bank, "stripe": stripe, "lithic": lithic}


def provider_of(sandbox: Sandbox, **options: Any) -> Any:
    """Return the adapter of a sandbox's dialect, with the sandbox's own secret for webhooks."""
    sandbox.webhooks.secret = SECRET
    return MAKERS[sandbox.name](sandbox.base_url, **{"webhook_secrets": [SECRET], **options})


def order(provider: CardProvider, **changes: Any) -> CardOrder:
    return CardOrder(**{"reference": str(uuid7()), "holder": HOLDER, "color": "black", **changes})


def create(provider: CardProvider, *, key: str | None = None, **changes: Any) -> Answer:
    return provider.create(provider.compose(order(provider, **changes)), key=key or str(uuid7()))


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "It did not come about."
        time.sleep(0.01)
