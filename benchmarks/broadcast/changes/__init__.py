"""The host app of the outbox's way: one event, one handler that posts."""
