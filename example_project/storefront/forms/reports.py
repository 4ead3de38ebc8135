"""Forms about what visitors look at."""

from typing import Any

from django import forms

from holdfast_catalog_notify import selectors
from holdfast_catalog_notify.states import Interval

_DAY = forms.DateInput(attrs={"type": "date"})


class ReportForm(forms.Form):
    """Which days, how finely, and of what."""

    interval = forms.ChoiceField(choices=[(one.value, f"By {one.label}") for one in Interval], label="How finely")
    start = forms.DateField(label="From", widget=_DAY)
    end = forms.DateField(label="To", widget=_DAY)
    brand: Any = forms.ModelChoiceField(queryset=None, required=False, empty_label="All brands")
    category: Any = forms.ModelChoiceField(queryset=None, required=False, empty_label="All categories")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = selectors.brands()  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["category"].queryset = selectors.categories()  # type: ignore[attr-defined]  # as above

    @property
    def scope(self) -> dict[str, Any]:
        """Return of what."""
        chosen = {name: self.cleaned_data.get(name) for name in ("brand", "category")}
        return {f"{name}_id": one.pk for name, one in chosen.items() if one}

    @property
    def days(self) -> dict[str, Any]:
        """Return which days."""
        return {name: self.cleaned_data[name] for name in ("start", "end")}
