"""What every Holdfast domain stands on: outbox, idempotency, refusals, API conventions, health and testing."""
