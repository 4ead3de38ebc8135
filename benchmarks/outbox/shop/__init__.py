"""The host app of our own system: one event, one handler that does nothing but count."""
