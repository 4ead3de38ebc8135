"""The shop's payments, filled by the wallet: the port's contract, and what is left when somebody dies."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any, ClassVar

import pytest
from django.conf import settings as django_settings

from adapters.wallet_gateway import WalletGateway
from holdfast.money import Money
from holdfast.testing import race
from holdfast_artisan_shop import services
from holdfast_artisan_shop.exceptions import PaymentDeclined
from holdfast_artisan_shop.ports import Answer, Charge
from holdfast_artisan_shop.states import OrderState
from holdfast_artisan_shop.testing import PaymentContract, make_charge, make_order, make_product, make_shop
from holdfast_wallet import selectors
from holdfast_wallet import services as wallet
from holdfast_wallet.states import HoldState
from holdfast_wallet.testing import make_account, make_owner
from people.models import User

# A verb asks the gateway outside any transaction, and says so where a test is one.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("flushable")]


def person(name: str, funds: str | None = None) -> Any:
    user = User.objects.create(username=name, email=f"{name}@example.org")
    if funds is not None:
        make_account(owner=user, funds=funds)
    return user


def balance(user: Any) -> Money:
    return selectors.default_account(owner_id=user.pk, currency="EUR").balance


def available(user: Any) -> Money:
    return selectors.default_account(owner_id=user.pk, currency="EUR").available


def fees() -> Money:
    return selectors.system_account(role="fees", currency="EUR").balance


def euros(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def potter() -> Any:
    return person("potter")


@pytest.fixture
def buyer() -> Any:
    return person("buyer", funds="100.00")


@pytest.fixture
def bowl(potter: Any) -> Any:
    return make_product(shop=make_shop(owner=potter), price="40.00", stock=5)


class TestWalletGateway(PaymentContract):
    """It keeps the port's contract."""

    @pytest.fixture
    def gateway(self) -> WalletGateway:
        return WalletGateway()

    def charge(self) -> Charge:
        """Return a charge of two who have an account."""
        buyer, seller = make_owner(), make_owner()
        make_account(owner=buyer, funds="50.00")
        make_account(owner=seller)
        return make_charge(buyer_id=buyer.pk, seller_id=seller.pk)


def test_the_artisan_is_paid_what_the_platform_does_not_keep(potter: Any, buyer: Any, bowl: Any):
    order = make_order(customer=buyer, product=bowl, state=OrderState.READY)
    assert (balance(buyer), available(buyer)) == (euros("100"), euros("60"))

    services.complete_order(order_id=order.pk, actor_id=potter.pk)

    # He had no account before; 8 percent of the goods are the platform's.
    assert (balance(buyer), balance(potter), fees()) == (euros("60"), euros("36.80"), euros("3.20"))
    assert available(buyer) == euros("60")


def test_a_refund_gives_everything_back_the_fee_too(potter: Any, buyer: Any, bowl: Any):
    make_order(customer=buyer, product=bowl, state=OrderState.REFUNDED)

    assert (balance(buyer), balance(potter), fees()) == (euros("100"), euros("0"), euros("0"))


@pytest.mark.parametrize("end", ["cancelled", "declined", "expired"])
def test_what_comes_to_nothing_costs_nothing(potter: Any, buyer: Any, bowl: Any, settings: Any, end: str):
    order = make_order(customer=buyer, product=bowl, state=OrderState.PENDING if end == "expired" else OrderState.PAID)
    if end == "expired":
        settings.HOLDFAST_ARTISAN_SHOP = settings.HOLDFAST_ARTISAN_SHOP | {"PAYMENT_SECONDS": 0}
        assert services.expire_orders() == 1
    elif end == "cancelled":
        services.cancel_order(order_id=order.pk, customer_id=buyer.pk)
    else:
        services.decline_order(order_id=order.pk, actor_id=potter.pk)

    assert (balance(buyer), available(buyer)) == (euros("100"), euros("100"))


def test_who_has_too_little_is_told_so_and_may_try_again(buyer: Any, bowl: Any):
    order = make_order(customer=buyer, product=bowl, quantity=3)
    with pytest.raises(PaymentDeclined) as refusal:
        services.pay_order(order_id=order.pk, customer_id=buyer.pk)
    assert refusal.value.context["reason"] == "There is not enough money on your account."

    account = selectors.default_account(owner_id=buyer.pk, currency="EUR")
    wallet.deposit(key=order.pk, account_id=account.id, amount=euros("20"), owner_id=buyer.pk)

    assert services.pay_order(order_id=order.pk, customer_id=buyer.pk).state == OrderState.PAID
    assert available(buyer) == euros("0")


def test_who_has_no_account_is_told_so(bowl: Any):
    stranger = person("stranger")
    order = make_order(customer=stranger, product=bowl)

    with pytest.raises(PaymentDeclined) as refusal:
        services.pay_order(order_id=order.pk, customer_id=stranger.pk)

    assert refusal.value.context["reason"] == "You have no account in this currency."


