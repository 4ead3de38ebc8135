"""The settings of cards: one typed dict, ``HOLDFAST_CARDS``."""

from typing import Annotated, Literal

from holdfast.conf import AppSettings, BackendSpec


class CardsSettings(AppSettings, setting="HOLDFAST_CARDS"):
    """What a host may choose; each read is late, so ``override_settings`` works."""

    PROVIDER: Annotated[BackendSpec, "Who makes the cards."] = {
        "BACKEND": "holdfast_cards.backends.dummy.DummyProvider"
    }
    HOLDER_REFERENCE: Annotated[BackendSpec, "Who knows under which id the provider knows a holder."] = {
        "BACKEND": "holdfast_cards.backends.holders.PrimaryKeys"
    }
    MODE: Annotated[
        Literal["inline", "deferred"], "Whether a verb asks the provider itself, or leaves it to the worker."
    ] = "inline"
    QUEUE_WHEN_DOWN: Annotated[
        bool, "Whether a card is ordered later when the provider cannot be reached; if not, the request is refused."
    ] = True
    REQUIRE_IDEMPOTENCY_KEY: Annotated[bool, "Whether the API refuses an order without an Idempotency-Key."] = False
    MAX_LIVE_CARDS: Annotated[int | None, "How many cards one holder may have that are not over; None: any number."] = (
        None
    )
    LEASE_SECONDS: Annotated[
        float, "How long one call may take before another worker takes over; three times the adapter's deadline."
    ] = 30.0
    SECOND_TRY_SECONDS: Annotated[
        float, "If a call failed sooner than this, a verb tries once more before it answers; 0: never."
    ] = 1.0
    SETTLE_SECONDS: Annotated[float, "How long after a lost answer a look-up that finds no card is believed."] = 60.0
    KEY_MARGIN_SECONDS: Annotated[
        int, "How long before the provider may forget an idempotency key it is no longer sent again."
    ] = 3_600
    RETRY_SECONDS: Annotated[float, "The first wait of the worker before it tries again; each further is doubled."] = (
        5.0
    )
    RETRY_MAX_SECONDS: Annotated[float, "The longest wait, also where the provider asks for a longer one."] = 3_600.0
    GIVE_UP_SECONDS: Annotated[
        int, "After how long an operation is left to the review queue; a person may give it as long again."
    ] = 259_200
    REFRESH_SOON_SECONDS: Annotated[int, "How often a card that is on its way is compared with the provider's."] = 3_600
    REFRESH_SECONDS: Annotated[int, "How often a card that has arrived is compared with the provider's."] = 86_400
    FEED_SECONDS: Annotated[int, "How often the provider's log of events is read for webhooks that were lost."] = 300
    WEBHOOK_MAX_BYTES: Annotated[int, "The largest webhook that is read, in bytes."] = 262_144
    WEBHOOK_PATIENCE_SECONDS: Annotated[
        int, "How long a webhook about a card that we do not know (yet) waits for it."
    ] = 86_400
    WEBHOOK_RETENTION_DAYS: Annotated[int, "How long webhooks are remembered; senders repeat one up to 30 days."] = 90


settings = CardsSettings()
