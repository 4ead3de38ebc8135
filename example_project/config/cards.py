"""The card provider, chosen by the environment: a bank, Stripe or Lithic, or the dummy where there is none."""

from typing import Any

import environ

DESIGNS = {"pink": "pd_pink", "black": "pd_black"}

COUNTER = {"line1": "1 Quay", "city": "Holdfast", "postal_code": "75002", "country": "FR"}


def settings_from(env: environ.Env) -> dict[str, Any]:
    """Return ``HOLDFAST_CARDS``.

    ``CARD_PROVIDER`` names who makes the cards, ``CARD_PROVIDER_URL`` where he is (the sandbox, for one),
    ``CARD_PROVIDER_KEY`` is his key for us, and ``CARD_WEBHOOK_SECRET`` signs what he tells.
    """
    name, url = env("CARD_PROVIDER", default=""), env("CARD_PROVIDER_URL", default="")
    key, secret = env("CARD_PROVIDER_KEY", default=""), env("CARD_WEBHOOK_SECRET", default="")
    colors = env.dict("CARD_DESIGNS", default={})
    options: dict[str, dict[str, Any]] = {
        "bank": {"authorization": key, "reads": env.bool("CARD_BANK_READS", default=False)},
        "stripe": {"api_key": key, "designs": colors or DESIGNS},
        "lithic": {"api_key": key, "products": colors or {"pink": "1", "black": "2"}},
    }
    classes = {"bank": "bank.BankProvider", "stripe": "stripe.StripeProvider", "lithic": "lithic.LithicProvider"}
    holders = {"HOLDER_REFERENCE": {"BACKEND": "adapters.card_holders.People", "OPTIONS": {"counter": COUNTER}}}
    if name not in classes:
        return holders
    given = {"webhook_secrets": [secret] if secret else [], **options[name], **({"base_url": url} if url else {})}
    return {"PROVIDER": {"BACKEND": f"holdfast_cards.backends.{classes[name]}", "OPTIONS": given}, **holders}
