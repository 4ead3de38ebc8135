"""The transactional outbox: what was committed is told, at least once, in order for each key."""

from holdfast.outbox.emission import emit, emit_many, insertion

__all__ = ["emit", "emit_many", "insertion"]
