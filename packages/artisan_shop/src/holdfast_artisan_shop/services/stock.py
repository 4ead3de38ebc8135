"""Stock: received, corrected, held, given back. Every change of a figure passes ``change_stock``, whatever the door."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from holdfast.events import Event
from holdfast.outbox import emit_many
from holdfast.transactions import atomic_for
from holdfast_artisan_shop.conf import settings
from holdfast_artisan_shop.events import BackInStock, StockRanLow, StockRecovered
from holdfast_artisan_shop.exceptions import (
    BackInStockRequestNotFound,
    CorrectionInvalid,
    HoldLimitReached,
    QuantityInvalid,
    SoldOut,
    StockInUse,
    ThresholdInvalid,
    VariantNotFound,
)
from holdfast_artisan_shop.models import BackInStockRequest, Hold, InventoryAlert, Stock, Variant
from holdfast_artisan_shop.selectors.offers import shown_products
from holdfast_artisan_shop.services import statements
from holdfast_artisan_shop.services.rows import managed_variant, plain, using
from holdfast_artisan_shop.services.texts import check_text
from holdfast_artisan_shop.states import MoveKind

P = ParamSpec("P")
R = TypeVar("R")

REAP_BATCH = 500
NOTE_LENGTH = 200
MAX_PIECES = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is added to each figure of one stock, and why."""

    variant_id: UUID
    kind: MoveKind
    on_hand: int = 0
    held: int = 0
    allocated: int = 0
    order_id: UUID | None = None
    note: str = ""

    @property
    def unsold(self) -> int:
        """What it does to the pieces that nobody has bought: alerts look at these, for held ones may come back."""
        return self.on_hand - self.allocated

    @property
    def free(self) -> int:
        """What it does to the pieces that anybody can buy."""
        return self.on_hand - self.held - self.allocated


@dataclass(frozen=True)
class Figures:
    """A stock after it was changed."""

    variant_id: UUID
    on_hand: int
    held: int
    allocated: int
    low_at: int

    @property
    def unsold(self) -> int:
        """How many pieces nobody has bought."""
        return self.on_hand - self.allocated

    @property
    def free(self) -> int:
        """How many pieces anybody can buy."""
        return self.on_hand - self.held - self.allocated


@atomic_for(Stock)
def receive_stock(*, variant_id: UUID, actor_id: Any, quantity: int, note: str = "") -> Stock:
    """Add pieces that were made or bought.

    Raises ``VariantNotFound``, ``QuantityInvalid``, ``TextInvalid``. Emits ``StockRecovered`` and
    ``BackInStock`` where it is so.
    """
    check_quantity(quantity)
    check_text("note", note, NOTE_LENGTH)
    _check_managed(variant_id, actor_id)
    try:
        with atomic_for(Stock):
            change_stock([Change(variant_id=variant_id, kind=MoveKind.RECEIVED, on_hand=quantity, note=note)])
    except SoldOut:  # nothing is taken, so it would be too many
        maximum = MAX_PIECES - _stock(variant_id).on_hand
        raise QuantityInvalid(quantity=str(quantity), maximum=maximum) from None
    return _stock(variant_id)


@atomic_for(Stock)
def correct_stock(*, variant_id: UUID, actor_id: Any, difference: int, note: str = "") -> Stock:
    """Put a figure right that was counted anew: some are broken, or were found.

    Raises ``VariantNotFound``, ``CorrectionInvalid``, ``TextInvalid``, ``StockInUse`` where pieces would go that are
    held or sold. Emits as ``receive_stock`` does, and ``StockRanLow``.
    """
    if not _whole(difference) or difference == 0 or abs(difference) > MAX_PIECES:
        raise CorrectionInvalid(difference=str(difference)[:40])
    check_text("note", note, NOTE_LENGTH)
    _check_managed(variant_id, actor_id)

    @reaping
    @atomic_for(Stock)
    def correct() -> None:
        change_stock([Change(variant_id=variant_id, kind=MoveKind.CORRECTED, on_hand=difference, note=note)])

    try:
        correct()
    except SoldOut:
        if difference > 0:  # nothing is taken, so it would be too many
            raise CorrectionInvalid(difference=str(difference)) from None
        raise StockInUse(variant_id=str(variant_id), free=_stock(variant_id).free) from None
    return _stock(variant_id)


@atomic_for(Stock)
def set_threshold(*, variant_id: UUID, actor_id: Any, low_at: int) -> Stock:
    """Say at how many pieces an alert opens; it opens, or is resolved, at once where that is so now.

    Raises ``VariantNotFound``, ``ThresholdInvalid``. Emits ``StockRanLow`` or ``StockRecovered``.
    """
    if not _whole(low_at) or not 0 <= low_at <= MAX_PIECES:
        raise ThresholdInvalid(low_at=str(low_at)[:40])
    _check_managed(variant_id, actor_id)
    stock = Stock.objects.using(using()).select_for_update(no_key=True).get(pk=variant_id)
    stock.low_at = low_at
    stock.save(update_fields=["low_at"])
    figures = Figures(variant_id, stock.on_hand, stock.held, stock.allocated, low_at)
    low = figures.unsold <= low_at
    _tell(opened=[figures] if low else [], resolved=[] if low else [figures], returned=[])
    return stock


