"""Cards, with their lives."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from holdfast.windows import Panel, Step, SureForm, WindowAdmin, link_to
from holdfast_cards import services
from holdfast_cards.models import Card, Discrepancy, Notice, Operation
from holdfast_cards.states import LIVE, CardState, OpposeReason


class OpposeForm(forms.Form):
    """Asks whether it was lost or stolen."""

    reason = forms.ChoiceField(choices=OpposeReason.choices, label=_("Reason"))


def _in_his_name(verb: Callable[..., services.Result]) -> Callable[[Card, dict[str, Any]], str]:
    def run(card: Card, values: dict[str, Any]) -> str:
        result = verb(card_id=card.pk, holder_id=card.holder_id, **values)
        if result.is_open:
            return _("The provider has not answered yet; the worker sees to it.")
        return _("The card is %(state)s.") % {"state": result.card.get_state_display().lower()}

    return run


def _is_in(*states: CardState) -> Callable[[Card], bool]:
    return lambda card: card.state in states


def _step(name: str, question: str, verb: Callable[..., services.Result], *states: CardState) -> Step:
    return Step(
        name=name,
        label=name.capitalize(),
        question=question,
        permission="holdfast_cards.change_card",
        form=OpposeForm if name == "oppose" else SureForm,
        run=_in_his_name(verb),
        offered=_is_in(*states),
    )


@admin.register(Card)
class CardAdmin(WindowAdmin):
    """Whose card it is, how far it has come, and what the provider says of it."""

    steps: ClassVar = (
        _step("activate", "The card will authorize.", services.activate_card, CardState.ORDERED, CardState.SENT),
        _step("freeze", "The card authorizes nothing until it is unfrozen.", services.freeze_card, CardState.ACTIVATED),
        _step("unfreeze", "The card authorizes again.", services.unfreeze_card, CardState.FROZEN),
        _step("cancel", "The card ends for good.", services.cancel_card, CardState.REQUESTED, *sorted(LIVE)),
        _step("oppose", "The card ends for good, as lost or stolen.", services.oppose_card, *sorted(LIVE)),
    )
    list_display = ("id", "holder", "swatch", "kind", "state", "provider", "last4", "anomalies", "created_at")
    list_filter = ("state", "color", "kind", "provider")
    list_select_related = ("holder",)
    fields: ClassVar = (
        ("id", "holder", "holder_reference"),
        ("state", "changed_at", "created_at"),
        ("swatch", "actual_color", "kind"),
        ("provider", "provider_card_id", "provider_status"),
        ("last4", "expires_on", "carrier", "tracking_number"),
        ("anomalies", "its_predecessor"),
        ("next_refresh_at", "told_at", "version"),
    )
    readonly_fields = ("swatch", "its_predecessor")

    def matching_id(self, wanted: UUID) -> Q:
        """Find a card, by its own id or that of an operation."""
        return Q(pk=wanted) | Q(pk__in=Operation.objects.filter(pk=wanted).values("card"))

    def matching_login(self, login: str) -> Q:
        """Find a holder's cards, or the one that the provider knows under this id."""
        return Q(**{f"holder__{get_user_model().USERNAME_FIELD}": login}) | Q(provider_card_id=login)

    def panels(self, request: HttpRequest, obj: Card) -> Iterable[Panel]:
        """Show its life, its operations, what was told of it and what is not as it should be."""
        steps = [
            (step.at, step.get_source_state_display(), step.get_target_state_display(), step.get_source_display())
            for step in obj.transitions.order_by("id")
        ]
        yield Panel("Life", ("When", "From", "To", "Learned from"), steps)
        operations = [
            (link_to(Operation, one.pk), one.get_verb_display(), one.get_state_display(), one.attempts, one.created_at)
            for one in obj.operations.order_by("id")
        ]
        yield Panel("Operations", ("Id", "What", "State", "Attempts", "Begun"), operations)
        told = Notice.objects.filter(provider=obj.provider, provider_card_id=obj.provider_card_id or "-")
        notices = [(link_to(Notice, one.pk), one.type, one.state, one.received_at) for one in told.order_by("-id")[:50]]
        yield Panel("Webhooks", ("Id", "Type", "State", "Received"), notices)
        found = obj.discrepancies.order_by("-id")
        wrong = [(link_to(Discrepancy, one.pk), one.get_kind_display(), one.get_state_display()) for one in found]
        yield Panel("Discrepancies", ("Id", "What", "State"), wrong)

    @admin.display(description="color", ordering="color")
    def swatch(self, card: Card) -> SafeString:
        """Return the color wished for, with a spot of it."""
        return format_html(
            '<span style="display:inline-block;width:1.6em;height:1em;border-radius:.2em;vertical-align:-.1em;'
            'border:1px solid currentColor;background:{}"></span> {}',
            card.color if card.color.isalpha() else "transparent",
            card.color,
        )

    @admin.display(description="replaces")
    def its_predecessor(self, card: Card) -> SafeString | str:
        """Return the card that it replaces."""
        return link_to(Card, card.replaces_id)
