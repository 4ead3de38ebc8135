"""What can go wrong with a provider, each at one's word.

A fault is armed and waits for what it befalls: the next request to create a card, unless it says otherwise, or the next
webhook. It is gone after so many ``times``. Where it strikes decides whether the card exists afterwards, so the names
say it: *before* means that nothing was created, *after* that the card exists and the answer does not arrive.
"""

import threading
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class On(StrEnum):
    """What a fault waits for."""

    CREATE = "create"
    UPDATE = "update"
    GET = "get"
    LIST = "list"
    EVENTS = "events"
    ANY = "any"
    WEBHOOK = "webhook"


class FaultKind(StrEnum):
    """The faults, in the order of a request's way through the provider."""

    # In front of the provider: it never learns of the request.
    STATUS = "status"
    RATE_LIMITED = "rate_limited"
    REDIRECT = "redirect"
    CUT_BEFORE = "cut_before"
    # In the provider's hands; while it holds on to a request, the request's key is in use. What it answers is saved for
    # the key, where the dialect has keys.
    HANG_BEFORE = "hang_before"
    LATE_CREATE = "late_create"
    ERROR_500_BEFORE = "error_500_before"
    ERROR_500_AFTER = "error_500_after"
    WRONG_COLOR = "wrong_color"
    # On the way back: the card exists, and the answer saved for the key is sound.
    UNKNOWN_STATUS = "unknown_status"
    NO_ID = "no_id"
    NOT_JSON = "not_json"
    OVERSIZED = "oversized"
    HANG_AFTER = "hang_after"
    CUT_AFTER = "cut_after"
    RESET_AFTER = "reset_after"
    DRIP = "drip"
    HALF = "half"
    GARBAGE = "garbage"
    BAD_GZIP = "bad_gzip"
    # Webhooks.
    WEBHOOK_LATE = "webhook_late"
    WEBHOOK_EARLY = "webhook_early"
    WEBHOOK_TWICE = "webhook_twice"
    WEBHOOK_REORDERED = "webhook_reordered"
    WEBHOOK_NEVER = "webhook_never"
    WEBHOOK_FORGED = "webhook_forged"
    WEBHOOK_STALE = "webhook_stale"

    @property
    def is_of_webhooks(self) -> bool:
        """Whether it befalls a webhook rather than a request."""
        return self.value.startswith("webhook_")

    @property
    def label(self) -> str:
        """Say what happens, for the page."""
        return _LABELS[self]


_LABELS = {
    FaultKind.STATUS: "Answer with an error status",
    FaultKind.RATE_LIMITED: "Too many requests (429)",
    FaultKind.REDIRECT: "Redirect elsewhere",
    FaultKind.CUT_BEFORE: "Cut the line, create nothing",
    FaultKind.HANG_BEFORE: "Hang, create nothing",
    FaultKind.LATE_CREATE: "Hang, create after the caller has given up",
    FaultKind.ERROR_500_BEFORE: "Error 500, create nothing",
    FaultKind.ERROR_500_AFTER: "Create, then error 500",
    FaultKind.WRONG_COLOR: "Make it in the wrong color",
    FaultKind.UNKNOWN_STATUS: "Answer with an unknown status",
    FaultKind.NO_ID: "Answer without an id",
    FaultKind.NOT_JSON: "Answer with malformed JSON",
    FaultKind.OVERSIZED: "Answer with a megabyte",
    FaultKind.HANG_AFTER: "Create, then hang",
    FaultKind.CUT_AFTER: "Create, then cut the line",
    FaultKind.RESET_AFTER: "Create, then reset the line",
    FaultKind.DRIP: "Create, answer a byte at a time",
    FaultKind.HALF: "Create, answer half of it",
    FaultKind.GARBAGE: "Create, answer what is no HTTP",
    FaultKind.BAD_GZIP: "Create, answer with broken gzip",
    FaultKind.WEBHOOK_LATE: "Late",
    FaultKind.WEBHOOK_EARLY: "Before the answer",
    FaultKind.WEBHOOK_TWICE: "Twice",
    FaultKind.WEBHOOK_REORDERED: "Behind the next one",
    FaultKind.WEBHOOK_NEVER: "Never",
    FaultKind.WEBHOOK_FORGED: "Wrongly signed",
    FaultKind.WEBHOOK_STALE: "With a signature of an hour ago",
}


@dataclass(frozen=True)
class Fault:
    """One fault, armed: after ``skip`` matches it strikes ``times`` times."""

    kind: FaultKind
    on: On = On.CREATE
    times: int = 1
    skip: int = 0
    status: int = 503
    retry_after: str | None = None
    """What the header says: seconds, or an HTTP date."""
    seconds: float = 30.0
    """How long it hangs, drips or is late."""

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows."""
        return {**vars(self), "label": self.kind.label}


class Faults:
    """The faults that are armed at one provider."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        """Let it wait for its turn; those that were armed before come first."""
        with self._lock:
            self._armed.append(fault)

    def disarm(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._armed.clear()

    def armed(self) -> list[Fault]:
        """Return those that wait."""
        with self._lock:
            return list(self._armed)

    def strike(self, on: On) -> Fault | None:
        """Return the fault that befalls this, and count it."""
        with self._lock:
            for index, fault in enumerate(self._armed):
                if fault.on != on and (fault.on != On.ANY or on == On.WEBHOOK):
                    continue
                if fault.skip:
                    self._armed[index] = replace(fault, skip=fault.skip - 1)
                    continue
                self._armed[index : index + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                return fault
        return None
