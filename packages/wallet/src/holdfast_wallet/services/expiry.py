"""Holds whose time is over."""

from collections.abc import Iterable, Set
from uuid import UUID

from django.db import router, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django_fsm import can_proceed

from holdfast.outbox import emit
from holdfast_wallet import events
from holdfast_wallet.models import Account, Hold
from holdfast_wallet.states import HoldState

LAZY_LIMIT = 100


def expire_holds(*, limit: int = 500) -> int:
    """Expire holds whose time is over, the longest overdue first, and return how many.

    It only tidies: a capture after the hold's time is refused, and a transfer that is short of funds expires the due
    holds of its account, whether this ran or not. Emits ``HoldExpired`` for each.
    """
    using = router.db_for_write(Hold)
    due = _due(using).order_by("expires_at").values_list("id", "account_id")[:limit]
    return sum(_expire(account_id, [hold_id], using) for hold_id, account_id in list(due))


def expire_due_holds_of(account_id: UUID, *, using: str, also_lock: Set[UUID] = frozenset()) -> int:
    """Expire the due holds of one account, and return how many.

    Whoever goes on to post within the same transaction has the other account locked with this one, in everybody's
    order.
    """
    due = list(_due(using).filter(account_id=account_id).values_list("id", flat=True)[:LAZY_LIMIT])
    return _expire(account_id, due, using, also_lock) if due else 0


def _due(using: str) -> QuerySet[Hold]:
    return Hold.objects.using(using).filter(state=HoldState.OPEN, expires_at__lte=Now())


def _expire(account_id: UUID, hold_ids: Iterable[UUID], using: str, also_lock: Set[UUID] = frozenset()) -> int:
    with transaction.atomic(using=using):
        # Accounts are locked before their holds, everywhere.
        accounts = Account.objects.using(using).select_for_update(no_key=True)
        list(accounts.filter(id__in={account_id, *also_lock}).order_by("id").values_list("id"))
        expired = 0
        for hold in Hold.objects.using(using).select_for_update(no_key=True).filter(id__in=hold_ids).order_by("id"):
            if not can_proceed(hold.expire):
                continue
            rest = hold.remaining_minor
            hold.expire(at=timezone.now())
            hold.save(using=using, update_fields=["state", "released_minor", "ended_at"])
            emit(
                events.HoldExpired(
                    hold_id=str(hold.id), account_id=str(account_id), amount_minor=rest, currency=hold.currency
                ),
                using=using,
            )
            expired += 1
    return expired
