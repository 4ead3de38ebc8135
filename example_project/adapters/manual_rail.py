"""A payment rail for a house that reads its bank's statement by hand."""

from holdfast_wallet.ports import PaymentOrder, PaymentOutcome
from holdfast_wallet.states import PaymentState


class ManualRail:
    """Leaves each payment pending, under a reference for the bank transfer, until the staff settles it or fails it."""

    def start(self, order: PaymentOrder) -> PaymentOutcome:
        """Take the order: the reference is what the payer writes on the transfer."""
        return PaymentOutcome(state=PaymentState.PENDING, reference=f"HF-{order.id.hex[-10:].upper()}")

    def poll(self, order: PaymentOrder) -> PaymentOutcome:
        """Say the same again: nobody but the staff knows more."""
        return self.start(order)