def test_a_frozen_account_is_waited_for(potter: Any, buyer: Any, bowl: Any, settings: Any):
    settings.HOLDFAST_ARTISAN_SHOP = settings.HOLDFAST_ARTISAN_SHOP | {"PAYMENT_RETRY_SECONDS": 0}
    order = make_order(customer=buyer, product=bowl, state=OrderState.READY)
    account = selectors.default_account(owner_id=buyer.pk, currency="EUR")
    wallet.freeze_account(account_id=account.id, owner_id=buyer.pk, reason="a look at the papers")
    services.complete_order(order_id=order.pk, actor_id=potter.pk)
    assert (balance(buyer), available(buyer)) == (euros("100"), euros("60"))

    wallet.unfreeze_account(account_id=account.id, owner_id=buyer.pk)
    services.settle_payments()

    assert (balance(buyer), balance(potter)) == (euros("60"), euros("36.80"))


class Killed(BaseException):
    """What a killed process would do here: nothing any more."""


class DyingGateway(WalletGateway):
    """Dies once, before or after it has done what it was asked for."""

    deaths: ClassVar[list[tuple[str, str]]] = []

    def _maybe_die(self, verb: str, when: str) -> None:
        if (verb, when) in self.deaths:
            self.deaths.remove((verb, when))
            raise Killed

    def _do(self, verb: str, charge: Charge) -> Answer:
        self._maybe_die(verb, "before")
        answer: Answer = getattr(super(), verb)(charge)
        self._maybe_die(verb, "after")
        return answer

    def authorize(self, charge: Charge) -> Answer:
        """Do it, and die."""
        return self._do("authorize", charge)

    def capture(self, charge: Charge) -> Answer:
        """Do it, and die."""
        return self._do("capture", charge)

    def release(self, charge: Charge) -> Answer:
        """Do it, and die."""
        return self._do("release", charge)

    def refund(self, charge: Charge) -> Answer:
        """Do it, and die."""
        return self._do("refund", charge)


STORIES: dict[str, tuple[OrderState, Callable[..., Any], tuple[str, str, str]]] = {
    "authorize": (
        OrderState.PENDING,
        lambda order, buyer, _: services.pay_order(order_id=order, customer_id=buyer),
        ("100", "0", "60"),
    ),
    "capture": (
        OrderState.READY,
        lambda order, _, potter: services.complete_order(order_id=order, actor_id=potter),
        ("60", "36.80", "60"),
    ),
    "release": (
        OrderState.PAID,
        lambda order, buyer, _: services.cancel_order(order_id=order, customer_id=buyer),
        ("100", "0", "100"),
    ),
    "refund": (
        OrderState.COMPLETED,
        lambda order, _, potter: services.refund_order(order_id=order, actor_id=potter),
        ("100", "0", "100"),
    ),
}


@pytest.mark.parametrize(("verb", "when"), list(product(STORIES, ["before", "after"])))
def test_money_and_orders_agree_after_a_death(potter: Any, buyer: Any, bowl: Any, settings: Any, verb: str, when: str):
    make_account(owner=potter)
    state, act, (has, potter_has, may_spend) = STORIES[verb]
    order = make_order(customer=buyer, product=bowl, state=state)
    dying = {"BACKEND": f"{__name__}.DyingGateway"}
    settings.HOLDFAST_ARTISAN_SHOP = django_settings.HOLDFAST_ARTISAN_SHOP | {
        "PAYMENT": dying,
        "PAYMENT_RETRY_SECONDS": 0,
    }
    DyingGateway.deaths = [(verb, when)]
    with pytest.raises(Killed):
        act(order.pk, buyer.pk, potter.pk)

    # Somebody else comes by, as the beat lets him each minute.
    services.settle_payments()

    assert DyingGateway.deaths == []
    assert (balance(buyer), balance(potter), available(buyer)) == tuple(map(euros, (has, potter_has, may_spend)))
    holds = selectors.holds_of(owner_id=buyer.pk)
    assert holds.count() == 1
    assert not [step for step in wallet.verify() if isinstance(step, wallet.Finding)]


def test_a_hold_that_nobody_knows_of_is_given_back_when_the_order_is_cancelled(buyer: Any, bowl: Any, settings: Any):
    order = make_order(customer=buyer, product=bowl)
    settings.HOLDFAST_ARTISAN_SHOP = django_settings.HOLDFAST_ARTISAN_SHOP | {
        "PAYMENT": {"BACKEND": f"{__name__}.DyingGateway"},
        "PAYMENT_RETRY_SECONDS": 0,
    }
    DyingGateway.deaths = [("authorize", "after")]
    with pytest.raises(Killed):
        services.pay_order(order_id=order.pk, customer_id=buyer.pk)

    services.cancel_order(order_id=order.pk, customer_id=buyer.pk)

    assert available(buyer) == euros("100")
    assert selectors.holds_of(owner_id=buyer.pk).get().state == HoldState.RELEASED


@pytest.mark.postgres
def test_of_four_who_pay_one_order_at_once_there_is_one_hold(buyer: Any, bowl: Any):
    order = make_order(customer=buyer, product=bowl)

    race(*[partial(services.pay_order, order_id=order.pk, customer_id=buyer.pk)] * 4)

    assert selectors.holds_of(owner_id=buyer.pk).count() == 1
    assert available(buyer) == euros("60")
