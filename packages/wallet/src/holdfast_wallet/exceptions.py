"""The wallet's refusals: one class for each, whose docstring's first line is the message."""

from holdfast import errors


class WalletError(errors.Refusal):
    """The wallet refused the request."""

    code = "holdfast_wallet.refused"


class AccountNotFound(WalletError, errors.NotFound):
    """There is no such account."""

    code = "holdfast_wallet.account_not_found"


class TransferNotFound(WalletError, errors.NotFound):
    """There is no such transfer."""

    code = "holdfast_wallet.transfer_not_found"


class HoldNotFound(WalletError, errors.NotFound):
    """There is no such hold."""

    code = "holdfast_wallet.hold_not_found"


class PaymentNotFound(WalletError, errors.NotFound):
    """There is no such payment."""

    code = "holdfast_wallet.payment_not_found"


class InsufficientFunds(WalletError, errors.Conflict):
    """The account does not have enough available money.

    Context: ``account_id``, ``available``, ``currency``.
    """

    code = "holdfast_wallet.insufficient_funds"


class BalanceLimitExceeded(WalletError, errors.Conflict):
    """The account would hold more than its maximum balance.

    Context: ``account_id``, ``room`` (what it can still receive), ``currency``.
    """

    code = "holdfast_wallet.balance_limit_exceeded"


class AccountIsFrozen(WalletError, errors.Conflict):
    """The account is frozen."""

    code = "holdfast_wallet.account_frozen"


class AccountIsClosed(WalletError, errors.Conflict):
    """The account is closed."""

    code = "holdfast_wallet.account_closed"


class TargetRefuses(WalletError, errors.Conflict):
    """The account that should receive the money does not take it.

    All that is told of somebody else's account, whether it is full, frozen, closed or of another currency.
    """

    code = "holdfast_wallet.target_refuses"


class AccountNotFrozen(WalletError, errors.Conflict):
    """Only a frozen account can be unfrozen."""

    code = "holdfast_wallet.account_not_frozen"


class AccountNotEmpty(WalletError, errors.Conflict):
    """Only an account without money and without open holds can be closed."""

    code = "holdfast_wallet.account_not_empty"


class PaymentsPending(WalletError, errors.Conflict):
    """The account has payments under way."""

    code = "holdfast_wallet.payments_pending"


class AccountIsSplit(WalletError, errors.Invalid):
    """The account is kept in slots, which cannot do this."""

    code = "holdfast_wallet.account_split"


class CurrencyMismatch(WalletError, errors.Invalid):
    """The money is not in the account's currency."""

    code = "holdfast_wallet.currency_mismatch"


class SameAccount(WalletError, errors.Invalid):
    """Money cannot move from an account to itself."""

    code = "holdfast_wallet.same_account"


class AmountNotPositive(WalletError, errors.Invalid):
    """The amount must be greater than zero."""

    code = "holdfast_wallet.amount_not_positive"


class AmountTooLarge(WalletError, errors.Invalid):
    """The amount is larger than a ledger of integers can keep."""

    code = "holdfast_wallet.amount_too_large"


class AmountTooSmall(WalletError, errors.Invalid):
    """The amount is worth less than one minor unit of the other currency."""

    code = "holdfast_wallet.amount_too_small"


class LimitInvalid(WalletError, errors.Invalid):
    """A limit must not be negative, and must be in the account's currency."""

    code = "holdfast_wallet.limit_invalid"


class MalformedRequest(WalletError, errors.Invalid):
    """The request has a value that the ledger cannot store."""

    code = "holdfast_wallet.malformed_request"


class KeyReused(WalletError, errors.Invalid):
    """The key was already used for another request."""

    code = "holdfast_wallet.key_reused"


class BatchTooLarge(WalletError, errors.Invalid):
    """The batch has too many transfers, or none."""

    code = "holdfast_wallet.batch_too_large"


class HoldNotOpen(WalletError, errors.Conflict):
    """The hold is over: it was captured, released or has expired."""

    code = "holdfast_wallet.hold_not_open"


class HoldLapsed(WalletError, errors.Conflict):
    """The hold has expired."""

    code = "holdfast_wallet.hold_expired"


class HoldInUse(WalletError, errors.Conflict):
    """The hold belongs to a payment and ends with it."""

    code = "holdfast_wallet.hold_in_use"


class CaptureExceedsHold(WalletError, errors.Conflict):
    """The capture is larger than what is left of the hold.

    Context: ``hold_id``, ``remaining``, ``currency``.
    """

    code = "holdfast_wallet.capture_exceeds_hold"


class ReversalExceedsOriginal(WalletError, errors.Conflict):
    """The reversals would give back more than was transferred.

    Context: ``transfer_id``, ``reversible``, ``currency``.
    """

    code = "holdfast_wallet.reversal_exceeds_original"


class NotReversible(WalletError, errors.Conflict):
    """A reversal cannot be reversed."""

    code = "holdfast_wallet.not_reversible"


class RateUnavailable(WalletError, errors.Unavailable):
    """There is no exchange rate for these currencies at the moment."""

    code = "holdfast_wallet.rate_unavailable"


class RateInvalid(WalletError, errors.Invalid):
    """An exchange rate must be a positive, finite decimal."""

    code = "holdfast_wallet.rate_invalid"


class PaymentNotPending(WalletError, errors.Conflict):
    """The payment was already settled or has failed."""

    code = "holdfast_wallet.payment_not_pending"
