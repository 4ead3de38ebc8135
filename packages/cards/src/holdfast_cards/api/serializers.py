"""What goes in and what comes out."""

from rest_framework import serializers

from holdfast.api.serializers import StrictSerializer
from holdfast_cards.models import Card, CardTransition
from holdfast_cards.states import CardKind, CardState, OpposeReason, ReplaceReason


class Nothing(StrictSerializer):
    """No fields: there is nothing to say."""


class OrderInput(StrictSerializer):
    """A card to be made; its color is all that is needed."""

    color = serializers.CharField(max_length=30, help_text="One of the colors that the provider offers, as `pink`.")
    kind = serializers.ChoiceField(CardKind.choices, default=CardKind.PHYSICAL)


class OpposeInput(StrictSerializer):
    """Why a card is opposed."""

    reason = serializers.ChoiceField(OpposeReason.choices)


class ReplaceInput(StrictSerializer):
    """Why a card is replaced."""

    reason = serializers.ChoiceField(ReplaceReason.choices)


class CardFilter(StrictSerializer):
    """Which of my cards."""

    state = serializers.ChoiceField(CardState.choices, required=False)


class CardOutput(serializers.ModelSerializer[Card]):
    """A card, as its holder may see it."""

    actual_color = serializers.CharField(
        source="shown_color", help_text="The color that it has; `anomalies` tells if it is not the one wished for."
    )
    under_way = serializers.SerializerMethodField(help_text="What is being done with it at the provider.")

    class Meta:
        model = Card
        fields = (
            "id",
            "state",
            "color",
            "actual_color",
            "kind",
            "last4",
            "expires_on",
            "carrier",
            "tracking_number",
            "replaces",
            "anomalies",
            "under_way",
            "created_at",
            "changed_at",
        )
        read_only_fields = fields

    def get_under_way(self, card: Card) -> list[str]:
        """Return what is open."""
        return [operation.verb for operation in getattr(card, "open_operations", ())]


class StepOutput(serializers.ModelSerializer[CardTransition]):
    """A step in the life of a card."""

    from_state = serializers.CharField(source="source_state")
    to_state = serializers.CharField(source="target_state")

    class Meta:
        model = CardTransition
        fields = ("from_state", "to_state", "source", "at")
        read_only_fields = fields


class OfferOutput(serializers.Serializer[object]):
    """What can be ordered, and done with a card."""

    colors = serializers.ListField(child=serializers.CharField())
    kinds = serializers.ListField(child=serializers.CharField())
    verbs = serializers.ListField(child=serializers.CharField())
