"""Discrepancies: in what the provider and we do not agree."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from holdfast.windows import Step, WindowAdmin, link_to
from holdfast_cards import services
from holdfast_cards.models import Card, Discrepancy
from holdfast_cards.states import DiscrepancyState


class NoteForm(forms.Form):
    """Asks how it was resolved."""

    note = forms.CharField(max_length=500, label=_("How it was resolved"))


def _resolve(found: Discrepancy, values: dict[str, Any]) -> str:
    services.resolve_discrepancy(discrepancy_id=found.pk, note=values["note"])
    return _("It is resolved.")


RESOLVE = Step(
    name="resolve",
    label="Resolve",
    question="Write down what was found and done. With a card of another color: that its holder keeps it.",
    permission="holdfast_cards.change_discrepancy",
    form=NoteForm,
    run=_resolve,
    offered=lambda found: found.state == DiscrepancyState.OPEN,
)


@admin.register(Discrepancy)
class DiscrepancyAdmin(WindowAdmin):
    """What is not as it should be."""

    steps: ClassVar = (RESOLVE,)
    search_help_text = "An id, or the provider's id of the card."
    list_display = ("kind", "state", "provider_card_id", "its_card", "detail", "attempts", "created_at")
    list_filter = ("state", "kind", "provider")
    list_select_related = ("card",)
    fields: ClassVar = (
        ("kind", "state"),
        ("provider", "provider_card_id", "its_card"),
        ("detail", "attempts", "next_attempt_at"),
        ("created_at", "resolved_at"),
        "note",
    )
    readonly_fields = ("its_card",)

    def matching_login(self, login: str) -> Q:
        """Find by what the provider calls the card."""
        return Q(provider_card_id=login)

    @admin.display(description="our card")
    def its_card(self, found: Discrepancy) -> SafeString | str:
        """Return the card that it is about, if we know it."""
        return link_to(Card, found.card_id, found.card)
