"""Who meets at the market: customers who look around, order and change their minds, and artisans who make and bring."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.soak.account import Account
from benchmarks.soak.person import Habit, Person, cents_of

HOME = {"lat": 49.4197, "lng": 0.2308}
NEAR = "lat=49.4197&lng=0.2308&radius=25"
PIECES_MAX = 3
# Among so many slots, the earliest that have room, customers choose: they shall get in each other's way.
SLOTS = 4
# Of the coupons of a shop, people know the latest.
COUPONS = 2
COUPON_USES = 2


@dataclass
class Town:
    """What everybody knows: the codes of coupons, by shop."""

    coupons: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


class Trader(Person):
    """Somebody who has to do with orders."""

    town: Town

    async def step(self, order: Any, step: str, body: Any = None) -> bool:
        """Take a step of an order, and tell whether it was seen to be taken.

        These doors know no key: where the first answer got lost, the second one refuses, and what became of it is not
        known here.
        """
        answer = await self.insist("POST", f"orders/{order['id']}/{step}/", body)
        self.count(f"orders: {step}" if answer.status_code == 200 else "steps of orders refused")
        if answer.status_code == 200:
            self.saw(answer.json())
        return answer.status_code == 200

    def saw(self, *orders: Any) -> None:
        """Remember in which states orders were."""
        for order in orders:
            self.account.market.states[order["id"]].add(order["state"])

    async def slot_of(self, shop: str, kind: str = "") -> Any:
        """Return a slot that had room a moment ago."""
        wanted = f"&kind={kind}" if kind else ""
        return await self.one_of(f"shops/{shop}/slots/?page_size={SLOTS}{wanted}")


class Buyer(Trader):
    """Looks around, fills a basket, checks it out, pays from the wallet, and cancels now and then."""

    def market_habits(self) -> list[Habit]:
        """Return what is done at the market."""
        return [
            self.stroll,
            self.buy,
            self.buy,
            self.buy,
            self.pay_late,
            self.change_his_mind,
            self.take_another_slot,
            self.review,
            self.follow_an_order,
        ]

    async def stroll(self) -> None:
        """Look around, and buy nothing."""
        await stroll(self)

    async def buy(self) -> None:
        """Fill a basket, check it out, and pay, if nothing comes between."""
        near = await self.page(f"products/geosearch/?{NEAR}&in_stock=true&page_size=50")
        wanted = self.dice.sample(near, min(len(near), self.dice.randint(1, 3)))
        if not wanted:
            return
        for product in wanted:
            pieces = {"product_id": product["id"], "quantity": self.dice.randint(1, PIECES_MAX)}
            await self.insist("POST", "basket/", pieces)
        if self.dice.random() < 0.4:
            await self.insist("POST", "basket/hold/")
        if self.dice.random() < 0.1:
            self.count("baskets left")
            # Or it stays as it is, and nobody else gets what is held for it.
            if self.dice.random() < 0.5:
                await self.insist("DELETE", "basket/")
            return
        shops = sorted({line["shop"]["id"] for line in await self.basket()})
        answer = await self.insist("POST", "checkout/", {"choices": [await self.choose(shop) for shop in shops]})
        if answer.status_code != 201:
            self.count("checkouts refused")
            await self.insist("DELETE", "basket/")
            return
        self.count("purchases")
        self.ordered(answer)
        if self.dice.random() < 0.85:
            await self.pay_for(answer.json()["id"])

    async def basket(self) -> list[Any]:
        """Return the lines of the basket."""
        lines: list[Any] = (await self.insist("GET", "basket/")).json()["lines"]
        return lines

    async def choose(self, shop: str) -> dict[str, Any]:
        """Choose how the goods of a shop come, and what they cost less."""
        chosen: dict[str, Any] = {"shop_id": shop}
        if self.dice.random() < 0.7 and (slot := await self.slot_of(shop)):
            chosen |= {"slot": slot["id"], "address": "27 Rue Brûlée, Honfleur", "location": HOME}
        if self.dice.random() < 0.4 and (codes := self.town.coupons[shop][-COUPONS:]):
            chosen["coupon"] = self.dice.choice(codes)
        return chosen

    def ordered(self, answer: httpx.Response) -> None:
        """Remember what was ordered."""
        for order in answer.json()["orders"]:
            self.count("orders")
            self.account.market.orders[order["id"]] = cents_of(order["total"])
            if order["delivery"] is not None:
                self.account.market.slotted.add(order["id"])

    async def pay_for(self, purchase: str) -> None:
        """Pay all orders of a purchase."""
        answer = await self.insist("POST", f"purchases/{purchase}/pay/")
        self.count("purchases paid" if answer.status_code == 200 else "payments refused")
        if answer.status_code == 200:
            self.saw(*answer.json()["orders"])

    async def pay_late(self) -> None:
        """Pay an order that is not paid yet."""
        if order := await self.one_of("orders/?state=pending"):
            await self.step(order, "pay")

    async def change_his_mind(self) -> None:
        """Cancel an order on which nobody works yet."""
        state = self.dice.choice(["pending", "paid", "paid"])
        if order := await self.one_of(f"orders/?state={state}"):
            await self.step(order, "cancel", {"reason": "Ordered twice"})

    async def take_another_slot(self) -> None:
        """Have an order brought at another time."""
        order = await self.one_of("orders/?state=paid")
        if order and order["delivery"] and (slot := await self.slot_of(order["shop"]["id"], order["delivery"]["kind"])):
            await self.step(order, "reschedule", {"slot": slot["id"]})

    async def review(self) -> None:
        """Say what something is like that was brought."""
        order = await self.one_of("orders/?state=completed")
        if order is None:
            return
        product, rating = self.dice.choice(order["lines"])["product"], self.dice.randint(1, 5)
        body = {"rating": rating, "text": "Lovelier than in the picture."}
        if (await self.insist("POST", f"products/{product}/reviews/", body)).status_code == 201:
            self.account.market.reviews[product, self.id] = rating
            self.count("reviews")

    async def follow_an_order(self) -> None:
        """Look where an order is."""
        if order := await self.one_of("orders/"):
            self.saw(order)
            await self.ask("GET", f"orders/{order['id']}/")
            if order["delivery"]:
                await self.ask("GET", f"orders/{order['id']}/tracking/")


class Artisan(Trader):
    """Makes what was ordered, brings it, and keeps his shelves."""

    def __init__(self, client: httpx.AsyncClient, account: Account, who: dict[str, Any], seed: int) -> None:
        super().__init__(client, account, who, seed)
        self.shop: str = who["shop"]
        self.variants: dict[str, int] = who["variants"]
        account.market.pieces.update(self.variants)

    def habits(self) -> list[Habit]:
        return [*[self.see_to_an_order] * 8, self.receive, self.correct, self.give_a_coupon, self.look_at_figures]

    async def see_to_an_order(self) -> None:
        """Bring an order one step further; now and then one back."""
        state = self.dice.choice(["paid", "processing", "ready", "ready", "out_for_delivery", "completed"])
        order = await self.one_of(f"orders/?shop={self.shop}&state={state}")
        if order is None:
            return
        self.saw(order)
        if state == "completed":
            if self.dice.random() < 0.1:
                await self.step(order, "refund", {"restock": self.dice.random() < 0.5})
        elif state in ("paid", "ready") and self.dice.random() < 0.05:
            await self.step(order, "decline", {"reason": "Broken in the kiln"})
        elif order["delivery"] and order["delivery"]["state"] == "failed":
            if slot := await self.slot_of(self.shop, order["delivery"]["kind"]):
                await self.step(order, "reschedule", {"slot": slot["id"]})
        else:
            await self.step(order, self.next_step(order))

    def next_step(self, order: Any) -> str:
        """Return what comes next for an order."""
        if order["state"] in ("paid", "processing"):
            return "start" if order["state"] == "paid" and self.dice.random() < 0.7 else "finish"
        if order["delivery"] is None:
            return "complete"
        if order["state"] == "ready" and order["delivery"]["kind"] == "delivery":
            return "send"
        return "deliver" if self.dice.random() < 0.85 else "fail"

    async def receive(self) -> None:
        """Put new pieces on a shelf."""
        await self.count_anew("receive", {"quantity": self.dice.randint(1, 5), "note": "From the kiln"})

    async def correct(self) -> None:
        """Find or miss some pieces."""
        await self.count_anew("correct", {"difference": self.dice.choice([-3, -2, -1, 1, 2]), "note": "Counted"})

    async def count_anew(self, how: str, body: dict[str, Any]) -> None:
        """Change the figures of a shelf."""
        variant = self.dice.choice(sorted(self.variants))
        answer = await self.insist("POST", f"variants/{variant}/stock/{how}/", body)
        self.count(f"stock: {how}" if answer.status_code == 200 else "stock: refused")
        if answer.status_code == 200:
            self.account.market.pieces[variant] += body.get("quantity") or body["difference"]

    async def give_a_coupon(self) -> None:
        """Give a code to the town, now and then."""
        if self.dice.random() < 0.7:
            return
        codes = self.town.coupons[self.shop]
        code = f"SOAK-{len(codes) + 1}"
        body = {"code": code, "percent": self.dice.choice([5, 10, 20]), "max_uses": COUPON_USES}
        if (await self.insist("POST", f"shops/{self.shop}/coupons/", body)).status_code == 201:
            codes.append(code)
            self.count("coupons")

    async def look_at_figures(self) -> None:
        """Read what an artisan reads of an evening."""
        for page in ("dashboard/", "stock/", "day-plan/"):
            await self.ask("GET", f"shops/{self.shop}/{page}")
        await self.ask("GET", f"inventory-alerts/?shop={self.shop}")


async def stroll(person: Person) -> None:
    """Look at the market as everybody may."""
    order = person.dice.choice(["newest", "price", "popular"])
    await person.ask("GET", f"products/?ordering={order}&page_size=10")
    await person.ask("GET", f"products/?search={person.dice.choice(['bowl', 'vase', 'lamp'])}")
    await person.ask("GET", f"shops/near/?{NEAR}")
    product = await person.one_of(f"products/geosearch/?{NEAR}")
    if product:
        await person.ask("GET", f"products/{product['id']}/")
        await person.ask("GET", f"products/{product['id']}/recommendations/")
