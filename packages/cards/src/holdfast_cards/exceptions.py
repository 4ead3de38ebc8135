"""The refusals of cards: one class for each, whose docstring's first line is the message."""

from holdfast import errors


class CardsError(errors.Refusal):
    """The request for a card was refused."""

    code = "holdfast_cards.refused"


class CardNotFound(CardsError, errors.NotFound):
    """There is no such card."""

    code = "holdfast_cards.card_not_found"


class OperationNotFound(CardsError, errors.NotFound):
    """There is no such operation."""

    code = "holdfast_cards.operation_not_found"


class DiscrepancyNotFound(CardsError, errors.NotFound):
    """There is no such discrepancy."""

    code = "holdfast_cards.discrepancy_not_found"


class ProviderNotFound(CardsError, errors.NotFound):
    """There is no such provider here."""

    code = "holdfast_cards.provider_not_found"


class InvalidColor(CardsError, errors.Invalid):
    """The provider makes no cards of this color.

    Context: ``color``, ``colors``.
    """

    code = "holdfast_cards.invalid_color"


class InvalidKind(CardsError, errors.Invalid):
    """The provider makes no cards of this kind.

    Context: ``kind``, ``kinds``.
    """

    code = "holdfast_cards.invalid_kind"


class InvalidKey(CardsError, errors.Invalid):
    """A key has 1 to 255 visible ASCII characters."""

    code = "holdfast_cards.invalid_key"


class KeyReused(CardsError, errors.Invalid):
    """The key was already used for another request."""

    code = "holdfast_cards.key_reused"


class CardLimitReached(CardsError, errors.Conflict):
    """The holder has as many cards as he may have.

    Context: ``limit``.
    """

    code = "holdfast_cards.card_limit_reached"


class RequestAlreadyOpen(CardsError, errors.Conflict):
    """A card is being made for this holder already.

    Context: ``card_id``; through the API ``location``, too.
    """

    code = "holdfast_cards.request_already_open"


class HolderNotReady(CardsError, errors.Conflict):
    """The provider does not know this holder well enough to make a card."""

    code = "holdfast_cards.holder_not_ready"


class TransitionNotAllowed(CardsError, errors.Conflict):
    """The card is not in a state that allows this.

    Context: ``card_id``, ``state``, ``verb``.
    """

    code = "holdfast_cards.transition_not_allowed"


class ChangeUnderWay(CardsError, errors.Conflict):
    """Another change of this card is under way.

    Context: ``card_id``, ``verb``.
    """

    code = "holdfast_cards.change_under_way"
    retry_after_seconds = 5


class AlreadyReplaced(CardsError, errors.Conflict):
    """The card has been replaced already.

    Context: ``card_id``, ``replaced_by``.
    """

    code = "holdfast_cards.already_replaced"


class NotSupportedByProvider(CardsError, errors.Unavailable):
    """The provider of this card cannot do this.

    Context: ``verb``.
    """

    code = "holdfast_cards.not_supported_by_provider"
    status = 501


class ProviderRejected(CardsError, errors.Unavailable):
    """The provider refused, and would refuse again.

    Context: ``card_id``, ``retryable``.
    """

    code = "holdfast_cards.provider_rejected"
    status = 502


class ProviderUnavailable(CardsError, errors.Unavailable):
    """The provider cannot be reached at the moment; nothing was ordered."""

    code = "holdfast_cards.provider_unavailable"
    retry_after_seconds = 30


class ProviderMisconfigured(CardsError, errors.Unavailable):
    """The provider does not accept us at the moment; the request is kept until it does.

    Context: ``card_id``.
    """

    code = "holdfast_cards.provider_misconfigured"
    retry_after_seconds = 60


class InvalidSignature(CardsError, errors.Invalid):
    """The webhook is not what the provider signed, or not from now."""

    code = "holdfast_cards.invalid_signature"
    status = 400


class NotInReview(CardsError, errors.Conflict):
    """The outcome of this operation is not open to a decision.

    Context: ``operation_id``, ``state``.
    """

    code = "holdfast_cards.not_in_review"


class CardTaken(CardsError, errors.Conflict):
    """That card of the provider belongs to another request, or to nobody.

    Context: ``provider_card_id``.
    """

    code = "holdfast_cards.card_taken"
