"""The books of the market: orders, their money, shelves, slots, coupons, reviews, and who was told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.soak.account import Account
from benchmarks.soak.lines import Connection, Line, no, number_of, pairs, same

SHOP = "holdfast_artisan_shop"
OPEN = "('pending', 'paid', 'processing', 'ready', 'out_for_delivery')"
# A payment and its hold.
Money = tuple[str | None, str | None]
NOTHING: Money = (None, None)
SET_ASIDE: Money = ("authorized", "open")
GIVEN_BACK: Money = ("released", "released")
PAID_OUT: Money = ("captured", "captured")
TAKEN_BACK: Money = ("refunded", "captured")
# What becomes of the payment, of its hold, and of the delivery, where there are any, in each state of an order.
MONEY = {
    "pending": {NOTHING},
    "paid": {SET_ASIDE},
    "processing": {SET_ASIDE},
    "ready": {SET_ASIDE},
    "out_for_delivery": {SET_ASIDE},
    "completed": {PAID_OUT},
    "cancelled": {NOTHING, GIVEN_BACK},
    "refunded": {TAKEN_BACK},
}
DELIVERY = {
    "pending": {"scheduled"},
    "paid": {"scheduled"},
    "processing": {"scheduled"},
    "ready": {"scheduled", "failed"},
    "out_for_delivery": {"out_for_delivery"},
    "completed": {"delivered"},
    "cancelled": {"cancelled"},
    "refunded": {"delivered"},
}
# What an order may become; who is out for delivery may come back.
LATER = {
    "refunded": set[str](),
    "cancelled": set[str](),
    "completed": {"refunded"},
    "out_for_delivery": {"ready", "completed", "refunded", "cancelled"},
    "ready": {"out_for_delivery", "completed", "refunded", "cancelled"},
    "processing": {"ready", "out_for_delivery", "completed", "refunded", "cancelled"},
    "paid": {"processing", "ready", "out_for_delivery", "completed", "refunded", "cancelled"},
    "pending": {"paid", "processing", "ready", "out_for_delivery", "completed", "refunded", "cancelled"},
}

# Each order with its living payment, the hold of the same id, and what of it reached the seller and the house.
ORDERS = f"""
    SELECT o.id::text, o.state, o.customer_id, o.total_minor, o.fee_minor, p.state, p.amount_minor, p.fee_minor,
        h.state, h.amount_minor, buyer.owner_id, coalesce(paid.seller, 0), coalesce(paid.house, 0), d.state
    FROM {SHOP}_order o
    JOIN {SHOP}_shop s ON s.id = o.shop_id
    LEFT JOIN {SHOP}_delivery d ON d.order_id = o.id
    LEFT JOIN {SHOP}_payment p ON p.order_id = o.id AND p.state <> 'declined'
    LEFT JOIN holdfast_wallet_hold h ON h.id = p.id
    LEFT JOIN holdfast_wallet_account buyer ON buyer.id = h.account_id
    LEFT JOIN LATERAL (
        SELECT sum(moved) FILTER (WHERE account.owner_id = s.owner_id) AS seller,
            sum(moved) FILTER (WHERE account.role = 'fees') AS house
        FROM (
            SELECT CASE WHEN reverses_id IS NULL THEN target_id ELSE source_id END AS account_id,
                CASE WHEN reverses_id IS NULL THEN amount_minor ELSE -amount_minor END AS moved
            FROM holdfast_wallet_transfer WHERE journal_id = p.id
        ) AS part JOIN holdfast_wallet_account account ON account.id = part.account_id
    ) AS paid ON true"""
STOCK = f"""
    SELECT s.variant_id::text, s.on_hand, s.held, s.allocated, s.on_hand - s.allocated <= s.low_at
    FROM {SHOP}_stock s"""
MOVED = f"""
    SELECT stock_id::text, sum(on_hand)::int, sum(held)::int, sum(allocated)::int FROM {SHOP}_stockmove GROUP BY 1"""
# Such an event is a line on somebody's page: of an order that was paid on the artisan's, of a moved one on the buyer's.
NOTICED = f"""
    (type = '{SHOP}.order_paid.v1' OR type = '{SHOP}.order_moved.v1'
        AND payload->>'target' IN ('ready', 'out_for_delivery', 'completed', 'cancelled', 'refunded'))"""


class Order(NamedTuple):
    """A row of ``ORDERS``."""

    id: str
    state: str
    customer: int
    total: int
    fee: int
    payment: str | None
    paid_total: int | None
    paid_fee: int | None
    hold: str | None
    held: int | None
    payer: int | None
    to_seller: int
    to_house: int
    delivery: str | None

    @property
    def money_agrees(self) -> bool:
        """Whether its payment, its hold and what was moved are those of its state, to the cent."""
        taken = self.state == "completed"
        moved = (self.total - self.fee, self.fee) if taken else (0, 0)
        alike = self.payment is None or (self.paid_total, self.paid_fee, self.held, self.payer) == (
            self.total,
            self.fee,
            self.total,
            self.customer,
        )
        return (self.payment, self.hold) in MONEY[self.state] and alike and (self.to_seller, self.to_house) == moved


def lines(connection: Connection, account: Account) -> Iterator[Line]:
    """Return the lines of the market."""
    orders = [Order(*row) for row in connection.execute(ORDERS).fetchall()]
    yield from _orders(connection, account, orders)
    yield from _money(connection, account, orders)
    yield from _stock(connection, account)
    yield from _slots(connection, account, orders)
    yield from _coupons(connection)
    yield from _reviews(connection, account)
    yield from _followers(connection)


def _orders(connection: Connection, account: Account, orders: list[Order]) -> Iterator[Line]:
    placed = {order.id: order.total for order in orders}
    told = pairs(
        connection,
        f"""SELECT payload->>'order_id', (payload->>'total_minor')::bigint FROM holdfast_outboxevent
            WHERE type = '{SHOP}.order_placed.v1'""",
    )
    yield same("orders acknowledged, in the books, and in events, to the cent", account.market.orders, placed, told)
    states = Counter(order.state for order in orders)
    yield Line("orders by state", ", ".join(f"{state}: {number:,}" for state, number in sorted(states.items())))
    seen = account.market.states
    contradicted = [
        f"{order.id} was {state}, and is {order.state}"
        for order in orders
        for state in seen.get(order.id, ())
        if state != order.state and order.state not in LATER[state]
    ]
    yield no("states of orders that somebody saw, and that cannot have been", contradicted)


def _money(connection: Connection, account: Account, orders: list[Order]) -> Iterator[Line]:
    wrong = [f"{order.id} ({order.state}, {order.payment}, {order.hold})" for order in orders if not order.money_agrees]
    yield no("orders whose payment, hold or transfers are not those of their state", wrong)
    # A payment that was declined or never made holds nothing.
    ownerless = f"""
        SELECT id FROM holdfast_wallet_hold WHERE metadata->>'order_id' IS NOT NULL
            AND id NOT IN (SELECT id FROM {SHOP}_payment WHERE state <> 'declined')"""
    yield no("holds for orders that have no such payment", [row[0] for row in connection.execute(ownerless)])
    sellers = pairs(
        connection,
        f"""SELECT s.owner_id, (SELECT coalesce(sum(balance_minor), 0)::bigint FROM holdfast_wallet_account a
            WHERE a.owner_id = s.owner_id) FROM {SHOP}_shop s""",
    )
    balances = "SELECT coalesce(sum(balance_minor), 0) FROM holdfast_wallet_account WHERE "
    house = number_of(connection, f"{balances} role = 'fees'")
    left = number_of(
        connection, f"{balances} owner_id IS NOT NULL AND owner_id NOT IN (SELECT owner_id FROM {SHOP}_shop)"
    )
    completed = sum(order.total for order in orders if order.state == "completed")
    got, paid = sum(sellers.values()) + house, account.deposited_cents - left
    yield same("cents of completed orders, paid by customers, got by artisans and the house", completed, paid, got)
    fees = sum(order.fee for order in orders if order.state == "completed")
    yield same("cents of fees of completed orders, and on the house's account", fees, house)
    earned = f"""
        SELECT s.owner_id, coalesce(sum(o.total_minor - o.fee_minor), 0)::bigint FROM {SHOP}_shop s
        LEFT JOIN {SHOP}_order o ON o.shop_id = s.id AND o.state = 'completed' GROUP BY 1"""
    yield same("artisans with what their orders brought on their accounts", pairs(connection, earned), sellers)


def _stock(connection: Connection, account: Account) -> Iterator[Line]:
    rows = pairs(connection, STOCK)
    figures = {variant: row[:3] for variant, row in rows.items() if any(row[:3])}
    moved = {variant: row for variant, row in pairs(connection, MOVED).items() if any(row)}
    on_hand, held, allocated = (sum(column) for column in zip(*(row[:3] for row in rows.values()), strict=True))
    shown = f"{on_hand:,}, {held:,} and {allocated:,}"
    yield same("pieces on hand, held and sold: figures, and sums of their movements", figures, moved, shown=shown)
    over = [variant for variant, (pieces, *promised) in figures.items() if sum(promised) > pieces]
    yield no("shelves with more held and sold than there is", over)
    counted = f"""
        SELECT stock_id::text, sum(on_hand)::int FROM {SHOP}_stockmove WHERE kind IN ('received', 'corrected')
        GROUP BY 1"""
    pieces = account.market.pieces
    total = f"{pieces.total():,}"
    yield same(
        "pieces received and corrected, as acknowledged and as noted",
        dict(pieces),
        pairs(connection, counted),
        shown=total,
    )
    holds = f"SELECT stock_id::text, sum(quantity)::int FROM {SHOP}_hold GROUP BY 1"
    yield _of_pieces(
        "pieces held, and held for somebody", {v: row[1] for v, row in figures.items()}, pairs(connection, holds)
    )
    ordered = f"""
        SELECT l.variant_id::text, sum(l.quantity)::int FROM {SHOP}_orderline l JOIN {SHOP}_order o ON o.id = l.order_id
        WHERE l.stocked AND o.state IN """
    open_lines = pairs(connection, f"{ordered} {OPEN} GROUP BY 1")
    yield _of_pieces(
        "pieces sold and on the shelf, and in open orders", {v: row[2] for v, row in figures.items()}, open_lines
    )
    gone = f"SELECT stock_id::text, -sum(on_hand)::int FROM {SHOP}_stockmove WHERE kind = 'sold' GROUP BY 1"
    handed = pairs(connection, f"{ordered} ('completed', 'refunded') GROUP BY 1")
    yield _of_pieces("pieces that left the shelves, and in orders handed over", pairs(connection, gone), handed)
    alerts = pairs(
        connection, f"SELECT stock_id::text, count(*) FROM {SHOP}_inventoryalert WHERE resolved_at IS NULL GROUP BY 1"
    )
    low = {variant: 1 for variant, row in rows.items() if row[3] and variant in pieces}
    yield same("shelves that are low, and alerts that are open", low, alerts)


def _of_pieces(name: str, told: dict[str, int], found: dict[str, int]) -> Line:
    """Return a line of pieces by variant; none is as good as no row."""
    told, found = ({variant: n for variant, n in one.items() if n} for one in (told, found))
    return same(name, told, found, shown=f"{sum(told.values()):,}")


def _slots(connection: Connection, account: Account, orders: list[Order]) -> Iterator[Line]:
    over = connection.execute(f"SELECT id FROM {SHOP}_slot WHERE booked > capacity").fetchall()
    yield no("slots with more booked than there is room", [row[0] for row in over])
    booked = pairs(connection, f"SELECT id::text, booked::int FROM {SHOP}_slot WHERE booked > 0")
    taken = f"""
        SELECT slot_id::text, count(*)::int FROM {SHOP}_delivery WHERE state NOT IN ('cancelled', 'failed')
        GROUP BY 1"""
    yield _of_pieces("places booked in slots, and deliveries that have them", booked, pairs(connection, taken))
    brought = {order.id for order in orders if order.delivery is not None}
    yield same("orders acknowledged with a slot, and deliveries", account.market.slotted, brought)
    apart = [
        f"{order.id} ({order.state}, {order.delivery})"
        for order in orders
        if order.delivery is not None and order.delivery not in DELIVERY[order.state]
    ]
    yield no("deliveries that are not where their orders are", apart)


def _coupons(connection: Connection) -> Iterator[Line]:
    used = pairs(connection, f"SELECT id::text, used::int FROM {SHOP}_coupon")
    uses = pairs(connection, f"SELECT coupon_id::text, count(*)::int FROM {SHOP}_couponuse GROUP BY 1")
    yield _of_pieces("uses of coupons: counted, and noted", used, uses)
    over = connection.execute(f"SELECT code FROM {SHOP}_coupon WHERE used > max_uses").fetchall()
    yield no("coupons used more often than they may be", [row[0] for row in over])
    noted = {row[0] for row in connection.execute(f"SELECT order_id::text FROM {SHOP}_couponuse")}
    cheaper = f"SELECT id::text FROM {SHOP}_order WHERE discount_minor > 0 AND state <> 'cancelled'"
    yield same("orders that used one, and that cost less", noted, {row[0] for row in connection.execute(cheaper)})


def _reviews(connection: Connection, account: Account) -> Iterator[Line]:
    written = connection.execute(
        f"SELECT product_id::text, customer_id::text, rating::int FROM {SHOP}_review"
    ).fetchall()
    found = {(product, customer): rating for product, customer, rating in written}
    yield same("reviews acknowledged, and written", account.market.reviews, found)
    sums: dict[str, tuple[int, int]] = {}
    for product, _customer, rating in written:
        stars, number = sums.get(product, (0, 0))
        sums[product] = stars + rating, number + 1
    rated = f"SELECT id::text, rating_sum::int, rating_count::int FROM {SHOP}_product WHERE rating_count <> 0"
    shown = f"{sum(stars for stars, _number in sums.values()):,}"
    yield same("their stars, and those of the products", sums, pairs(connection, rated), shown=shown)


def _followers(connection: Connection) -> Iterator[Line]:
    """What the relay brought about: roll-ups, and lines on people's pages."""
    sold = f"""
        SELECT shop_id::text, count(*)::int, sum(total_minor)::bigint, sum(fee_minor)::bigint FROM {SHOP}_order
        WHERE state = 'completed' GROUP BY 1"""
    days = f"""
        SELECT shop_id::text, sum(orders)::int, sum(total_minor)::bigint, sum(fee_minor)::bigint FROM {SHOP}_shopday
        GROUP BY 1 HAVING sum(orders) > 0"""
    completed = pairs(connection, sold)
    shown = f"{sum(row[0] for row in completed.values()):,}"
    yield same("completed orders, and those in the sales of the days", completed, pairs(connection, days), shown=shown)
    wanted = number_of(connection, f"SELECT count(*) FROM holdfast_outboxevent WHERE {NOTICED}")
    noticed = (
        f"SELECT count(*) FROM storefront_notice n JOIN holdfast_outboxevent e ON e.uid = n.event_id WHERE {NOTICED}"
    )
    yield same(
        "steps of orders of which somebody is told, and lines on their pages", wanted, number_of(connection, noticed)
    )
