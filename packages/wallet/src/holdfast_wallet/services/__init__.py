"""The wallet's verbs: the only writers.

The scope. ``owner_id`` is the primary key of the user in whose name a verb acts. Outside the scope nothing exists:
somebody else's account is not found. The account that gives must be the owner's (for a deposit, the one that
receives). ``None`` is the scope of the house: the accounts that have a role and no owner. There is no way round the
scope: the staff act by naming the owner, as ``freeze_account(account_id=account.id, owner_id=account.owner_id)``.

Some verbs have no scope because they serve the house alone, and nobody may call them in a user's name:
``open_system_account``, ``expire_holds``, ``settle_payment``, ``fail_payment``, ``sync_payments``, ``seal``,
``verify``.

Keys. Each verb that moves money or sets it aside takes a ``key``, a UUID that becomes the id of what it makes. The
same key with the same request returns the first result; with another request it is ``KeyReused``. A refusal uses no
key up.

Transactions. A verb is one transaction, or part of the caller's, where its refusal leaves the rest intact. Rows are
locked until the caller commits, so several transfers in one block should go through ``post``, which locks in an order
that cannot deadlock.
"""

from holdfast_wallet.services.accounts import (
    change_limits,
    close_account,
    freeze_account,
    make_default,
    open_account,
    open_system_account,
    rename_account,
    unfreeze_account,
)
from holdfast_wallet.services.audit import Finding, Progress, verify
from holdfast_wallet.services.exchange import Exchange, Quote, exchange, quote
from holdfast_wallet.services.expiry import expire_holds
from holdfast_wallet.services.holds import capture_hold, place_hold, release_hold
from holdfast_wallet.services.payments import (
    fail_payment,
    request_deposit,
    request_withdrawal,
    settle_payment,
    sync_payments,
)
from holdfast_wallet.services.posting import deposit, post, post_transfers, transfer, withdraw
from holdfast_wallet.services.requests import OwnerId, TransferRequest
from holdfast_wallet.services.reversals import reverse
from holdfast_wallet.services.sealing import seal

__all__ = [
    "Exchange",
    "Finding",
    "OwnerId",
    "Progress",
    "Quote",
    "TransferRequest",
    "capture_hold",
    "change_limits",
    "close_account",
    "deposit",
    "exchange",
    "expire_holds",
    "fail_payment",
    "freeze_account",
    "make_default",
    "open_account",
    "open_system_account",
    "place_hold",
    "post",
    "post_transfers",
    "quote",
    "release_hold",
    "rename_account",
    "request_deposit",
    "request_withdrawal",
    "reverse",
    "seal",
    "settle_payment",
    "sync_payments",
    "transfer",
    "unfreeze_account",
    "verify",
    "withdraw",
]
