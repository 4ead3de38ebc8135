"""Doors to cards; a holder acts on his own, and of others' there are none.

201 or 200 says that it is done. 202 says that the wish stands and its outcome is open: ``Location`` and ``Retry-After``
tell where and when to ask. An outcome that is not known is never a 5xx, which would invite a second card.
"""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from rest_framework import status
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from holdfast.api.pagination import keyset_page
from holdfast.api.schema import document
from holdfast.api.serializers import StrictSerializer
from holdfast.api.views import DomainAPIView
from holdfast.idempotency import IdempotencyKeyMixin
from holdfast_cards import exceptions as no
from holdfast_cards import selectors, services
from holdfast_cards.api import serializers as shapes
from holdfast_cards.conf import settings

_ASKING = (no.ProviderRejected, no.ProviderMisconfigured)
_ORDERING = (
    no.InvalidColor,
    no.InvalidKind,
    no.InvalidKey,
    no.KeyReused,
    no.RequestAlreadyOpen,
    no.CardLimitReached,
    no.HolderNotReady,
    no.ProviderUnavailable,
    *_ASKING,
)
_CHANGING = (
    no.CardNotFound,
    no.TransitionNotAllowed,
    no.ChangeUnderWay,
    no.NotSupportedByProvider,
    *_ASKING,
)


class CardsAPIView(DomainAPIView):
    """A door of cards; verbs act in the name of the user who asks, and of nobody else."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Admit nobody without an id of his own."""
        super().initial(request, *args, **kwargs)
        if request.user is None or request.user.pk is None:
            raise NotAuthenticated

    @property
    def holder_id(self) -> Any:
        """The scope of every verb: who asks."""
        return self.request.user.pk

    def location(self, card_id: object) -> str:
        """Return the address of a card."""
        return reverse("holdfast_cards:card", kwargs={"card_id": card_id}, request=self.request)

    def answer(self, result: services.Result, *, done: int) -> Response:
        """Render a result: done, or open."""
        card = selectors.show(result.card, result.operation)
        headers = {"Location": self.location(card.pk)} if done == status.HTTP_201_CREATED or result.is_open else {}
        if result.replayed:
            headers["Idempotency-Replayed"] = "true"
        if result.is_open:
            headers["Retry-After"] = str(result.retry_after_seconds)
        code = status.HTTP_202_ACCEPTED if result.is_open else done
        return Response(shapes.CardOutput(card).data, status=code, headers=headers)


class OrderView(IdempotencyKeyMixin, CardsAPIView):
    """A door through which cards are ordered."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Ask for a key where the host wants one."""
        self.idempotency_key_required = settings.REQUIRE_IDEMPOTENCY_KEY
        super().initial(request, *args, **kwargs)

    def order(self, verb: Callable[..., services.Result], **order: Any) -> Response:
        """Order a card, and tell of the open request where there is one already."""
        wait = "respond-async" not in self.request.headers.get("Prefer", "")
        try:
            result = verb(holder_id=self.holder_id, key=self.idempotency_key, wait=wait, **order)
        except no.RequestAlreadyOpen as refusal:
            refusal.context["location"] = self.location(refusal.context["card_id"])
            raise
        return self.answer(result, done=status.HTTP_201_CREATED)


