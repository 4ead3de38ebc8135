"""A payment rail for development: nothing leaves the house."""

from holdfast_wallet.ports import PaymentOrder, PaymentOutcome
from holdfast_wallet.states import PaymentState


class DummyRail:
    """Settles each payment at once, or gives the ``outcome`` that it is told to give."""

    def __init__(self, *, outcome: str = "settled") -> None:
        self.outcome = PaymentState(outcome)

    def start(self, order: PaymentOrder) -> PaymentOutcome:
        """Answer at once."""
        reason = "The dummy rail was told to fail." if self.outcome == PaymentState.FAILED else ""
        return PaymentOutcome(state=self.outcome, reference=f"dummy-{order.id}", reason=reason)

    def poll(self, order: PaymentOrder) -> PaymentOutcome:
        """Answer as ``start`` did."""
        return self.start(order)
