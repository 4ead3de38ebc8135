"""The door: ``Idempotency-Key`` for the unsafe requests of a view."""

import hashlib
import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request

from holdfast.idempotency.claims import Claim, database
from holdfast.idempotency.exceptions import (
    IdempotencyKeyInvalid,
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
    RequestStillRunning,
)

_BARE = re.compile(r"[!#-~][!-~]{0,254}")
_QUOTED = re.compile(r'"((?:[!#-\[\]-~]|\\["\\])*)"')
# Answers that ask the client to come again, with the same key: stored, they would never change.
_PASSING = frozenset({408, 412, 425, 428, 429})


class IdempotencyKeyMixin:
    """Give a ``DomainAPIView`` the request's ``Idempotency-Key``, for a verb that keeps it with what it makes.

    The verb answers a repetition from that row, as long as there is one, and while the first run is still under way.
    """

    idempotent_methods: frozenset[str] | set[str] = frozenset({"POST"})
    idempotency_key_required: bool = False
    idempotency_key: str | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Admit the request, then read its key. Raises ``IdempotencyKeyRequired``, ``IdempotencyKeyInvalid``."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]  # APIView's, behind us in the order of bases
        if request.method not in self.idempotent_methods or not hasattr(self, str(request.method).lower()):
            return
        self.idempotency_key = _read(request.headers.get("Idempotency-Key"))
        if self.idempotency_key is None and self.idempotency_key_required:
            raise IdempotencyKeyRequired


class IdempotencyMixin(IdempotencyKeyMixin):
    """Give a ``DomainAPIView`` idempotent methods: ``class TransferView(IdempotencyMixin, DomainAPIView)``.

    The key is optional unless ``idempotency_key_required``. Claim, effect and answer are one transaction; a refusal's
    effect is rolled back and its answer stored after. A view whose verb must commit by itself (``durable=True``, a
    network call between two commits) says how long one run may take in ``idempotency_lease_seconds``, and its verb
    must bear being run again with the same key, which it finds in ``self.idempotency_key``.
    """

    idempotency_lease_seconds: float | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Admit the request, then put the claim around its handler."""
        super().initial(request, *args, **kwargs)
        if self.idempotency_key is None:
            return
        method = str(request.method)
        handler = getattr(self, method.lower())
        claim = Claim(self.idempotency_scope(request), self.idempotency_key, _fingerprint(request))
        run = self._in_one_transaction if self.idempotency_lease_seconds is None else self._under_a_lease
        # An instance of a view lives for one request: what dispatch() looks up next is this attribute.
        setattr(self, method.lower(), partial(run, claim, handler))

    def idempotency_scope(self, request: Request) -> str:
        """Return within what a key is unique: one user, one method, one route."""
        match = request.resolver_match
        user = request.user.pk if request.user is not None else None
        return f"{'-' if user is None else user} {request.method} {match.route if match else request.path}"

    def _in_one_transaction(
        self, claim: Claim, handler: Callable[..., HttpResponse], request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        try:
            with transaction.atomic(using=database()):
                answer = claim.take()
                if answer is None:
                    answer = self._rendered(request, handler(request, *args, **kwargs))
                    if _passing(answer):
                        # Neither answer nor effect, nor the claim, are kept: the next try starts anew.
                        transaction.set_rollback(True, using=database())
                    else:
                        claim.store(answer)
                return answer
        except (IdempotencyKeyReused, RequestStillRunning):
            raise
        except Exception as error:  # noqa: BLE001 - DRF's own handler decides, and raises again what it does not know
            answer = self._rendered(request, self.handle_exception(error))  # type: ignore[attr-defined]  # APIView's
            return answer if _passing(answer) else self._after_the_rollback(claim, answer)

    def _after_the_rollback(self, claim: Claim, refusal: HttpResponse) -> HttpResponse:
        # Between the rollback and here a twin may have run: then its answer is the key's, also for us.
        try:
            with transaction.atomic(using=database()):
                answer = claim.take()
                if answer is None:
                    claim.store(refusal)
        except (IdempotencyKeyReused, RequestStillRunning):
            return refusal
        return answer or refusal

    def _under_a_lease(
        self, claim: Claim, handler: Callable[..., HttpResponse], request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        answer = claim.take(lease_seconds=self.idempotency_lease_seconds)
        if answer is not None:
            return answer
        try:
            answer = self._rendered(request, handler(request, *args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as above
            try:
                answer = self._rendered(request, self.handle_exception(error))  # type: ignore[attr-defined]  # as above
            except Exception:
                claim.give_up()
                raise
        if _passing(answer):
            claim.give_up()
        else:
            claim.store(answer)
        return answer

    def _rendered(self, request: Request, response: HttpResponse) -> HttpResponse:
        # DRF renders after the view has returned, which is after the commit; the answer's bytes are needed before.
        final: HttpResponse = self.finalize_response(request, response)  # type: ignore[attr-defined]  # APIView's
        if render := getattr(final, "render", None):
            render()
        return final


def _passing(answer: HttpResponse) -> bool:
    return answer.status_code >= 500 or answer.status_code in _PASSING or "Retry-After" in answer.headers


def _read(header: str | None) -> str | None:
    """Return the header's key: a structured-field string, as the draft asks for, or bare, as most clients send it."""
    if header is None:
        return None
    text = header.strip()
    if quoted := _QUOTED.fullmatch(text):
        text = re.sub(r"\\(.)", r"\1", quoted[1])
        if 1 <= len(text) <= 255:
            return text
    elif _BARE.fullmatch(text):
        return text
    raise IdempotencyKeyInvalid


def _fingerprint(request: Request) -> str:
    # The parsed body, not its bytes: a client library that orders names otherwise on the second try repeats the same
    # request.
    body = json.dumps(request.data, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n{body}".encode()).hexdigest()
