"""Our own events to our own ports."""
