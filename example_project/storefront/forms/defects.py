"""Forms about defects."""

from typing import Any

from django import forms
from django.utils import timezone

from holdfast_defects.states import DefectState, Severity

COMMENT_LENGTH = 10_000
_MOMENT = "%Y-%m-%dT%H:%M:%S"


def _choices(words: Any) -> list[tuple[str, str]]:
    return [(word.value, str(word.label).capitalize()) for word in words]


class DefectForm(forms.Form):
    """What somebody saw, when, and how bad it is."""

    comment = forms.CharField(
        max_length=COMMENT_LENGTH,
        label="What is broken?",
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Where it is, what you saw, what you had expected.",
    )
    severity = forms.ChoiceField(
        choices=_choices(Severity), initial=Severity.MEDIUM.value, widget=forms.RadioSelect, label="How bad is it?"
    )
    timestamp = forms.DateTimeField(
        initial=timezone.now,
        label="Seen at (UTC)",
        widget=forms.DateTimeInput(format=_MOMENT, attrs={"type": "datetime-local", "step": "1"}),
    )

    @property
    def changes(self) -> dict[str, Any]:
        """What differs from what the form showed: a moment that nobody touched keeps its fractions of a second."""
        return {
            name: self.cleaned_data[name] for name in ("comment", "severity", "timestamp") if name in self.changed_data
        }


class ChangeDefectForm(DefectForm):
    """The same for a defect that is there, as somebody saw it in this version."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class SureForm(forms.Form):
    """Asks whether one is sure; the version is the one that was seen."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class FilterForm(forms.Form):
    """Which defects to show. What makes no sense filters nothing."""

    q = forms.CharField(
        max_length=200, required=False, label="Search", widget=forms.TextInput(attrs={"type": "search"})
    )
    state = forms.ChoiceField(choices=[("", "Any state"), *_choices(DefectState)], required=False)
    severity = forms.ChoiceField(choices=[("", "Any severity"), *_choices(Severity)], required=False)
    mine = forms.BooleanField(required=False, label="Mine only")

    def filters(self, *, user_id: int) -> dict[str, Any]:
        """Return what the selector is asked for."""
        self.is_valid()
        chosen = self.cleaned_data
        return {
            "search": chosen.get("q", ""),
            "state": chosen.get("state") or None,
            "severity": chosen.get("severity") or None,
            "user_id": user_id if chosen.get("mine") else None,
        }

    @property
    def narrows(self) -> bool:
        """Whether any filter is set."""
        return any(self.cleaned_data.values())
