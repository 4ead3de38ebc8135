"""What a host's tests need too: captured events, a drained outbox, races, state machines as tables and diagrams."""

from holdfast.testing.outbox import captured_events, drain_outbox
from holdfast.testing.races import race
from holdfast.testing.states import state_diagram, transition_table

__all__ = ["captured_events", "drain_outbox", "race", "state_diagram", "transition_table"]
