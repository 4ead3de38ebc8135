"""The one fact of the shop."""

from holdfast.events import Event


class ProductSold(Event, type="shop.product_sold.v1", key="product"):
    """A product was sold."""

    product: str
    number: int
