"""Thin doors to what the outbox and its neighbors do."""
