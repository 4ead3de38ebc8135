"""Ours: ``holdfast_artisan_shop.services``, as a host calls it.

What it guarantees: nothing is sold that is not there, prices are those that the customer saw, an order for each shop,
movements of the stock, alerts of stock that ran low, and an event in the outbox for each order, in its commit. Each
call is given ids, nothing else: there is no instance to reuse.
"""

from typing import Any

from benchmarks import django_host
from benchmarks.market.stall import CUSTOMERS, PIECES, PRODUCTS, SHOPS, Goods, Stall


class Client(Stall):
    def __init__(self, url: str) -> None:
        super().__init__()
        django_host.configure(url, "holdfast", "holdfast_artisan_shop")
        from django.contrib.auth import get_user_model

        from holdfast_artisan_shop import exceptions, models, services, testing

        self.User, self.models, self.services, self.testing = get_user_model(), models, services, testing
        self.SoldOut = exceptions.SoldOut

    def prepare(self) -> None:
        """Make the tables, the customers and the products."""
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        self.User.objects.bulk_create(self.User(username=f"customer {number}") for number in range(CUSTOMERS))
        category = self.testing.make_category()
        shops = [self.testing.make_shop() for _number in range(SHOPS)]
        for number in range(PRODUCTS):
            shop = shops[number * SHOPS // PRODUCTS]
            self.testing.make_product(shop=shop, category=category, name=f"Bowl {number}", stock=PIECES)

    def learn(self) -> None:
        """Learn the ids of the customers and the products."""
        customers = self.User.objects.filter(username__startswith="customer").order_by("pk")
        self.customers = list(customers.values_list("pk", flat=True))
        self.products = list(self.models.Variant.objects.order_by("pk").values_list("pk", "product_id", "shop_id"))

    def place(self, way: str, customer: Any, goods: Goods) -> bool:
        """Order out of a basket, or at once."""
        try:
            if way == "one_call":
                items = [
                    self.services.Item(product_id=product_id, quantity=quantity)
                    for (_variant_id, product_id, _shop_id), quantity in goods
                ]
                (_variant_id, _product_id, shop_id), _quantity = goods[0]
                self.services.place_order(customer_id=customer, shop_id=shop_id, items=items)
            else:
                for (variant_id, _product_id, _shop_id), quantity in goods:
                    self.services.add_to_basket(customer_id=customer, variant_id=variant_id, quantity=quantity)
                self.services.checkout(customer_id=customer)
        except self.SoldOut:
            self.services.empty_basket(customer_id=customer)
            return False
        return True

    def scarce(self, pieces: int) -> int:
        """Make a product of which there are so many; return its place among the products."""
        self.testing.make_product(stock=pieces)
        return self.models.Variant.objects.count() - 1

    def sold_of(self, product: int) -> int:
        """Return how many pieces its orders took."""
        return self.models.Stock.objects.get(pk=self.products[product][0]).allocated
