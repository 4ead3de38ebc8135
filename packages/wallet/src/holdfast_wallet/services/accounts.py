"""Accounts: open, name, limit, freeze, close."""

from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import IntegrityError, router, transaction
from django.utils import timezone
from django_fsm import can_proceed

from holdfast.money import Money, exponent, to_minor
from holdfast.outbox import emit
from holdfast_wallet import events
from holdfast_wallet.conf import settings
from holdfast_wallet.exceptions import (
    AccountIsClosed,
    AccountIsFrozen,
    AccountIsSplit,
    AccountNotEmpty,
    AccountNotFound,
    AccountNotFrozen,
    BalanceLimitExceeded,
    InsufficientFunds,
    LimitInvalid,
    MalformedRequest,
    PaymentsPending,
)
from holdfast_wallet.models import Account, Payment
from holdfast_wallet.models.accounts import MAX_BALANCE_MINOR
from holdfast_wallet.services.requests import OwnerId, checked_text
from holdfast_wallet.states import AccountState, PaymentState

NAME_LENGTH = 120
ROLE_LENGTH = 40
MAX_SLOTS = 64
NO_OVERDRAFT = object()


def open_account(
    *,
    owner_id: OwnerId,
    currency: str,
    name: str = "",
    overdraft_limit: Money | object | None = NO_OVERDRAFT,
    maximum_balance: Money | None = None,
    is_default: bool | None = None,
) -> Account:
    """Open an account for a user.

    ``overdraft_limit`` is how far it may go below zero: not at all unless it is given, without limit if it is
    ``None``. The first account in a currency becomes the owner's default unless ``is_default`` says otherwise;
    ``True`` takes over from another one.

    Raises ``MalformedRequest``, ``LimitInvalid``, ``holdfast.money.UnknownCurrency``. Emits ``AccountOpened``.
    """
    if owner_id is None:
        raise MalformedRequest("A user's account has an owner; the house's are opened with open_system_account.")
    exponent(currency)
    account = Account(
        owner_id=owner_id,
        currency=currency,
        name=checked_text(name, length=NAME_LENGTH),
        overdraft_limit_minor=0 if overdraft_limit is NO_OVERDRAFT else _limit(overdraft_limit, currency),
        maximum_balance_minor=_limit(maximum_balance, currency),
    )
    with transaction.atomic(using=_using()):
        # The user's row is what two simultaneous first accounts have in common.
        _lock_owner(owner_id)
        defaults = Account.objects.using(_using()).filter(owner_id=owner_id, currency=currency, is_default=True)
        account.is_default = not defaults.exists() if is_default is None else is_default
        if account.is_default:
            defaults.update(is_default=False)
        account.save(using=_using(), force_insert=True)
        _tell_opened(account)
    return account


def open_system_account(*, role: str, currency: str, name: str = "", slots: int | None = None) -> Account:
    """Return the house's account for a role and a currency, and open it if there is none yet.

    It has no limits. Kept in ``slots``, it takes that many postings at once (on PostgreSQL); slots are chosen when it
    is opened.

    Raises ``MalformedRequest``, ``holdfast.money.UnknownCurrency``. Emits ``AccountOpened``.
    """
    exponent(currency)
    if not role:
        raise MalformedRequest("An account of the house has a role.")
    count: int = settings.SYSTEM_ACCOUNT_SLOTS if slots is None else slots
    if not 1 <= count <= MAX_SLOTS:
        raise MalformedRequest(f"An account is kept in 1 to {MAX_SLOTS} slots.")
    existing = Account.objects.using(_using()).filter(role=role, currency=currency, slot_of=None).first()
    if existing is not None:
        return existing
    account = Account(
        role=checked_text(str(role), length=ROLE_LENGTH),
        currency=currency,
        name=checked_text(name, length=NAME_LENGTH),
        overdraft_limit_minor=None,
        slots=count,
    )
    try:
        with transaction.atomic(using=_using()):
            account.save(using=_using(), force_insert=True)
            if count > 1:
                Account.objects.using(_using()).bulk_create(_slot_of(account, number) for number in range(1, count + 1))
            _tell_opened(account)
    except IntegrityError:
        # Somebody else opened it at the same moment.
        return Account.objects.using(_using()).get(role=role, currency=currency, slot_of=None)
    return account


def rename_account(*, account_id: UUID, owner_id: OwnerId, name: str) -> Account:
    """Give an account another name.

    Raises ``AccountNotFound``, ``MalformedRequest``.
    """
    with transaction.atomic(using=_using()):
        account = lock_account(account_id=account_id, owner_id=owner_id)
        account.name = checked_text(name, length=NAME_LENGTH)
        account.save(update_fields=["name"])
    return account


def make_default(*, account_id: UUID, owner_id: OwnerId) -> Account:
    """Make an account its owner's first in its currency.

    Raises ``AccountNotFound``, ``AccountIsClosed``.
    """
    with transaction.atomic(using=_using()):
        if owner_id is not None:
            _lock_owner(owner_id)
        account = lock_account(account_id=account_id, owner_id=owner_id)
        if account.state == AccountState.CLOSED:
            raise AccountIsClosed(account_id=str(account.id))
        others = Account.objects.using(_using()).filter(owner_id=owner_id, currency=account.currency, is_default=True)
        others.exclude(id=account.id).update(is_default=False)
        account.is_default = True
        account.save(update_fields=["is_default"])
    return account


