"""The one handler: it counts."""

import os

from benchmarks.outbox.shop.events import ProductSold
from benchmarks.tally import Tally
from holdfast.events import Envelope
from holdfast.outbox.subscriptions import subscribe

tally = Tally(os.environ["BENCHMARKS_TALLY"])


@subscribe(ProductSold)
def count(envelope: Envelope[ProductSold]) -> None:
    """Count the event."""
    tally.handled(envelope.event.number)
