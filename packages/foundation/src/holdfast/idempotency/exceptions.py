"""The refusals of idempotency."""

from holdfast.errors import Conflict, Invalid


class IdempotencyKeyRequired(Invalid):
    """This request needs an Idempotency-Key header."""

    code = "holdfast.idempotency_key_required"
    status = 400


class IdempotencyKeyInvalid(Invalid):
    """An Idempotency-Key has 1 to 255 visible ASCII characters, bare or as a quoted string."""

    code = "holdfast.idempotency_key_invalid"
    status = 400


class IdempotencyKeyReused(Invalid):
    """This Idempotency-Key was used for another request; take a new one."""

    code = "holdfast.idempotency_key_reused"


class RequestStillRunning(Conflict):
    """The first request with this Idempotency-Key is still running; ask again soon."""

    code = "holdfast.request_still_running"
    retry_after_seconds = 1
