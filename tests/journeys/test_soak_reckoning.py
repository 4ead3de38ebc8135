"""The soak is worth what its reckoning sees: books that are right pass, and each line notices when its own are not."""

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from benchmarks.soak import market_books, reckoning
from benchmarks.soak.account import Account
from benchmarks.soak.lines import Line
from holdfast.ids import uuid7
from holdfast.money import Money
from holdfast.testing import drain_outbox
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.models import Order, Product, Review, Slot, Stock
from holdfast_artisan_shop.services import Choice
from holdfast_artisan_shop.states import Fulfillment, OrderState
from holdfast_artisan_shop.testing import make_order, make_product, make_shop, the_variant
from holdfast_wallet import services as wallet
from holdfast_wallet.testing import make_account, make_hold
from people.models import User

# The reckoning speaks to PostgreSQL, and a verb asks the gateway outside any transaction.
pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("flushable"),
]

SHOP = "holdfast_artisan_shop"
# What somebody with a password does to the books, by the line that is to see it.
BREAKS = {
    "events that wait for their reader": "UPDATE holdfast_outboxevent SET routed = false",
    "deposits without the rail's outcome": """
        UPDATE holdfast_wallet_payment SET state = 'pending', ended_at = NULL, transfer_id = NULL""",
    "payments of orders without the gateway's answer": f"UPDATE {SHOP}_payment SET state = 'capturing'",
    "cents deposited, and on everybody's accounts and the house's for fees": """
        UPDATE holdfast_wallet_account SET balance_minor = balance_minor - 1 WHERE role = 'fees'""",
    "captures acknowledged, and posted, but for the market's": """
        UPDATE holdfast_wallet_transfer SET kind = 'capture', hold_id = gen_random_uuid() WHERE kind = 'deposit'""",
    "orders acknowledged, in the books, and in events, to the cent": f"""
        UPDATE {SHOP}_order SET total_minor = total_minor + 1, subtotal_minor = subtotal_minor + 1""",
    "states of orders that somebody saw, and that cannot have been": f"""
        UPDATE {SHOP}_order SET state = 'paid', completed_at = NULL WHERE state = 'completed'""",
    "orders whose payment, hold or transfers are not those of their state": f"""
        UPDATE {SHOP}_payment SET state = 'authorized' WHERE state = 'captured'""",
    "holds for orders that have no such payment": f"UPDATE {SHOP}_payment SET state = 'declined'",
    "cents of completed orders, paid by customers, got by artisans and the house": """
        UPDATE holdfast_wallet_account SET balance_minor = balance_minor + 1 WHERE name = 'Everyday'""",
    "cents of fees of completed orders, and on the house's account": """
        UPDATE holdfast_wallet_account SET balance_minor = balance_minor + 1 WHERE role = 'fees'""",
    "artisans with what their orders brought on their accounts": """
        UPDATE holdfast_wallet_account SET balance_minor = balance_minor + 1 WHERE name = 'Workshop'""",
    "pieces on hand, held and sold: figures, and sums of their movements": f"""
        UPDATE {SHOP}_stock SET on_hand = on_hand + 1""",
    "shelves with more held and sold than there is": f"""
        ALTER TABLE {SHOP}_stock DROP CONSTRAINT {SHOP}_stock_never_oversold;
        UPDATE {SHOP}_stock SET allocated = on_hand + 1""",
    "pieces received and corrected, as acknowledged and as noted": f"""
        UPDATE {SHOP}_stockmove SET on_hand = on_hand + 1 WHERE kind = 'corrected'""",
    "pieces held, and held for somebody": f"UPDATE {SHOP}_hold SET quantity = quantity + 1",
    "pieces sold and on the shelf, and in open orders": f"""
        UPDATE {SHOP}_order SET state = 'cancelled' WHERE state = 'paid'""",
    "pieces that left the shelves, and in orders handed over": f"""
        UPDATE {SHOP}_stockmove SET on_hand = on_hand - 1 WHERE kind = 'sold'""",
    "shelves that are low, and alerts that are open": f"UPDATE {SHOP}_inventoryalert SET resolved_at = now()",
    "slots with more booked than there is room": f"""
        ALTER TABLE {SHOP}_slot DROP CONSTRAINT {SHOP}_slot_not_overbooked;
        UPDATE {SHOP}_slot SET booked = capacity + 1""",
    "places booked in slots, and deliveries that have them": f"UPDATE {SHOP}_slot SET booked = 0 WHERE booked > 0",
    "orders acknowledged with a slot, and deliveries": f"DELETE FROM {SHOP}_delivery",
    "deliveries that are not where their orders are": f"UPDATE {SHOP}_delivery SET state = 'out_for_delivery'",
    "uses of coupons: counted, and noted": f"UPDATE {SHOP}_coupon SET used = 0",
    "coupons used more often than they may be": f"""
        ALTER TABLE {SHOP}_coupon DROP CONSTRAINT {SHOP}_coupon_not_overused;
        UPDATE {SHOP}_coupon SET used = max_uses + 1""",
    "orders that used one, and that cost less": f"""
        UPDATE {SHOP}_order SET discount_minor = 0, total_minor = subtotal_minor + delivery_minor""",
    "reviews acknowledged, and written": f"UPDATE {SHOP}_review SET rating = 1",
    "their stars, and those of the products": f"UPDATE {SHOP}_product SET rating_sum = rating_sum + 1",
    "completed orders, and those in the sales of the days": f"UPDATE {SHOP}_shopday SET total_minor = total_minor + 1",
    "steps of orders of which somebody is told, and lines on their pages": "DELETE FROM storefront_notice",
}
# What only tells, and what the market has no part in.
OTHERS = {"orders by state", "transfers acknowledged, and posted", "events that were given up", *reckoning.WAITING}


