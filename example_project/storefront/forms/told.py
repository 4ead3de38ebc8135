"""Forms about being told."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms

from holdfast_catalog_notify import selectors
from holdfast_catalog_notify.states import DeliveryState, Mode

MODES = [(Mode.IMMEDIATE, "At once"), (Mode.DIGEST, "Gathered, as a digest"), (Mode.OFF, "Not at all")]
CHANNELS = {
    "inbox": ("Inbox here", "It waits for you on these pages and in the API."),
    "email": ("E-mail", "To the address of your account, unless you name another."),
    "chat": ("Chat", "An incoming webhook of Slack, Mattermost, Rocket.Chat or Discord."),
    "webhook": ("Webhook", "JSON by POST, signed as Standard Webhooks are."),
    "console": ("Console", "What the worker prints; for developers."),
}
_WITHOUT_ADDRESS = {"inbox", "console"}


def name_of(channel: str) -> str:
    """Return how to call a channel; what a host has added is called as he calls it."""
    return CHANNELS[channel][0] if channel in CHANNELS else channel.capitalize()


class DeliveriesForm(forms.Form):
    """Which deliveries to show."""

    state = forms.ChoiceField(
        choices=[("", "Any state"), *((state.value, str(state.label).capitalize()) for state in DeliveryState)],
        required=False,
    )
    channel = forms.CharField(max_length=40, required=False)

    @property
    def filters(self) -> dict[str, Any]:
        """Return what the selector is asked for."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) or None for name in ("state", "channel")}


class ToldForm(forms.Form):
    """How somebody is told over each channel, and of which brands he is not."""

    muted: Any = forms.ModelMultipleChoiceField(
        queryset=None, required=False, widget=forms.CheckboxSelectMultiple, label="Of these brands, tell me nothing"
    )

    def __init__(self, *args: Any, preferences: Iterable[selectors.Preference], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["muted"].queryset = selectors.brands()  # type: ignore[attr-defined]  # a ModelMultipleChoiceField
        self.names = [one.channel for one in preferences]
        for name in self.names:
            channel = selectors.channel(name)
            modes = [mode for mode in MODES if mode[0] != Mode.DIGEST or getattr(channel, "digests", False)]
            self.fields[f"mode_{name}"] = forms.ChoiceField(
                choices=modes, widget=forms.RadioSelect, label=f"{name_of(name)}: when?"
            )
            if name not in _WITHOUT_ADDRESS:
                self.fields[f"address_{name}"] = forms.CharField(
                    max_length=500, required=False, label=f"{name_of(name)}: address of your own"
                )

    @property
    def channels(self) -> Iterator[tuple[str, str, Any, Any]]:
        """Yield for each channel its name, its words and its fields."""
        for name in self.names:
            address = self[f"address_{name}"] if f"address_{name}" in self.fields else None
            yield name_of(name), CHANNELS.get(name, ("", ""))[1], self[f"mode_{name}"], address
