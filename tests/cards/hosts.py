"""What a host adds: under which id, name and address the provider knows a holder."""

from holdfast_cards.ports import Address, Holder


class Addresses:
    """Everybody lives at the same address."""

    def of(self, holder_id: object) -> Holder:
        """Return the holder."""
        address = Address(line1="12 Rue de la Paix", city="Paris", postal_code="75002", country="FR")
        return Holder(external_id=f"holder-{holder_id}", name="Ada Lovelace", address=address)
