"""The story, chapter by chapter."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from storefront.catalog_story import ADMINS
from storefront.demo import PASSWORD
from storefront.market_goods import TOWN
from storefront.tour.calls import ROOT, Api, Caller, expect

POTTER = "greta"
BOWL = "Serving bowl, wide"
PIECES = 2
SHELF = 6
"""So many bowls the potter sees to before anybody comes: that is why the tour can be walked again and again."""
TOP_UP = {"amount": "200.00", "currency": "EUR"}
HOME = {"address": "27 Rue Brûlée, Honfleur", "location": {"lat": 49.4197, "lng": 0.2308}}
COLOR = "pink"
CLAY, CLAY_PRICES = "QC-100", ("14.90", "15.40")


class Tour:
    """One walk; ``counters`` is the counter server's address, if there is one."""

    def __init__(self, api: Api, *, counters: str = "") -> None:
        self.api = api
        self.counters = counters.rstrip("/")
        self.chapter, self.came = api.report.chapter, api.report.came

    def walk(self) -> None:
        """Tell all of it. Raises ``Astray`` at the first answer that does not belong to it."""
        potter, shop, stock = self._fill_the_shelf()
        bowl = self._find_a_bowl()
        lea = self._register()
        account = self._top_up(lea)
        order = self._order(lea, bowl)
        self._pay(lea, order, account)
        self._read_the_alert(potter, shop, stock)
        workshop, figures = self._look_at_the_books(potter, shop)
        self._hand_over(potter, lea, order)
        fee = self._settle(lea, order, account, workshop)
        self._be_paid(potter, order, workshop, figures, fee)
        self._order_a_card(lea)
        self._change_a_price()
        self._report_a_defect(lea)

    # The market

    def _fill_the_shelf(self) -> tuple[Caller, Any, Any]:
        self.chapter("A potter fills her shelf")
        potter = self.api.sign_in(POTTER, PASSWORD)
        shop = _only(potter.get("/shops/?mine=true"), "a shop of hers")
        self.came(f"{shop['name']}, {shop['address']}")
        stocks = potter.get(f"/shops/{shop['id']}/stock/?page_size=100")
        stock = _only(stocks, f"the “{BOWL}” on her shelf", name=BOWL)
        self.came(f"{stock['name']}: {stock['free']} that anybody can buy")
        variant = f"/variants/{stock['variant']}/stock/"
        if stock["free"] < SHELF:
            told = {"quantity": SHELF - stock["free"], "note": "From the kiln"}
            stock = potter.post(f"{variant}receive/", told, key=str(uuid4()))
            self.came(f"{told['quantity']} from the kiln, {stock['free']} now")
        stock = potter.patch(variant, {"low_at": stock["on_hand"] - stock["allocated"] - PIECES})
        self.came(f"She wants to hear of it when {stock['low_at']} are left")
        return potter, shop, stock

    def _find_a_bowl(self) -> Any:
        self.chapter("A visitor finds a bowl near her on the map")
        lat, lng = TOWN
        found = self.api.visitor().get(
            f"/products/geosearch/?search=bowl&lat={lat}&lng={lng}&radius=2&in_stock=true&page_size=100"
        )
        bowl = _only(found, f"the “{BOWL}” near the harbor", name=BOWL)
        self.came(f"{len(found['results'])} kinds of bowls within 2 km of the old harbor")
        self.came(f"{bowl['name']}: {_money(bowl['price_now'])}, {bowl['distance_km']:.1f} km away")
        self.came(f"{bowl['free']} of them at {bowl['shop']['name']}")
        return bowl

    def _register(self) -> Caller:
        self.chapter("She registers, and finds a wallet")
        username, password = f"lea-{uuid4().hex[:10]}", str(uuid4())
        told = {"username": username, "email": f"{username}@example.org", "password": password, "first_name": "Lea"}
        person = self.api.visitor().create("/people/", told)
        self.came(f"{person['username']} is a {person['role']}")
        return self.api.sign_in(username, password)

    def _top_up(self, lea: Caller) -> Any:
        # Nobody waits for it while registering: an event opens it.
        accounts = lea.poll("/wallet/accounts/", lambda said: said["results"], "her wallet")
        account = _only(accounts, "an account")
        self.came(f"{account['name']}, in {account['currency']}")
        paid = lea.create("/wallet/deposits/", {"account": account["id"], "amount": TOP_UP})
        self.came(f"Topped up by {_money(paid['amount'])}: {paid['state']}")
        topped_up = _decimal(TOP_UP)
        return self._account(lea, account, lambda now: _decimal(now["balance"]) == topped_up)

    def _order(self, lea: Caller, bowl: Any) -> Any:
        self.chapter("She orders it, into a slot of the potter's deliveries")
        shop_id = bowl["shop"]["id"]
        slot = _only(lea.get(f"/shops/{shop_id}/slots/?kind=delivery"), "a slot with room")
        self.came(f"{_span(slot)}: {slot['booked']} of {slot['capacity']} taken, {_money(slot['fee'])}")
        items = [{"product_id": bowl["id"], "quantity": PIECES}]
        told = {"shop_id": shop_id, "items": items, "slot": slot["id"], **HOME}
        key = str(uuid4())
        order = lea.create("/orders/", told, key=key)
        self.came(f"Order {order['reference']}: {PIECES} bowls and their delivery, {_money(order['total'])}")
        again = lea.create("/orders/", told, key=key)
        expect(again["id"] == order["id"], "The same Idempotency-Key has made a second order.")
        self.came("Sent again with the same Idempotency-Key: the same order")
        return order

    def _pay(self, lea: Caller, order: Any, account: Any) -> None:
        self.chapter("She pays by a hold: the money is set aside, and still hers")
        paid = lea.post(f"/orders/{order['id']}/pay/")
        expect(paid["state"] == "paid", f"The order is {paid['state']}.")
        self.came(f"The order is {paid['state']}, its payment {paid['payment']['state']}")
        balance, held = _decimal(account["balance"]), _decimal(order["total"])
        self._account(lea, account, lambda now: (_decimal(now["balance"]), _decimal(now["held"])) == (balance, held))

    def _read_the_alert(self, potter: Caller, shop: Any, stock: Any) -> None:
        self.chapter("The potter reads that her bowls run out, and looks at her books")
        mine = {"variant": stock["variant"]}
        alerts = potter.poll(f"/inventory-alerts/?shop={shop['id']}", lambda said: _those(said, **mine), "her alert")
        alert = _only(alerts, "her alert", **mine)
        self.came(f"Running out: {alert['name']}, {alert['left']} left")

    def _look_at_the_books(self, potter: Caller, shop: Any) -> tuple[Any, Any]:
        workshop = _only(potter.get("/wallet/accounts/?currency=EUR&is_default=true"), "an account of hers")
        self.came(f"{workshop['name']}: {_money(workshop['balance'])}")
        figures = potter.get(_dashboard(shop))
        self.came(f"Until now {_figures(figures)}")
        return workshop, figures

    def _hand_over(self, potter: Caller, lea: Caller, order: Any) -> None:
        self.chapter("The potter prepares, sends and delivers it; Lea follows")
        path = f"/orders/{order['id']}/"
        for step in ("start", "finish", "send"):
            self.came(f"The order is {_words(potter.post(f'{path}{step}/')['state'])}")
        tracking = lea.get(f"{path}tracking/")
        self.came(f"Lea sees: {_words(tracking['state'])}, in her slot {_span(tracking['slot'])}")
        done = potter.post(f"{path}deliver/")
        expect(done["state"] == "completed", f"The order is {done['state']}.")
        self.came(f"The order is {done['state']}")
        seen = self.api.visitor().get(urlsplit(tracking["link"]).path.removeprefix(ROOT))
        expect(seen["state"] == "delivered", f"The link says: {seen['state']}.")
        self.came(f"Whoever has the link sees, without a login: {', '.join(_states(seen))}")

    def _settle(self, lea: Caller, order: Any, account: Any, workshop: Any) -> Decimal:
        self.chapter("The hold was captured: she has paid the potter, and the platform's fee")
        left = _decimal(account["balance"]) - _decimal(order["total"])
        self._account(lea, account, lambda now: (_decimal(now["balance"]), _decimal(now["held"])) == (left, Decimal(0)))
        transfers = _those(lea.get(f"/wallet/transfers/?account={account['id']}"), source=account["id"])
        for one in transfers:
            self.came(f"{one['metadata']['note']}: {_money(one['amount'])}")
        paid = sum(_decimal(one["amount"]) for one in transfers)
        expect(paid == _decimal(order["total"]), f"She has paid {paid}, and not what the order costs.")
        return sum((_decimal(one["amount"]) for one in transfers if one["target"] != workshop["id"]), Decimal(0))

    def _be_paid(self, potter: Caller, order: Any, workshop: Any, before: Any, fee: Decimal) -> None:
        # She may have sold something else meanwhile: it is a demo, and others may look at it too.
        due = _decimal(workshop["balance"]) + _decimal(order["total"]) - fee
        self._account(potter, workshop, lambda now: _decimal(now["balance"]) >= due)
        after = potter.poll(_dashboard(order["shop"]), lambda said: said["orders"] > before["orders"], "her figures")
        kept = _decimal(after["fees"]) - _decimal(before["fees"])
        expect(kept >= fee, f"By her figures the platform has kept {kept}, and it has kept {fee}.")
        self.came(f"By now {_figures(after)}")

    # The other rooms

    def _order_a_card(self, lea: Caller) -> None:
        self.chapter("She orders a card by its color, and freezes it")
        offer = lea.get("/cards/offer/")
        expect(COLOR in offer["colors"], f"There are no {COLOR} cards.")
        self.came(f"Colors: {', '.join(offer['colors'])}")
        card = lea.create("/cards/", {"color": COLOR})
        path = f"/cards/{card['id']}/"
        made = lea.poll(path, lambda said: not said["under_way"], "the card's provider")
        expect(made["state"] == "ordered", f"The card is {made['state']}.")
        self.came(f"The provider has made it: {made['actual_color']}, •••• {made['last4']}")
        for verb, state in [("activate", "activated"), ("freeze", "frozen")]:
            if verb not in offer["verbs"]:
                self.came(f"This provider cannot {verb} a card")
                return
            lea.post(f"{path}{verb}/", statuses=(200, 202))
            # Its webhook may say so before the call itself has come back.
            card = lea.poll(path, lambda said: not said["under_way"], "the card's provider")
            expect(card["state"] == state, f"The card is {card['state']}.")
            self.came(f"The card is {state}")

    def _change_a_price(self) -> None:
        mara, *_others, yuki = ADMINS
        self.chapter("An admin of the catalog changes a price, and the others are told")
        admin = self.api.sign_in(mara.username, PASSWORD)
        product = _only(admin.get(f"/catalog/products/?search={CLAY}"), f"{CLAY} in the catalog", sku=CLAY)
        self.came(f"{product['name']}: {_money(product['price'])}")
        path, old = f"/catalog/products/{product['id']}/", product["price"]
        price = next(one for one in CLAY_PRICES if Decimal(one) != _decimal(old))
        changed = admin.patch(path, {"price": {**old, "amount": price}}, etag=admin.etag(path))
        self.came(f"Now {_money(changed['price'])}")
        change = _only(admin.get(f"/catalog/changes/?product={product['id']}"), "the change")
        told = {"change_set": change["change_set"]}

        def is_told(said: Any) -> bool:
            log = _those(said, **told)
            return bool(log) and all(one["state"] != "pending" for one in log if not one["digest"])

        log = _those(admin.poll("/catalog/deliveries/?page_size=100", is_told, "the messenger"), **told)
        expect(any(one["state"] == "sent" for one in log), "Nobody was told.")
        for one in log:
            state = "in the next digest" if one["state"] == "pending" else one["state"]
            self.came(f"To admin {one['recipient']}, {one['channel']}: {state}")
        inbox = self.api.sign_in(yuki.username, PASSWORD).get("/catalog/notifications/?unread=true")
        news = _only(inbox, f"the news in {yuki.first_name}'s inbox", **told)
        self.came(f"{yuki.first_name} reads: {news['actor']} changed {news['changes'][0]['name']}")

    def _report_a_defect(self, lea: Caller) -> None:
        self.chapter("A defect is reported, and the counter server counts it")
        told = {"comment": "The lamp at the harbor stairs is out.", "severity": "low"}
        defect = lea.create("/defects", told)
        self.came(f"{defect['comment']} {defect['state'].capitalize()} as {defect['severity']}")
        if not self.counters:
            self.came("No counter server is named (--counters): nobody looks at what it counts")
            return

        def mine(said: Any) -> int:
            return int(said["users"].get(str(lea.user_id), {}).get("create", 0))

        counted = self.api.visitor().poll(f"{self.counters}/counters", mine, "the counter server")
        expect(mine(counted) == 1, f"It has counted {mine(counted)}, and she has reported one.")
        self.came(f"Of user {lea.user_id}: {mine(counted)}; of everybody: {counted['total']['create']}")

    def _account(self, owner: Caller, account: Any, until: Callable[[Any], bool]) -> Any:
        now = owner.poll(f"/wallet/accounts/{account['id']}/", until, "the wallet")
        self.came(f"Balance {_money(now['balance'])}, held {_money(now['held'])}")
        return now


def _those(said: Any, **like: Any) -> list[Any]:
    """Return those of a page that have these values."""
    return [one for one in said["results"] if like.items() <= one.items()]


def _only(said: Any, what: str, **like: Any) -> Any:
    """Return the first of them, which there has to be."""
    found = _those(said, **like)
    expect(found, f"There is not {what}.")
    return found[0]


def _decimal(money: Any) -> Decimal:
    return Decimal(money["amount"])


def _money(money: Any) -> str:
    return f"{money['amount']} {money['currency']}"


def _span(slot: Any) -> str:
    starts, ends = (dt.datetime.fromisoformat(slot[name]).astimezone(dt.UTC) for name in ("starts_at", "ends_at"))
    return f"{starts:%a %d %b, %H:%M} to {ends:%H:%M} UTC"


def _words(state: str) -> str:
    return state.replace("_", " ")


def _states(tracking: Any) -> list[str]:
    return [_words(one["state"]) for one in tracking["timeline"]]


def _dashboard(shop: Any) -> str:
    return f"/shops/{shop['id']}/dashboard/"


def _figures(dashboard: Any) -> str:
    return f"{dashboard['orders']} orders, {_money(dashboard['revenue'])}, fees {_money(dashboard['fees'])}"