@pytest.fixture
def account() -> Account:
    """Let everything happen at a market once, and note it as the soak's clients do."""
    potter, buyer = (User.objects.create(username=name, email=f"{name}@example.org") for name in ("potter", "buyer"))
    purse = make_account(owner=buyer, name="Everyday")
    wallet.request_deposit(key=uuid7(), account_id=purse.pk, amount=Money("900.00", "EUR"), owner_id=buyer.pk)
    make_hold(account=purse, amount="5.00")
    shop = make_shop(owner=potter)
    bowl, vase = make_product(shop=shop, stock=20), make_product(shop=shop, stock=20, name="Vase")
    orders = _trade(potter, buyer, bowl)
    services.receive_stock(variant_id=the_variant(vase).pk, actor_id=potter.pk, quantity=3)
    services.correct_stock(variant_id=the_variant(vase).pk, actor_id=potter.pk, difference=-20)
    services.add_to_basket(customer_id=buyer.pk, product_id=vase.pk)
    services.hold_basket(customer_id=buyer.pk)
    review = services.write_review(product_id=bowl.pk, customer_id=buyer.pk, rating=5)
    drain_outbox()
    account = Account(deposited_cents=90_000)
    account.market.orders = {str(order.pk): order.total_minor for order in orders}
    account.market.slotted = {str(order.pk) for order in orders if hasattr(order, "delivery")}
    account.market.states.update({str(order.pk): {"pending", order.state} for order in orders})
    account.market.pieces.update({str(the_variant(bowl).pk): 20, str(the_variant(vase).pk): 3})
    account.market.reviews = {(str(bowl.pk), str(buyer.pk)): review.rating}
    return account


def _trade(potter: Any, buyer: Any, bowl: Product) -> list[Order]:
    """Bring an order into each state, and one of them with a slot and a coupon."""
    weekday = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).weekday()
    services.add_slot_pattern(
        shop_id=bowl.shop_id,
        actor_id=potter.pk,
        kind=Fulfillment.PICKUP,
        weekday=weekday,
        starts=dt.time(9),
        ends=dt.time(12),
        capacity=2,
    )
    services.create_coupon(shop_id=bowl.shop_id, actor_id=potter.pk, code="SOAK", percent=10, max_uses=1)
    slot_id: UUID = Slot.objects.order_by("starts_at").values_list("pk", flat=True)[0]
    choices = {OrderState.PAID: Choice(slot_id=slot_id, coupon_code="SOAK")}
    states = set(OrderState) - {OrderState.OUT_FOR_DELIVERY}
    placed = [
        make_order(customer=buyer, product=bowl, state=state, choice=choices.get(state)) for state in sorted(states)
    ]
    return list(Order.objects.filter(pk__in=[order.pk for order in placed]).select_related("delivery"))


def _lines(account: Account) -> dict[str, Line]:
    connection.ensure_connection()
    books = connection.connection
    lines = [*reckoning.unfinished(books), *reckoning.money(books, account), *market_books.lines(books, account)]
    return {line.name: line for line in lines}


def test_books_that_are_right_pass(account: Account):
    assert [line for line in _lines(account).values() if not line.holds] == []
    assert selectors.shops().count() == Review.objects.count() == 1
    assert Stock.objects.filter(held__gt=0).count() == 1


def test_each_line_notices_when_its_books_are_changed(account: Account):
    unseen = []
    for name, statements in BREAKS.items():
        with transaction.atomic(), connection.cursor() as cursor:
            # As a superuser may: without the triggers of the ledger's law.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statements)
            if _lines(account)[name].holds:
                unseen.append(name)
            transaction.set_rollback(True)

    assert unseen == []
    assert _lines(account).keys() - BREAKS.keys() <= OTHERS
