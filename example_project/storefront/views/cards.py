"""Cards: order one by its color, watch it come, freeze it, report it lost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from holdfast import errors
from holdfast_cards import selectors, services
from holdfast_cards.states import CardState, OperationState, Verb
from storefront.forms.cards import EndCardForm, LostCardForm, OrderCardForm
from storefront.pages import FormPage, Page

OPEN = "The provider has not answered yet. We keep asking; nothing is ordered twice."


@dataclass(frozen=True)
class Step:
    """A verb that changes a card: from which states, what its button says, and what is said when it is done."""

    name: Verb
    verb: Callable[..., services.Result]
    states: frozenset[str]
    label: str
    done: str
    icon: str = "check"


STEPS = {
    str(step.name): step
    for step in (
        Step(
            Verb.ACTIVATE,
            services.activate_card,
            frozenset({CardState.ORDERED, CardState.SENT}),
            "I have it: activate it",
            "It is active. You can pay with it.",
        ),
        Step(
            Verb.FREEZE,
            services.freeze_card,
            frozenset({CardState.ACTIVATED}),
            "Freeze it",
            "It is frozen: nobody pays with it until you thaw it.",
            "frozen",
        ),
        Step(
            Verb.UNFREEZE,
            services.unfreeze_card,
            frozenset({CardState.FROZEN}),
            "Thaw it",
            "It works again.",
        ),
    )
}
# The way of a card that comes well, to show how far it is.
WAY = (CardState.REQUESTED, CardState.ORDERED, CardState.SENT, CardState.ACTIVATED)
LIVING = frozenset({CardState.ORDERED, CardState.SENT, CardState.ACTIVATED, CardState.FROZEN})


class CardsView(Page):
    """My cards, the newest first."""

    template_name = "storefront/cards/list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather them."""
        cards = list(selectors.cards_of(holder_id=self.owner_id)[:50])
        return super().get_context_data(
            living=[card for card in cards if not card.is_final],
            past=[card for card in cards if card.is_final],
            sandbox=settings.CARD_SANDBOX_PAGE,
            **kwargs,
        )


class OrderCardView(FormPage):
    """Order a card."""

    template_name = "storefront/cards/order.html"
    form_class = OrderCardForm

    def run(self, form: Any) -> services.Result:
        """Order it; the form's key makes a double click one card."""
        color, key = form.cleaned_data["color"], str(form.cleaned_data["key"])
        result = services.request_card(holder_id=self.owner_id, color=color, key=key)
        messages.success(self.request, OPEN if result.is_open else f"Your {color} card is ordered.")
        return result

    def where_to(self, result: services.Result) -> str:
        """Show it."""
        return reverse("storefront:card", args=[result.card.id])


class CardView(Page):
    """One card, its life, and what can be done with it now."""

    template_name = "storefront/cards/card.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Offer the steps that its state and its provider allow."""
        card: Any = selectors.get_card(card_id=kwargs["card_id"], holder_id=self.owner_id)
        verbs = selectors.offered().verbs
        shown = CardState.ACTIVATED if card.state == CardState.FROZEN else card.state
        reached = WAY.index(shown) if shown in WAY else -1
        living = card.state in LIVING
        return super().get_context_data(
            card=card,
            way=[(state, index <= reached) for index, state in enumerate(WAY)] if reached >= 0 else [],
            current=shown,
            under_way=[one for one in card.open_operations if one.state != OperationState.NEEDS_REVIEW],
            in_review=[one for one in card.open_operations if one.state == OperationState.NEEDS_REVIEW],
            history=selectors.history(card_id=card.id, holder_id=self.owner_id).order_by("-id")[:30],
            steps=[step for step in STEPS.values() if card.state in step.states and step.name in verbs],
            may_oppose=living and Verb.OPPOSE in verbs,
            may_cancel=(living or card.state == CardState.REQUESTED) and Verb.CANCEL in verbs,
            sandbox=settings.CARD_SANDBOX_PAGE,
            **kwargs,
        )


class CardLifeView(CardView):
    """The part of the page that moves, for a page that is open."""

    template_name = "storefront/cards/life.html"


class StepCardView(Page):
    """Change a card."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *_args: Any, **kwargs: Any) -> HttpResponseBase:
        """Run the step's verb."""
        step = STEPS.get(kwargs["step"])
        if step is None:
            raise Http404
        try:
            result = step.verb(card_id=kwargs["card_id"], holder_id=self.owner_id)
        except errors.NotFound:
            raise
        except errors.Refusal as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, OPEN if result.is_open else step.done)
        return HttpResponseRedirect(reverse("storefront:card", args=[kwargs["card_id"]]))


class CardFormPage(FormPage):
    """A question about one of my cards."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show which."""
        card = selectors.get_card(card_id=self.kwargs["card_id"], holder_id=self.owner_id)
        return super().get_context_data(card=card, **kwargs)

    def where_to(self, result: services.Result) -> str:
        """Show the card."""
        return reverse("storefront:card", args=[result.card.id])


class LostCardView(CardFormPage):
    """A card is lost or stolen."""

    template_name = "storefront/cards/lost.html"
    form_class = LostCardForm

    def run(self, form: Any) -> services.Result:
        """End it, and order another one if that is wanted."""
        reason, key = form.cleaned_data["reason"], str(form.cleaned_data["key"])
        mine = {"card_id": self.kwargs["card_id"], "holder_id": self.owner_id}
        if not form.cleaned_data["replace"]:
            result = services.oppose_card(**mine, reason=reason)
            messages.success(self.request, OPEN if result.is_open else "Nobody pays with it any more.")
            return result
        result = services.replace_card(**mine, reason=reason, key=key)
        messages.success(self.request, OPEN if result.is_open else "Nobody pays with it any more. Another is ordered.")
        return result


class EndCardView(CardFormPage):
    """A card is not wanted any more."""

    template_name = "storefront/cards/end.html"
    form_class = EndCardForm

    def run(self, form: Any) -> services.Result:
        """Cancel it."""
        result = services.cancel_card(card_id=self.kwargs["card_id"], holder_id=self.owner_id)
        messages.success(self.request, OPEN if result.is_open else "The card is ended.")
        return result
