"""What the wallet tells: frozen, versioned facts of plain values.

Amounts are integers in the currency's minor unit, as the ledger keeps them; ``holdfast.money.from_minor`` makes
``Money`` of them.
"""

from holdfast.events import Event


class AccountOpened(Event, type="holdfast_wallet.account_opened.v1", key="account_id"):
    """An account was opened; ``owner_id`` is empty for the house's own."""

    account_id: str
    owner_id: str
    role: str
    currency: str


class AccountFrozen(Event, type="holdfast_wallet.account_frozen.v1", key="account_id"):
    """An account stopped paying out, and receiving too if ``credits_blocked``."""

    account_id: str
    credits_blocked: bool
    reason: str


class AccountUnfrozen(Event, type="holdfast_wallet.account_unfrozen.v1", key="account_id"):
    """A frozen account works again."""

    account_id: str


class AccountClosed(Event, type="holdfast_wallet.account_closed.v1", key="account_id"):
    """An account was closed, at zero, for good."""

    account_id: str


class TransferPosted(Event, type="holdfast_wallet.transfer_posted.v1", key="journal_id"):
    """Money moved from one account to another."""

    transfer_id: str
    journal_id: str
    kind: str
    source_id: str
    target_id: str
    amount_minor: int
    currency: str
    reverses_id: str | None = None
    hold_id: str | None = None


class HoldPlaced(Event, type="holdfast_wallet.hold_placed.v1", key="hold_id"):
    """Money was set aside on an account."""

    hold_id: str
    account_id: str
    amount_minor: int
    currency: str
    expires_at: str | None = None


class HoldCaptured(Event, type="holdfast_wallet.hold_captured.v1", key="hold_id"):
    """Money that was set aside was paid, in whole or in part; ``final`` tells that nothing is set aside any more."""

    hold_id: str
    account_id: str
    transfer_id: str
    amount_minor: int
    currency: str
    final: bool


class HoldReleased(Event, type="holdfast_wallet.hold_released.v1", key="hold_id"):
    """What was left of a hold is available again, because somebody said so."""

    hold_id: str
    account_id: str
    amount_minor: int
    currency: str


class HoldExpired(Event, type="holdfast_wallet.hold_expired.v1", key="hold_id"):
    """What was left of a hold is available again, because its time was over."""

    hold_id: str
    account_id: str
    amount_minor: int
    currency: str


class PaymentRequested(Event, type="holdfast_wallet.payment_requested.v1", key="payment_id"):
    """Somebody asked for money from or to the outside."""

    payment_id: str
    direction: str
    account_id: str
    amount_minor: int
    currency: str


class PaymentSettled(Event, type="holdfast_wallet.payment_settled.v1", key="payment_id"):
    """Money from or to the outside has arrived, and is posted."""

    payment_id: str
    direction: str
    account_id: str
    transfer_id: str
    amount_minor: int
    currency: str


class PaymentSuspended(Event, type="holdfast_wallet.payment_suspended.v1", key="payment_id"):
    """Money from or to the outside has moved, but its account does not take it: it waits in the suspense account."""

    payment_id: str
    direction: str
    account_id: str
    transfer_id: str
    amount_minor: int
    currency: str
    reason: str


class PaymentFailed(Event, type="holdfast_wallet.payment_failed.v1", key="payment_id"):
    """A payment will not happen."""

    payment_id: str
    direction: str
    account_id: str
    amount_minor: int
    currency: str
    reason: str


class TransfersSealed(Event, type="holdfast_wallet.transfers_sealed.v1", key="seal_id"):
    """The hash chain grew by a link: whoever keeps the digest elsewhere can prove later what the ledger said."""

    seal_id: str
    first_number: int
    last_number: int
    digest: str
