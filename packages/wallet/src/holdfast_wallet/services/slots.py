"""The house's accounts: one for each role and currency, kept in slots where one row would be too hot.

What is remembered here for the life of the process never becomes wrong: an account keeps its role and its slots for
ever, and an id is never used again. It may only be of a transaction that was rolled back, or of another test; then
the ledger does not know the account, and ``forget`` and a second look help.
"""

import secrets
from uuid import UUID

from holdfast_wallet.models import Account

_ids: dict[tuple[str, str, str], UUID] = {}
_slots: dict[tuple[str, UUID], tuple[UUID, ...]] = {}


def remembered(*, role: str, currency: str, using: str) -> UUID | None:
    """Return the id of a system account that was seen before."""
    return _ids.get((using, role, currency))


def remember(account: Account, *, using: str) -> UUID:
    """Remember a system account."""
    _ids[using, account.role, account.currency] = account.id
    return account.id


def forget(account_id: UUID, *, using: str) -> None:
    """Forget a system account that the ledger does not know, and its slots."""
    _slots.pop((using, account_id), None)
    # A copy, and no complaint about what is gone: other threads forget the same account at the same moment.
    for known, remembered_id in list(_ids.items()):
        if remembered_id == account_id and known[0] == using:
            _ids.pop(known, None)


def names_of(account_id: UUID, *, using: str) -> set[str]:
    """Return what a refusal may call the account: its id, or that of one of its slots."""
    return {str(account_id), *map(str, _slots.get((using, account_id), ()))}


def pick(account_id: UUID, *, using: str) -> UUID:
    """Return one of the account's slots, at random; the account itself where it is not known to have any."""
    slots = _slots.get((using, account_id)) if _slots else None
    return secrets.choice(slots) if slots else account_id


def learn(account_id: UUID, *, using: str) -> tuple[UUID, ...]:
    """Return the slots of an account, and remember them; empty where it has none."""
    slots = tuple(Account.objects.using(using).filter(slot_of=account_id).order_by("id").values_list("id", flat=True))
    if slots:
        _slots[using, account_id] = slots
    return slots


def pick_known(account_id: UUID, *, using: str) -> UUID:
    """Return one of the account's slots after a look whether it has any: for whoever locks it before posting."""
    if (using, account_id) not in _slots:
        learn(account_id, using=using)
    return pick(account_id, using=using)


def same_account(stored: UUID, asked: UUID, *, using: str) -> bool:
    """Tell whether a stored side of a transfer is the account that was asked for, or one of its slots."""
    return stored == asked or stored in (_slots.get((using, asked)) or learn(asked, using=using))
