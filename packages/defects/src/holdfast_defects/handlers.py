"""Our own events to our own ports."""

from holdfast.conf import load_backend
from holdfast.events import Envelope
from holdfast.outbox import subscribe
from holdfast_defects.conf import settings
from holdfast_defects.events import DefectDeleted, DefectReported
from holdfast_defects.ports import CounterServer
from holdfast_defects.states import Action

ACTIONS = {DefectReported.type: Action.CREATE, DefectDeleted.type: Action.DELETE}


# One subscriber of both: two would be told side by side, and of a deletion before its creation.
@subscribe(DefectReported, DefectDeleted, circuit_breaker=True)
def tell_the_counter(envelope: Envelope[DefectReported | DefectDeleted]) -> None:
    """Tell the counter server."""
    counter: CounterServer = load_backend(settings.COUNTER)
    counter.count(event_id=envelope.id, user_id=envelope.event.user_id, action=ACTIONS[envelope.type])
