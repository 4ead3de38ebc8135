"""Refusals: the five ways in which a verb says no.

A refusal is an answer, not a bug: it has a stable ``code``, a message for people (the first line of its docstring) and
a ``context`` of plain values that a program can act on. The API renders each as a problem document (RFC 9457).
"""

from typing import ClassVar


class Refusal(Exception):
    """The request was refused."""

    code: ClassVar[str] = "holdfast.refused"
    status: ClassVar[int] = 400
    retry_after_seconds: int | None = None
    """When the same request may be answered otherwise; the API says it in ``Retry-After``."""

    def __init__(self, message: str = "", /, **context: object) -> None:
        self.message = message or type(self).title()
        self.context = context
        super().__init__(self.message)

    @classmethod
    def title(cls) -> str:
        """Return the first line of the docstring: the same sentence for each refusal of this class."""
        return (cls.__doc__ or "").strip().partition("\n")[0]


class NotFound(Refusal):
    """There is no such thing in the scope of who asks."""

    code = "holdfast.not_found"
    status = 404


class Conflict(Refusal):
    """The thing is not in a state that allows this."""

    code = "holdfast.conflict"
    status = 409


class Invalid(Refusal):
    """The request can be read, but what it asks for makes no sense."""

    code = "holdfast.unprocessable"
    status = 422


class Denied(Refusal):
    """Who asks may see this, but not do it."""

    code = "holdfast.denied"
    status = 403


class Unavailable(Refusal):
    """Something that this needs does not answer at the moment."""

    code = "holdfast.unavailable"
    status = 503
