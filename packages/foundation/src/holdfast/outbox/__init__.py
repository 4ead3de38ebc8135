"""The transactional outbox: what was committed is told, at least once, in order for each key."""

from holdfast.outbox.emission import emit, emit_many, insertion, insertion_many
from holdfast.outbox.inbox import exactly_once
from holdfast.outbox.retry import DeliveryFailed, GiveUp, RetryLater
from holdfast.outbox.subscriptions import subscribe
from holdfast.outbox.wakeup import after_commit_wakeup

__all__ = [
    "DeliveryFailed",
    "GiveUp",
    "RetryLater",
    "after_commit_wakeup",
    "emit",
    "emit_many",
    "exactly_once",
    "insertion",
    "insertion_many",
    "subscribe",
]