@atomic_for(BackInStockRequest)
def request_back_in_stock(*, variant_id: UUID, customer_id: Any) -> None:
    """Remember that a customer wants to be told when a variant can be bought again; asking twice is asking once.

    Raises ``VariantNotFound``.
    """
    shown = Variant.objects.using(using()).filter(active=True, product__in=shown_products())
    if not shown.filter(pk=variant_id).exists():
        raise VariantNotFound(variant_id=str(variant_id))
    BackInStockRequest.objects.using(using()).bulk_create(
        [BackInStockRequest(variant_id=variant_id, customer_id=customer_id)], ignore_conflicts=True
    )


@atomic_for(BackInStockRequest)
def withdraw_back_in_stock(*, variant_id: UUID, customer_id: Any) -> None:
    """Wait for a variant no more. Raises ``BackInStockRequestNotFound``, also for who was told just now."""
    requests = BackInStockRequest.objects.using(using()).filter(variant_id=variant_id, customer_id=customer_id)
    gone, _by_model = requests.delete()
    if not gone:
        raise BackInStockRequestNotFound(variant_id=str(variant_id))


def expire_holds(*, limit: int = REAP_BATCH) -> int:
    """Give back the pieces of holds that are over; return how many holds that were.

    Hygiene: whoever needs the pieces takes them back himself. Emits ``BackInStock`` where it is so.
    """
    expired = 0
    while batch := _reap(Hold.objects.using(using()).order_by("id"), limit):
        expired += batch
        if batch < limit:
            break
    return expired


def hold_stock(customer_id: Any, wanted: dict[UUID, int]) -> dt.datetime:
    """Hold pieces for a customer instead of those that he held; in a transaction.

    Raises ``SoldOut``, ``HoldLimitReached``. His old holds are locked before any stock is.
    """
    if sum(wanted.values()) > settings.HOLD_MAX_PIECES:
        raise HoldLimitReached(maximum=settings.HOLD_MAX_PIECES)
    held = take_holds(customer_id)
    changes = [
        Change(variant_id=one, kind=MoveKind.RESERVED, held=difference)
        for one in wanted.keys() | held.keys()
        if (difference := wanted.get(one, 0) - held.get(one, 0))
    ]
    expires_at = timezone.now() + dt.timedelta(seconds=settings.HOLD_SECONDS)
    change_stock(changes)
    Hold.objects.using(using()).bulk_create(
        Hold(stock_id=one, customer_id=customer_id, quantity=quantity, expires_at=expires_at)
        for one, quantity in wanted.items()
    )
    return expires_at


def take_holds(customer_id: Any) -> dict[UUID, int]:
    """Delete all holds of a customer and return the pieces, which are the caller's now; in a transaction."""
    holds = Hold.objects.using(using()).select_for_update().filter(customer_id=customer_id).order_by("id")
    rows = list(holds.values_list("id", "stock_id", "quantity"))
    if rows:
        Hold.objects.using(using()).filter(pk__in=[row[0] for row in rows]).delete()
    return {stock_id: quantity for _id, stock_id, quantity in rows}


def change_stock(changes: Iterable[Change]) -> None:
    """Change figures of the stock, all of them or none; in a transaction. Raises ``SoldOut``.

    Alerts open and are resolved, and customers are told of what is back, whatever the reason of the change.
    """
    by_id = {one.variant_id: one for one in changes}
    if not by_id:
        return
    ordered = sorted(by_id.values(), key=lambda one: one.variant_id)
    rows = statements.change_figures(
        using=using(),
        most=MAX_PIECES,
        changes=[
            [one.variant_id, one.on_hand, one.held, one.allocated, one.kind, one.order_id, one.note] for one in ordered
        ],
    )
    if len(rows) != len(by_id):
        raise _sold_out(ordered)
    opened, resolved, returned = [], [], []
    for variant_id, *numbers in rows:
        figures = Figures(UUID(str(variant_id)), *numbers)
        change = by_id[figures.variant_id]
        if change.unsold < 0 and figures.unsold <= figures.low_at:
            opened.append(figures)
        elif change.unsold > 0 and figures.unsold > figures.low_at:
            resolved.append(figures)
        if figures.free > 0 >= figures.free - change.free:
            returned.append(figures)
    _tell(opened, resolved, returned)


def reaping(verb: Callable[P, R]) -> Callable[P, R]:
    """Run a verb a second time where it found too little, but holds that are over keep pieces of it."""

    @wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return verb(*args, **kwargs)
        except SoldOut as refusal:
            lines: list[dict[str, Any]] = refusal.context["lines"]  # type: ignore[assignment]  # made below
            stock_ids = [UUID(line["variant_id"]) for line in lines]
            if not _reap(Hold.objects.using(using()).filter(stock_id__in=stock_ids).order_by("id"), REAP_BATCH):
                raise
        return verb(*args, **kwargs)

    return run