def change_limits(
    *, account_id: UUID, owner_id: OwnerId, overdraft_limit: Money | None, maximum_balance: Money | None
) -> Account:
    """Set both limits of an account; ``None``: without limit. What it has already must fit.

    Raises ``AccountNotFound``, ``LimitInvalid``, ``InsufficientFunds``, ``BalanceLimitExceeded``, ``AccountIsSplit``.
    """
    with transaction.atomic(using=_using()):
        account = lock_account(account_id=account_id, owner_id=owner_id)
        if account.is_split or account.slot_of_id is not None:
            raise AccountIsSplit(account_id=str(account.id))
        account.overdraft_limit_minor = _limit(overdraft_limit, account.currency)
        account.maximum_balance_minor = _limit(maximum_balance, account.currency)
        if account.available is not None and account.available.amount < 0:
            raise InsufficientFunds(
                account_id=str(account.id), available=str(account.available.amount), currency=account.currency
            )
        if account.maximum_balance is not None and account.balance > account.maximum_balance:
            room = account.maximum_balance.amount - account.balance.amount
            raise BalanceLimitExceeded(account_id=str(account.id), room=str(room), currency=account.currency)
        account.save(update_fields=["overdraft_limit_minor", "maximum_balance_minor"])
    return account


def freeze_account(
    *, account_id: UUID, owner_id: OwnerId, reason: str = "", block_credits: bool | None = None
) -> Account:
    """Stop an account from paying out; from receiving too if ``block_credits``, or else if the settings say so.

    Raises ``AccountNotFound``, ``AccountIsFrozen``, ``AccountIsClosed``, ``AccountIsSplit``. Emits ``AccountFrozen``.
    """
    with transaction.atomic(using=_using()):
        account = lock_account(account_id=account_id, owner_id=owner_id)
        if not can_proceed(account.freeze):
            raise _not_active(account)
        if account.is_split or account.slot_of_id is not None:
            raise AccountIsSplit(account_id=str(account.id))
        blocked = not settings.FROZEN_ACCOUNTS_RECEIVE if block_credits is None else block_credits

        account.freeze(at=timezone.now(), credits_blocked=blocked)
        account.save(update_fields=["state", "frozen_at", "credits_blocked"])
        emit(events.AccountFrozen(account_id=str(account.id), credits_blocked=blocked, reason=reason))
    return account


def unfreeze_account(*, account_id: UUID, owner_id: OwnerId) -> Account:
    """Let a frozen account work again.

    Raises ``AccountNotFound``, ``AccountNotFrozen``. Emits ``AccountUnfrozen``.
    """
    with transaction.atomic(using=_using()):
        account = lock_account(account_id=account_id, owner_id=owner_id)
        if not can_proceed(account.unfreeze):
            raise AccountNotFrozen(account_id=str(account.id), state=account.state)

        account.unfreeze()
        account.save(update_fields=["state", "frozen_at", "credits_blocked"])
        emit(events.AccountUnfrozen(account_id=str(account.id)))
    return account


def close_account(*, account_id: UUID, owner_id: OwnerId) -> Account:
    """Close an account for good; only at zero, without open holds and without payments under way.

    Raises ``AccountNotFound``, ``AccountNotEmpty``, ``PaymentsPending``, ``AccountIsFrozen``, ``AccountIsClosed``,
    ``AccountIsSplit``. Emits ``AccountClosed``.
    """
    with transaction.atomic(using=_using()):
        account = lock_account(account_id=account_id, owner_id=owner_id)
        if not can_proceed(account.close):
            raise _not_active(account)
        if account.is_split or account.slot_of_id is not None:
            raise AccountIsSplit(account_id=str(account.id))
        if account.balance_minor or account.held_minor:
            raise AccountNotEmpty(
                account_id=str(account.id),
                balance=str(account.balance.amount),
                held=str(account.held.amount),
                currency=account.currency,
            )
        if Payment.objects.using(_using()).filter(account_id=account.id, state=PaymentState.PENDING).exists():
            raise PaymentsPending(account_id=str(account.id))

        account.close(at=timezone.now())
        account.save(update_fields=["state", "closed_at", "is_default"])
        emit(events.AccountClosed(account_id=str(account.id)))
    return account


def lock_account(*, account_id: UUID, owner_id: OwnerId) -> Account:
    """Lock an account in the scope. Raises ``AccountNotFound``."""
    account = Account.objects.select_for_update(no_key=True).filter(id=account_id, owner_id=owner_id).first()
    if account is None:
        raise AccountNotFound(account_id=str(account_id))
    return account


def _not_active(account: Account) -> AccountIsFrozen | AccountIsClosed:
    refusal = AccountIsClosed if account.state == AccountState.CLOSED else AccountIsFrozen
    return refusal(account_id=str(account.id))


def _lock_owner(owner_id: OwnerId) -> None:
    get_user_model()._meta.base_manager.select_for_update(no_key=True).filter(pk=owner_id).first()


def _limit(limit: object, currency: str) -> int | None:
    if limit is None:
        return None
    if not isinstance(limit, Money) or limit.currency.code != currency or limit.amount < 0:
        raise LimitInvalid(currency=currency)
    minor = to_minor(limit)
    if minor > MAX_BALANCE_MINOR:
        raise LimitInvalid(currency=currency)
    return minor


def _slot_of(account: Account, number: int) -> Account:
    return Account(
        role=account.role,
        currency=account.currency,
        name=f"{account.name or account.role} #{number}",
        overdraft_limit_minor=None,
        slot_of=account,
    )


def _tell_opened(account: Account) -> None:
    emit(
        events.AccountOpened(
            account_id=str(account.id),
            owner_id="" if account.owner_id is None else str(account.owner_id),
            role=account.role,
            currency=account.currency,
        )
    )


def _using() -> str:
    return router.db_for_write(Account)
