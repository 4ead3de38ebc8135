"""The wallet's settings: one typed dict, ``HOLDFAST_WALLET``."""

from typing import Annotated

from holdfast.conf import AppSettings, BackendSpec


class WalletSettings(AppSettings, setting="HOLDFAST_WALLET"):
    """What a host may choose; each read is late, so ``override_settings`` works."""

    PAYMENT_RAIL: Annotated[BackendSpec, "Who moves money between the outside and us."] = {
        "BACKEND": "holdfast_wallet.backends.dummy.DummyRail"
    }
    RATES: Annotated[BackendSpec, "Who knows exchange rates."] = {
        "BACKEND": "holdfast_wallet.backends.rates.FixedRates"
    }
    FEES: Annotated[BackendSpec, "What transfers, captures, withdrawals and exchanges cost."] = {
        "BACKEND": "holdfast_wallet.backends.fees.NoFees"
    }
    HOLD_SECONDS: Annotated[int | None, "How long a hold lasts that names no end; None: until it is released."] = (
        604_800
    )
    FROZEN_ACCOUNTS_RECEIVE: Annotated[bool, "Whether an account still receives money while it is frozen."] = True
    SYSTEM_ACCOUNT_SLOTS: Annotated[
        int, "In how many slots a system account is kept that opens by itself; more of them post at once (PostgreSQL)."
    ] = 1
    METADATA_MAX_BYTES: Annotated[int, "How large the metadata of one transfer or hold may be, as JSON."] = 4_096
    BATCH_MAX_TRANSFERS: Annotated[int, "How many transfers may be posted at once."] = 1_000
    SEAL_BLOCK_TRANSFERS: Annotated[int, "How many transfers one seal of the hash chain covers at most."] = 10_000
    SEAL_WAIT_SECONDS: Annotated[float, "How long sealing waits for transactions in flight to end."] = 5.0
    PAYMENT_POLL_SECONDS: Annotated[
        int, "How long a pending payment rests before its rail is asked again; each further rest is twice as long."
    ] = 60
    PAYMENT_POLL_MAX_SECONDS: Annotated[int, "How long it rests at most."] = 3_600


settings = WalletSettings()