class CardsView(OrderView):
    """My cards, and a new one."""

    @document(summary="List my cards", query=shapes.CardFilter, response=shapes.CardOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of my cards, newest first."""
        wanted = self.parse(shapes.CardFilter, request.query_params)
        cards = selectors.cards_of(holder_id=self.holder_id).filter(**wanted)
        return keyset_page(request, cards, serializer=shapes.CardOutput)

    @document(
        summary="Order a card",
        request=shapes.OrderInput,
        response=shapes.CardOutput,
        status=201,
        refusals=_ORDERING,
    )
    def post(self, request: Request) -> Response:
        """Order a card of a color: 201 with the card, or 202 while the provider's answer is open."""
        return self.order(services.request_card, **self.parse(shapes.OrderInput))


class CardView(CardsAPIView):
    """One card."""

    @document(summary="Read a card", response=shapes.CardOutput, refusals=[no.CardNotFound])
    def get(self, request: Request, card_id: UUID) -> Response:
        """Return one of my cards."""
        card = selectors.get_card(card_id=card_id, holder_id=self.holder_id)
        return Response(shapes.CardOutput(card).data)


class HistoryView(CardsAPIView):
    """The life of a card."""

    @document(summary="Read a card's life", response=shapes.StepOutput, page=True, refusals=[no.CardNotFound])
    def get(self, request: Request, card_id: UUID) -> Response:
        """Return a page of the steps in the life of one of my cards, first first."""
        steps = selectors.history(card_id=card_id, holder_id=self.holder_id)
        return keyset_page(request, steps, ordering=("id",), serializer=shapes.StepOutput)


class ReplaceCardView(OrderView):
    """Another card in place of one."""

    @document(
        summary="Replace a card",
        request=shapes.ReplaceInput,
        response=shapes.CardOutput,
        status=201,
        refusals=[*_ORDERING, *_CHANGING, no.AlreadyReplaced],
    )
    def post(self, request: Request, card_id: UUID) -> Response:
        """Order a card like one of mine; a lost or stolen one is opposed first."""
        return self.order(services.replace_card, card_id=card_id, **self.parse(shapes.ReplaceInput))


class ChangeView(CardsAPIView):
    """A change of a card; one that is in effect already is done."""

    shape: ClassVar[type[StrictSerializer]] = shapes.Nothing

    def change(self, verb: Callable[..., services.Result], card_id: UUID) -> Response:
        """Call a verb on one of my cards: 200, or 202 while the provider's answer is open."""
        result = verb(card_id=card_id, holder_id=self.holder_id, **self.parse(self.shape))
        return self.answer(result, done=status.HTTP_200_OK)


class ActivateCardView(ChangeView):
    """A card has arrived."""

    @document(summary="Activate a card", response=shapes.CardOutput, refusals=_CHANGING)
    def post(self, request: Request, card_id: UUID) -> Response:
        """Let one of my cards authorize."""
        return self.change(services.activate_card, card_id)


class FreezeCardView(ChangeView):
    """A card shall rest."""

    @document(summary="Freeze a card", response=shapes.CardOutput, refusals=_CHANGING)
    def post(self, request: Request, card_id: UUID) -> Response:
        """Stop one of my cards from authorizing until I unfreeze it."""
        return self.change(services.freeze_card, card_id)


class UnfreezeCardView(ChangeView):
    """A card shall work again."""

    @document(summary="Unfreeze a card", response=shapes.CardOutput, refusals=_CHANGING)
    def post(self, request: Request, card_id: UUID) -> Response:
        """Let one of my frozen cards authorize again."""
        return self.change(services.unfreeze_card, card_id)


class CancelCardView(ChangeView):
    """A card is not wanted any more."""

    @document(summary="Cancel a card", response=shapes.CardOutput, refusals=_CHANGING)
    def post(self, request: Request, card_id: UUID) -> Response:
        """End one of my cards for good."""
        return self.change(services.cancel_card, card_id)


class OpposeCardView(ChangeView):
    """A card was lost or stolen."""

    shape = shapes.OpposeInput

    @document(
        summary="Report a card lost or stolen",
        request=shapes.OpposeInput,
        response=shapes.CardOutput,
        refusals=_CHANGING,
    )
    def post(self, request: Request, card_id: UUID) -> Response:
        """End one of my cards for good that somebody else may have."""
        return self.change(services.oppose_card, card_id)


class OfferView(CardsAPIView):
    """What there is to order."""

    @document(summary="Read what can be ordered", response=shapes.OfferOutput)
    def get(self, request: Request) -> Response:
        """Return the colors and kinds of cards, and what can be done with one."""
        offered = selectors.offered()
        offer = {"colors": offered.colors, "kinds": offered.kinds, "verbs": sorted(offered.verbs)}
        return Response(shapes.OfferOutput(offer).data)
