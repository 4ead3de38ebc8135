"""What all doors of the wallet share: in whose name somebody acts, and whose accounts he may look at."""

from typing import Any
from uuid import UUID, uuid5

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError as ModelValidationError
from rest_framework.exceptions import ErrorDetail, NotAuthenticated, PermissionDenied, ValidationError
from rest_framework.request import Request

from holdfast.api.views import DomainAPIView
from holdfast.idempotency import IdempotencyMixin
from holdfast_wallet.exceptions import (
    AccountIsClosed,
    AccountIsFrozen,
    AccountNotFound,
    AmountNotPositive,
    AmountTooLarge,
    BalanceLimitExceeded,
    CurrencyMismatch,
    InsufficientFunds,
    KeyReused,
    MalformedRequest,
    SameAccount,
    TargetRefuses,
)

EVERYBODY = "all"
HOUSE = "house"

# Never to be changed: the keys of the ledger are kept for ever, and a repeated request must find its own.
_KEYS = UUID("6d0c7a53-6a0e-4c0b-9f3c-5d1f8f0f2a77")


POSTING = (
    AccountNotFound,
    AccountIsClosed,
    AccountIsFrozen,
    AmountNotPositive,
    AmountTooLarge,
    BalanceLimitExceeded,
    CurrencyMismatch,
    InsufficientFunds,
    KeyReused,
    MalformedRequest,
    SameAccount,
    TargetRefuses,
)
"""What every door may answer through which money moves."""


class WalletView(DomainAPIView):
    """A door of the wallet; verbs act in the name of the user who asks, and of nobody else."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Admit nobody without an id of his own: the scope ``None`` is the house."""
        super().initial(request, *args, **kwargs)
        if request.user is None or request.user.pk is None:
            raise NotAuthenticated

    @property
    def owner_id(self) -> Any:
        """The scope of every verb: who asks."""
        return self.request.user.pk

    def reader_id(self, owner: str | None) -> Any:
        """Return whose accounts are read: one's own, or, for staff only, those that ``?owner=`` names.

        ``house`` names the accounts without an owner. Reading is all that staff may do for another: verbs do not take
        this scope.
        """
        if owner is None or owner == str(self.owner_id):
            return self.owner_id
        if not self.request.user.is_staff:
            raise PermissionDenied
        if owner == HOUSE:
            return None
        try:
            return get_user_model()._meta.pk.clean(owner, None)
        except ModelValidationError as error:
            raise ValidationError({"owner": [ErrorDetail("There is no such owner.", code="invalid")]}) from error

    def reads_everybody(self, owner: str | None) -> bool:
        """Say whether staff asked for the list of everybody's (``?owner=all``)."""
        if owner != EVERYBODY:
            return False
        if not self.request.user.is_staff:
            raise PermissionDenied
        return True


class PostingView(IdempotencyMixin, WalletView):
    """A door through which money moves: nobody passes without an ``Idempotency-Key``."""

    idempotency_key_required = True

    def posting_key(self, verb: str, *parts: object) -> UUID:
        """Return the ledger's key for this request: the same for each repetition, another for each user and verb.

        The client's own text never becomes an id, be it a UUID: whoever guesses somebody else's key learns nothing.
        """
        return uuid5(_KEYS, "\n".join(map(str, (self.owner_id, verb, self.idempotency_key, *parts))))
