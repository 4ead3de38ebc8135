"""The peer: django-oscar 4.2, as a project calls it: basket, lines, availability, ``OrderCreator``, submission.

What it guarantees: a price row for each line, counters of products and customers, alerts of stock that ran low. It
reads what is there before it allocates, and allocates without asking again.

Given to it: no offers, vouchers, addresses, payment or HTTP; customers and products are loaded once. Each of its three
requests is one transaction, as its documents set up a project (``ATOMIC_REQUESTS``).
"""

from typing import Any

from django.db import transaction

from benchmarks import django_host
from benchmarks.market.stall import CUSTOMERS, PIECES, PRODUCTS, SHOPS, Goods, Stall

HOSTED = ("django.contrib.contenttypes", "django.contrib.auth")


class Client(Stall):
    def __init__(self, url: str) -> None:
        super().__init__()
        from oscar import INSTALLED_APPS, defaults

        django_host.configure(
            url,
            *(app for app in INSTALLED_APPS if app not in HOSTED),
            **{name: value for name, value in vars(defaults).items() if name.isupper()},
            SITE_ID=1,
            HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
        )
        from django.contrib.auth import get_user_model
        from oscar.core.loading import get_class, get_model

        self.User = get_user_model()
        self.Basket, self.Product = get_model("basket", "Basket"), get_model("catalogue", "Product")
        self.StockRecord, self.Partner = get_model("partner", "StockRecord"), get_model("partner", "Partner")
        self.ProductClass = get_model("catalogue", "ProductClass")
        self.strategy = get_class("partner.strategy", "Selector")().strategy
        self.creator = get_class("order.utils", "OrderCreator")()
        self.numbers = get_class("order.utils", "OrderNumberGenerator")()
        self.shipping = get_class("shipping.methods", "Free")()
        self.totals = get_class("checkout.calculators", "OrderTotalCalculator")()

    def prepare(self) -> None:
        """Make the tables, the customers and the products."""
        from django.apps import apps
        from django.conf import settings
        from django.core.management import call_command

        # The tables as the models say: its many migrations make the same ones, in a minute.
        settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
        call_command("migrate", run_syncdb=True, verbosity=0)
        self.User.objects.bulk_create(self.User(username=f"customer {number}") for number in range(CUSTOMERS))
        self.ProductClass.objects.create(name="Goods", requires_shipping=False)
        partners = [self.Partner.objects.create(name=f"Shop {number}") for number in range(SHOPS)]
        self._stock([partners[number * SHOPS // PRODUCTS] for number in range(PRODUCTS)], PIECES)

    def learn(self) -> None:
        """Load the customers and the products."""
        self.customers = list(self.User.objects.order_by("pk"))
        self.products = list(self.Product.objects.select_related("product_class").order_by("pk"))

    def place(self, way: str, customer: Any, goods: Goods) -> bool:
        """Order as its pages do: two requests fill the basket, a third one reads and orders it."""
        basket = self.Basket(owner=customer)
        for product, quantity in goods:
            with transaction.atomic():
                basket.strategy = self.strategy(user=customer)
                basket.add_product(product, quantity=quantity)
        with transaction.atomic():
            return self._check_out(basket.pk, customer)

    def scarce(self, pieces: int) -> int:
        """Make a product of which there are so many; return its place among the products."""
        self._stock(list(self.Partner.objects.order_by("pk")[:1]), pieces)
        return self.Product.objects.count() - 1

    def sold_of(self, product: int) -> int:
        """Return how many pieces its orders took."""
        return int(self.StockRecord.objects.get(product=self.products[product]).num_allocated or 0)

    def _check_out(self, basket_id: int, customer: Any) -> bool:
        basket = self.Basket.open.get(pk=basket_id)
        basket.strategy = self.strategy(user=customer)
        for line in basket.all_lines():
            permitted, _why = line.purchase_info.availability.is_purchase_permitted(line.quantity)
            if not permitted:
                return False
        charge = self.shipping.calculate(basket)
        self.creator.place_order(
            basket=basket,
            total=self.totals.calculate(basket, charge),
            shipping_method=self.shipping,
            shipping_charge=charge,
            user=customer,
            order_number=self.numbers.order_number(basket),
        )
        basket.submit()
        return True

    def _stock(self, partners: list[Any], pieces: int) -> None:
        """Make a product for each of these partners, with so many pieces."""
        kind = self.ProductClass.objects.get()
        products = self.Product.objects.bulk_create(
            self.Product(product_class=kind, title="Bowl", slug="bowl") for _partner in partners
        )
        self.StockRecord.objects.bulk_create(
            self.StockRecord(product=product, partner=partner, partner_sku=product.pk, price=10, num_in_stock=pieces)
            for product, partner in zip(products, partners, strict=True)
        )
