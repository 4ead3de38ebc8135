"""The transactional outbox: what was committed is told, at least once, in order for each key."""

from holdfast.outbox.emission import emit, emit_many, insertion
from holdfast.outbox.wakeup import after_commit_wakeup

__all__ = ["after_commit_wakeup", "emit", "emit_many", "insertion"]
