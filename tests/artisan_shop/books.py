"""What must always be so, whatever happened."""

from django.db.models import F, Sum

from holdfast_artisan_shop.models import Hold, InventoryAlert, Order, OrderLine, Slot, Stock, StockMove
from holdfast_artisan_shop.services import Item
from holdfast_artisan_shop.states import OrderState

OPEN = [state for state in OrderState if state not in (OrderState.COMPLETED, OrderState.CANCELLED, OrderState.REFUNDED)]


def item(product, quantity=1):
    return Item(product_id=product.pk, quantity=quantity)


def figures(product):
    stock = Stock.objects.get(variant__product=product)
    return stock.on_hand, stock.held, stock.allocated


def check_books():
    """Compare the figures with the moves, the holds, the open orders, the alerts and the bookings."""
    for stock in Stock.objects.all():
        moved = StockMove.objects.filter(stock=stock).aggregate(a=Sum("on_hand"), b=Sum("held"), c=Sum("allocated"))
        assert (stock.on_hand, stock.held, stock.allocated) == tuple(value or 0 for value in moved.values())
        assert stock.held == (Hold.objects.filter(stock=stock).aggregate(n=Sum("quantity"))["n"] or 0)
        lines = OrderLine.objects.filter(variant_id=stock.pk, stocked=True, order__state__in=OPEN)
        assert stock.allocated == (lines.aggregate(n=Sum("quantity"))["n"] or 0)
        opened = InventoryAlert.objects.filter(stock=stock, resolved_at=None).count()
        low = stock.on_hand - stock.allocated <= stock.low_at
        assert opened <= int(low)
    for order in Order.objects.prefetch_related("lines"):
        assert order.subtotal_minor == sum(line.quantity * line.unit_minor for line in order.lines.all())
        assert order.total_minor == order.subtotal_minor + order.delivery_minor - order.discount_minor
    for slot in Slot.objects.filter(deliveries__isnull=False).distinct():
        assert slot.booked == slot.deliveries.exclude(state__in=["cancelled", "failed"]).count()
    assert not Slot.objects.filter(booked__gt=F("capacity")).exists()
