"""Who reacts to whose events: the wiring of the project, on one page.

Each reaction runs after the commit of what it reacts to, in the relay, and may run twice.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from adapters import shop_mail
from holdfast.events import Envelope
from holdfast.money import from_minor
from holdfast.outbox import exactly_once, subscribe
from holdfast_artisan_shop import selectors as shop
from holdfast_artisan_shop.events import BackInStock, DeliveryDue, OrderMoved, OrderPaid, StockRanLow
from holdfast_artisan_shop.exceptions import ProductNotFound
from holdfast_artisan_shop.states import OrderState
from holdfast_cards.events import CardExpired, CardFailed, CardOpposed, CardOrdered, CardSent
from holdfast_wallet import selectors, services
from holdfast_wallet.events import TransferPosted
from people.events import PersonRegistered
from people.selectors import get_person, names_of
from people.states import Role
from storefront import notices
from storefront.templatetags.storefront import plain_money

FIRST_CURRENCY = "EUR"
NEWS_FOR = dt.timedelta(days=30)


@subscribe(PersonRegistered, name="first account")
@exactly_once
def open_first_account(envelope: Envelope[PersonRegistered]) -> None:
    """Who registers finds a wallet; who was quicker and opened an account alone, keeps just that."""
    owner_id = envelope.event.user_id
    if not selectors.accounts_of(owner_id=owner_id).exists():
        name = "Workshop" if envelope.event.role == Role.ARTISAN else "Everyday"
        services.open_account(owner_id=owner_id, currency=FIRST_CURRENCY, name=name)


@subscribe(TransferPosted, name="notice to the receiver")
def tell_the_receiver(envelope: Envelope[TransferPosted]) -> None:
    """Who receives money from somebody reads it on the activity page."""
    event = envelope.event
    if event.kind not in _SENTENCES:
        return
    journal = selectors.journal(journal_id=UUID(event.journal_id))
    transfer = journal.select_related("source", "target").get(pk=event.transfer_id)
    sender, receiver = transfer.source.owner_id, transfer.target.owner_id
    if receiver is None or receiver == sender or timezone.now() - transfer.effective_at > NEWS_FOR:
        return
    amount = plain_money(from_minor(event.amount_minor, event.currency))
    notices.notify(
        user_id=receiver,
        event_id=envelope.id,
        icon="receive",
        text=_SENTENCES[event.kind].format(who=_name_of(sender), amount=amount),
        address=reverse("storefront:transfer", args=[transfer.pk]),
        occurred_at=transfer.effective_at,
    )


@subscribe(CardOrdered, CardSent, CardOpposed, CardExpired, CardFailed, name="notice to the card holder")
def tell_the_card_holder(envelope: Envelope[Any]) -> None:
    """Who has a card reads what happens to it without him."""
    event = envelope.event
    notices.notify(
        user_id=int(event.holder_id),
        event_id=envelope.id,
        icon="card",
        text=_CARD_SENTENCES[event.type],
        address=reverse("storefront:card", args=[event.card_id]),
        occurred_at=envelope.occurred_at,
    )


@subscribe(StockRanLow, name="notice to the artisan")
def tell_the_artisan_of_low_stock(envelope: Envelope[StockRanLow]) -> None:
    """Who sells reads what runs out."""
    event = envelope.event
    product = shop.get_offer(product_id=UUID(event.product_id), actor_id=event.owner_id)
    notices.notify(
        user_id=int(event.owner_id),
        event_id=envelope.id,
        icon="alert",
        text=f"{product.name} is running out: {event.left} left",
        address=reverse("storefront:shop-ware", args=[event.shop_id, event.product_id]),
        occurred_at=envelope.occurred_at,
    )


@subscribe(StockRanLow, name="mail to the artisan")
def mail_the_artisan_of_low_stock(envelope: Envelope[StockRanLow]) -> None:
    """Who sells is mailed, too, by the catalog's channel: the workshop is not always open in a browser."""
    event = envelope.event
    product = shop.get_offer(product_id=UUID(event.product_id), actor_id=event.owner_id)
    shop_mail.mail(
        message_id=envelope.id,
        person=get_person(event.owner_id),
        subject=f"{product.name} is running out",
        text=f"{product.name} of {product.shop.name} is running out: {event.left} left.",
        address=reverse("storefront:shop-ware", args=[event.shop_id, event.product_id]),
        at=envelope.occurred_at,
    )


@subscribe(OrderPaid, name="order to the artisan")
def tell_the_artisan_of_orders(envelope: Envelope[OrderPaid]) -> None:
    """Who sells reads of each order that can be made."""
    event = envelope.event
    order = shop.get_order(order_id=UUID(event.order_id), user_id=event.customer_id)
    amount = plain_money(from_minor(event.total_minor, event.currency))
    notices.notify(
        user_id=order.shop.owner_id,
        event_id=envelope.id,
        icon="box",
        text=f"A new order, {order.reference}: {amount}",
        address=reverse("storefront:shop-order", args=[order.shop_id, order.pk]),
        occurred_at=envelope.occurred_at,
    )


@subscribe(OrderMoved, DeliveryDue, name="order to the customer")
def tell_the_customer(envelope: Envelope[Any]) -> None:
    """Who has ordered reads what happens to it without him."""
    event = envelope.event
    text = "Tomorrow your order comes" if isinstance(event, DeliveryDue) else _ORDER_SENTENCES.get(event.target, "")
    if text:
        notices.notify(
            user_id=int(event.customer_id),
            event_id=envelope.id,
            icon="box",
            text=text,
            address=reverse("storefront:order", args=[event.order_id]),
            occurred_at=envelope.occurred_at,
        )


@subscribe(BackInStock, name="notice to who waits")
def tell_who_waits(envelope: Envelope[BackInStock]) -> None:
    """Who wanted to be told that something can be bought again, is."""
    event = envelope.event
    try:
        product = shop.get_offer(product_id=UUID(event.product_id))
    except ProductNotFound:
        return  # taken off meanwhile
    for customer_id in event.customer_ids:
        notices.notify(
            user_id=int(customer_id),
            event_id=envelope.id,
            icon="basket",
            text=f"{product.name} is back",
            address=reverse("storefront:ware", args=[event.product_id]),
            occurred_at=envelope.occurred_at,
        )


def _name_of(user_id: int | None) -> str:
    return "Holdfast" if user_id is None else names_of([user_id]).get(user_id, "Holdfast")


_ORDER_SENTENCES = {
    OrderState.READY: "Your order is ready",
    OrderState.OUT_FOR_DELIVERY: "Your order has left the workshop",
    OrderState.COMPLETED: "Your order was handed over",
    OrderState.CANCELLED: "Your order was cancelled; what was set aside is yours again",
    OrderState.REFUNDED: "The money of your order comes back",
}
_CARD_SENTENCES = {
    CardOrdered.type: "Your card is being made",
    CardSent.type: "Your card is on its way",
    CardOpposed.type: "Your card was reported lost or stolen, and has ended",
    CardExpired.type: "Your card has expired",
    CardFailed.type: "Your card could not be made",
}

_SENTENCES = {
    "transfer": "{who} sent you {amount}",
    "capture": "{who} paid you {amount}",
    "reversal": "{who} gave {amount} back",
}
