"""For the tests of a host: makers, and the contract that each adapter of the payment port keeps.

::

    class TestOurGateway(PaymentContract):
        @pytest.fixture
        def gateway(self):
            return OurGateway(url=sandbox_url)
"""

# ruff: noqa: S101 - tests, shipped

from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from holdfast.ids import uuid7
from holdfast.money import Money
from holdfast_artisan_shop import services
from holdfast_artisan_shop.models import Category, Order, Product, Shop, Variant
from holdfast_artisan_shop.ports import Charge, PaymentGateway
from holdfast_artisan_shop.states import OrderState

__all__ = ["PaymentContract", "make_category", "make_order", "make_product", "make_shop", "make_user", "the_variant"]

BERLIN = (52.52, 13.405)

STEPS = {
    OrderState.PENDING: (),
    OrderState.PAID: ("pay",),
    OrderState.PROCESSING: ("pay", "start"),
    OrderState.READY: ("pay", "start", "finish"),
    OrderState.COMPLETED: ("pay", "start", "finish", "complete"),
    OrderState.CANCELLED: ("cancel",),
    OrderState.REFUNDED: ("pay", "start", "finish", "complete", "refund"),
}
"""How an order without a slot gets into each state; one with a slot for delivery is also sent."""


def make_user(**fields: Any) -> Any:
    """Return a new user of the host's model, with a login of its own; ``fields`` for what the model demands beside."""
    model = get_user_model()
    return model._default_manager.create(  # noqa: SLF001 - what Django documents for models not one's own
        **{model.USERNAME_FIELD: f"user-{uuid7()}", **fields}
    )


def make_shop(
    *, owner: Any = None, name: str = "", currency: str = "EUR", published: bool = True, **values: Any
) -> Shop:
    """Return a new shop, published; in Berlin, unless ``lat`` and ``lng`` say otherwise."""
    owner_id = (owner or make_user()).pk
    lat, lng = values.pop("lat", BERLIN[0]), values.pop("lng", BERLIN[1])
    shop = services.open_shop(
        owner_id=owner_id, name=name or f"Shop {uuid7()}", currency=currency, lat=lat, lng=lng, **values
    )
    return services.publish_shop(shop_id=shop.pk, actor_id=owner_id) if published else shop


def make_category(*, name: str = "", parent: Category | None = None) -> Category:
    """Return a new category."""
    return services.create_category(name=name or f"Category {uuid7()}", parent_id=parent.pk if parent else None)


def make_product(
    *,
    shop: Shop | None = None,
    category: Category | None = None,
    name: str = "Bowl",
    price: str = "10.00",
    stock: int = 100,
    **values: Any,
) -> Product:
    """Return a new product with one variant, of a new shop and a new category unless these are given."""
    shop = shop or make_shop()
    return services.create_product(
        shop_id=shop.pk,
        actor_id=shop.owner_id,
        name=name,
        price=Money(price, shop.currency),
        category_id=(category or make_category()).pk,
        stock=stock,
        **values,
    )


def the_variant(product: Product) -> Variant:
    """Return the only variant of a product."""
    return product.variants.get()


def make_order(
    *,
    customer: Any = None,
    product: Product | None = None,
    quantity: int = 1,
    state: OrderState = OrderState.PENDING,
    **options: Any,
) -> Order:
    """Return a new order, brought into ``state`` by its verbs; ``options`` go to ``place_order``."""
    customer = customer or make_user()
    product = product or make_product()
    items = [services.Item(product_id=product.pk, quantity=quantity)]
    order = services.place_order(customer_id=customer.pk, shop_id=product.shop_id, items=items, **options)
    for step in STEPS[state]:
        order = _take(step, order.pk, customer.pk, product.shop.owner_id)
    return order


def _take(step: str, order_id: UUID, customer_id: Any, actor_id: Any) -> Order:
    if step == "pay":
        return services.pay_order(order_id=order_id, customer_id=customer_id)
    if step == "cancel":
        return services.cancel_order(order_id=order_id, customer_id=customer_id)
    verb = getattr(services, f"{step}_order")
    moved: Order = verb(order_id=order_id, actor_id=actor_id)
    return moved


def make_charge(*, amount: str = "10.00", fee: str = "1.00", **values: Any) -> Charge:
    """Return a charge that no order is behind."""
    given = {"id": uuid7(), "order_id": uuid7(), "shop_id": uuid7(), "buyer_id": 1, "seller_id": 2, **values}
    return Charge(amount=Money(amount, "EUR"), fee=Money(fee, "EUR"), **given)


class PaymentContract:
    """What every gateway does; inherit it and give a fixture ``gateway``, and ``charge`` where users must exist."""

    def charge(self) -> Charge:
        """Return a charge that the gateway authorizes."""
        return make_charge()

    def authorized(self, gateway: PaymentGateway) -> Charge:
        """Return a charge that it has authorized."""
        charge = self.charge()
        answer = gateway.authorize(charge)
        assert answer.accepted, answer.reason
        return Charge(**{**vars(charge), "reference": answer.reference})

    def test_what_was_authorized_is_captured_and_given_back(self, gateway: PaymentGateway) -> None:
        """The life of an order that was completed and refunded."""
        charge = self.authorized(gateway)
        assert gateway.capture(charge).accepted
        assert gateway.refund(charge).accepted

    def test_what_was_authorized_is_released(self, gateway: PaymentGateway) -> None:
        """The life of an order that was cancelled."""
        assert gateway.release(self.authorized(gateway)).accepted

    def test_each_call_may_come_twice(self, gateway: PaymentGateway) -> None:
        """We ask again whenever we do not know whether it was done: the second time is no error, and no second one."""
        charge = self.authorized(gateway)
        assert gateway.authorize(charge).reference == charge.reference
        for call in (gateway.capture, gateway.refund):
            assert [call(charge).accepted for _time in range(2)] == [True, True]
