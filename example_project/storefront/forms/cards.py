"""Forms about cards."""

from typing import Any

from django import forms

from holdfast_cards.selectors import offered
from holdfast_cards.states import OpposeReason
from storefront.forms.wallet import KeyedForm


class OrderCardForm(KeyedForm):
    """Which color."""

    color = forms.ChoiceField(widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        colors = offered().colors
        self.fields["color"].choices = [(color, color.capitalize()) for color in colors]  # type: ignore[attr-defined]  # a ChoiceField, above
        self.fields["color"].initial = colors[0]


class LostCardForm(KeyedForm):
    """What became of it, and whether another is wanted."""

    reason = forms.ChoiceField(
        label="What happened?", widget=forms.RadioSelect, choices=OpposeReason.choices, initial=OpposeReason.LOST
    )
    replace = forms.BooleanField(required=False, initial=True, label="Order another one like it")


class EndCardForm(forms.Form):
    """Asks whether one is sure."""
