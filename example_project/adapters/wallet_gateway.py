"""Orders are paid from the wallet: a hold at checkout, captured when the goods are handed over."""

import datetime as dt
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone

from holdfast.errors import Refusal
from holdfast_artisan_shop.ports import Answer, Charge
from holdfast_wallet import selectors, services
from holdfast_wallet.exceptions import (
    AccountIsClosed,
    AccountIsFrozen,
    AccountNotFound,
    HoldNotFound,
    InsufficientFunds,
    KeyReused,
)
from holdfast_wallet.states import HoldState, SystemRole

YES = Answer(accepted=True)
# What ends by itself, or by a person: the shop asks again as long as the wallet says so.
PASSING = (AccountIsClosed, AccountIsFrozen)


class WalletGateway:
    """Sets a charge aside on the buyer's account; the hold's id is the charge's, so that it is there once.

    The seller gets the rest on his own account, the platform its fee on the house's. What the wallet refuses for good
    is an answer; everything else is raised, and asked again.
    """

    def __init__(self, hold_days: int = 400) -> None:
        # Longer than any order takes: what is made to order may take a year.
        self._hold_for = dt.timedelta(days=hold_days)

    def authorize(self, charge: Charge) -> Answer:
        """Place the hold, or find the one that was placed when we were asked before."""
        try:
            hold = _hold_of(charge)
        except HoldNotFound:
            try:
                hold = self._place(charge)
            except KeyReused:  # a twin of this call was faster
                hold = _hold_of(charge)
            except Refusal as refusal:
                return Answer(accepted=False, reason=_reason(refusal))
        return Answer(accepted=hold.state in (HoldState.OPEN, HoldState.CAPTURED), reference=str(hold.id))

    def capture(self, charge: Charge) -> Answer:
        """Pay the hold out: all of it in one transaction, so that a captured hold is one that is paid out."""
        hold = _hold_of(charge)
        if hold.state == HoldState.CAPTURED:
            return YES
        rest, fee = charge.amount - charge.fee, charge.fee
        # The house's account last: everybody locks it for as short a time as can be.
        parts = [("rest", rest, _account_of(charge)), ("fee", fee, _fees_of(charge))]
        parts = [part for part in parts if part[1]]
        try:
            with transaction.atomic():
                for name, amount, target_id in parts:
                    services.capture_hold(
                        key=uuid5(charge.id, name),
                        hold_id=hold.id,
                        target_id=target_id,
                        owner_id=charge.buyer_id,
                        amount=amount,
                        final=name == parts[-1][0],
                        metadata=_words(charge, fee=name == "fee"),
                    )
        except PASSING:
            raise
        except Refusal as refusal:
            return Answer(accepted=False, reason=str(refusal.message))
        return YES

    def release(self, charge: Charge) -> Answer:
        """Give the hold back; one that has ended without being paid out is given back already."""
        hold = _hold_of(charge)
        if hold.state == HoldState.OPEN:
            hold = services.release_hold(hold_id=hold.id, owner_id=charge.buyer_id)
        paid_out = hold.state == HoldState.CAPTURED
        return Answer(accepted=not paid_out, reason="It is paid out already." if paid_out else "")

    def refund(self, charge: Charge) -> Answer:
        """Reverse what was paid out, the fee too: all of it or nothing."""
        paid = selectors.journal(journal_id=charge.id).filter(reverses=None).select_related("target")
        try:
            with transaction.atomic():
                for one in paid.order_by("number"):
                    services.reverse(
                        key=uuid5(one.id, "refund"),
                        transfer_id=one.id,
                        owner_id=one.target.owner_id,
                        metadata=_words(charge, refund=True),
                    )
        except PASSING:
            raise
        except Refusal as refusal:
            return Answer(accepted=False, reason=str(refusal.message))
        return YES

    def _place(self, charge: Charge) -> Any:
        account = selectors.default_account(owner_id=charge.buyer_id, currency=str(charge.amount.currency))
        return services.place_hold(
            key=charge.id,
            account_id=account.id,
            amount=charge.amount,
            owner_id=charge.buyer_id,
            expires_at=timezone.now() + self._hold_for,
            owner_may_end=False,
            metadata=_words(charge),
        )


def _hold_of(charge: Charge) -> Any:
    return selectors.get_hold(hold_id=charge.id, owner_id=charge.buyer_id)


def _account_of(charge: Charge) -> UUID:
    """Return the account on which the seller is paid; who has none in the shop's currency gets one."""
    currency = str(charge.amount.currency)
    try:
        account = selectors.default_account(owner_id=charge.seller_id, currency=currency)
    except AccountNotFound:
        account = services.open_account(owner_id=charge.seller_id, currency=currency, name="Workshop")
    return UUID(str(account.id))


def _fees_of(charge: Charge) -> UUID:
    currency = str(charge.amount.currency)
    return UUID(str(services.open_system_account(role=SystemRole.FEES, currency=currency).id))


def _words(charge: Charge, *, fee: bool = False, refund: bool = False) -> dict[str, str]:
    """Return what the wallet's pages say of it: the order as people call it, by the random end of its id."""
    name = f"{'Fee of order' if fee else 'Refund of order' if refund else 'Order'} {charge.order_id.hex[-10:].upper()}"
    return {"note": name, "order_id": str(charge.order_id)}


def _reason(refusal: Refusal) -> str:
    """Return why not, in words for the buyer."""
    if isinstance(refusal, InsufficientFunds):
        return "There is not enough money on your account."
    if isinstance(refusal, AccountNotFound):
        return "You have no account in this currency."
    return str(refusal.message)