def check_quantity(quantity: int, maximum: int = MAX_PIECES) -> None:
    """Raise ``QuantityInvalid`` unless it is a whole number from 1 on."""
    if not _whole(quantity) or not 1 <= quantity <= maximum:
        raise QuantityInvalid(quantity=str(quantity)[:40], maximum=maximum)


def _reap(holds: Any, limit: int) -> int:
    with atomic_for(Hold):
        # Skipped, not waited for: who has locked a hold is about to use or to delete it.
        expired = holds.select_for_update(skip_locked=_skips()).filter(expires_at__lte=timezone.now())[:limit]
        rows = list(expired.values_list("id", "stock_id", "quantity"))
        if not rows:
            return 0
        Hold.objects.using(using()).filter(pk__in=[row[0] for row in rows]).delete()
        pieces: dict[UUID, int] = {}
        for _id, stock_id, quantity in rows:
            pieces[stock_id] = pieces.get(stock_id, 0) + quantity
        change_stock(
            Change(variant_id=one, kind=MoveKind.RELEASED, held=-quantity, note="expired")
            for one, quantity in pieces.items()
        )
        return len(rows)


def _skips() -> bool:
    return bool(transaction.get_connection(using()).features.has_select_for_update_skip_locked)


def _sold_out(changes: Sequence[Change]) -> SoldOut:
    rows = Stock.objects.using(using()).in_bulk([one.variant_id for one in changes])
    lines = []
    for one in changes:
        stock = rows.get(one.variant_id)
        available = stock.free if stock else 0
        if stock is None or available + one.free < 0:
            # Where he holds some himself, these are his to buy too.
            wanted, own = max(one.allocated, one.held, -one.on_hand), max(-one.held, 0)
            lines.append({"variant_id": str(one.variant_id), "wanted": wanted, "available": available + own})
    if not lines:  # they have come back meanwhile: the same order may succeed now
        lines = [{"variant_id": str(one.variant_id), "wanted": -one.free, "available": 0} for one in changes]
    return SoldOut(lines=lines)


def _tell(opened: list[Figures], resolved: list[Figures], returned: list[Figures]) -> None:
    if not (opened or resolved or returned):
        return
    ids = {one.variant_id for one in (*opened, *resolved, *returned)}
    variants = {
        row[0]: row[1:]
        for row in Variant.objects.using(using())
        .filter(pk__in=ids)
        .values_list("pk", "product_id", "shop_id", "product__shop__owner_id")
    }
    events: list[Event] = [*_open(opened, variants), *_resolve(resolved, variants), *_return(returned, variants)]
    emit_many(events, using=using())


def _open(opened: list[Figures], variants: dict[UUID, Any]) -> Iterable[Event]:
    alerts = InventoryAlert.objects.using(using())
    known = set(
        alerts.filter(stock_id__in=[one.variant_id for one in opened], resolved_at=None).values_list("stock_id")
    )
    new = [one for one in opened if (one.variant_id,) not in known]
    # The stock is locked, so nobody opens another one meanwhile.
    alerts.bulk_create(
        InventoryAlert(shop_id=variants[one.variant_id][1], stock_id=one.variant_id, left=one.unsold) for one in new
    )
    for one in new:
        product_id, shop_id, owner_id = variants[one.variant_id]
        yield StockRanLow(
            variant_id=str(one.variant_id),
            product_id=str(product_id),
            shop_id=str(shop_id),
            owner_id=plain(owner_id),
            left=one.unsold,
        )


def _resolve(resolved: list[Figures], variants: dict[UUID, Any]) -> Iterable[Event]:
    for one in resolved:
        alerts = InventoryAlert.objects.using(using()).filter(stock_id=one.variant_id, resolved_at=None)
        if alerts.update(resolved_at=timezone.now()):
            product_id, shop_id, _owner_id = variants[one.variant_id]
            yield StockRecovered(
                variant_id=str(one.variant_id), product_id=str(product_id), shop_id=str(shop_id), left=one.unsold
            )


def _return(returned: list[Figures], variants: dict[UUID, Any]) -> Iterable[Event]:
    for one in returned:
        requests = BackInStockRequest.objects.using(using()).filter(variant_id=one.variant_id)
        rows = dict(requests.order_by("id").values_list("id", "customer_id"))
        if rows:
            requests.filter(pk__in=rows).delete()
            yield BackInStock(
                variant_id=str(one.variant_id),
                product_id=str(variants[one.variant_id][0]),
                customer_ids=[plain(customer_id) for customer_id in rows.values()],
            )


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_managed(variant_id: UUID, actor_id: Any) -> None:
    if not hasattr(managed_variant(variant_id, actor_id), "stock"):
        raise VariantNotFound(variant_id=str(variant_id))


def _stock(variant_id: UUID) -> Stock:
    return Stock.objects.using(using()).get(pk=variant_id)
