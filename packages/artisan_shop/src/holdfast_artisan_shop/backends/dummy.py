"""A gateway that says yes to everything, and a town in which everybody is an artisan: for tests and demonstrations."""

from holdfast_artisan_shop.ports import Answer, Charge, UserId


class DummyGateway:
    """Says yes to everything, and moves nothing."""

    def authorize(self, charge: Charge) -> Answer:
        """Say yes."""
        return Answer(accepted=True, reference=f"dummy-{charge.id}")

    def capture(self, charge: Charge) -> Answer:
        """Say yes."""
        return Answer(accepted=True, reference=charge.reference)

    def release(self, charge: Charge) -> Answer:
        """Say yes."""
        return Answer(accepted=True, reference=charge.reference)

    def refund(self, charge: Charge) -> Answer:
        """Say yes."""
        return Answer(accepted=True, reference=charge.reference)


class Everybody:
    """Opening a shop makes a user an artisan."""

    def may_open_shop(self, user_id: UserId) -> bool:
        """Say yes."""
        return True
