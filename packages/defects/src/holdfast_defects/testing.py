"""For the tests of a host: makers, and the contract that each adapter of the counter server's port keeps.

::

    class TestOurCounter(CounterContract):
        @pytest.fixture
        def counter(self):
            return OurCounter(url=sandbox_url)
"""

from typing import Any

from django.contrib.auth import get_user_model

from holdfast.ids import uuid7
from holdfast_defects import services
from holdfast_defects.models import Defect
from holdfast_defects.ports import CounterServer
from holdfast_defects.states import Action, DefectState

__all__ = ["CounterContract", "make_defect", "make_user"]

STEPS = {
    DefectState.REPORTED: (),
    DefectState.TRIAGED: (services.triage_defect,),
    DefectState.IN_REPAIR: (services.triage_defect, services.start_repair),
    DefectState.RESOLVED: (services.triage_defect, services.start_repair, services.resolve_defect),
    DefectState.CLOSED: (
        services.triage_defect,
        services.start_repair,
        services.resolve_defect,
        services.close_defect,
    ),
    DefectState.REJECTED: (services.reject_defect,),
}
"""How a defect gets into each state."""


def make_user(**fields: Any) -> Any:
    """Return a new user of the host's model, with a login of its own; ``fields`` for what the model demands beside."""
    model = get_user_model()
    return model._default_manager.create(  # noqa: SLF001 - what Django documents for models not one's own
        **{model.USERNAME_FIELD: f"user-{uuid7()}", **fields}
    )


def make_defect(
    *, user: Any = None, comment: str = "It is broken.", state: DefectState = DefectState.REPORTED, **options: Any
) -> Defect:
    """Return a new defect, brought into ``state`` by its verbs; ``options`` go to ``report_defect``."""
    user_id = make_user().pk if user is None else user.pk
    defect = services.report_defect(user_id=user_id, comment=comment, **options)
    for verb in STEPS[state]:
        defect = verb(defect_id=defect.pk)
    return defect


class CounterContract:
    """What every counter server takes; inherit it and give a fixture ``counter``."""

    def test_creations_and_deletions_are_taken(self, counter: CounterServer) -> None:
        """Both actions are known, and taking one is returning."""
        for action in Action:
            counter.count(event_id=uuid7(), user_id=7, action=action)

    def test_an_event_may_come_twice(self, counter: CounterServer) -> None:
        """We repeat an event whenever we do not know whether it arrived: the second time is no error."""
        event_id = uuid7()
        for _time in range(2):
            counter.count(event_id=event_id, user_id=7, action=Action.CREATE)

    def test_the_id_of_a_user_may_be_text(self, counter: CounterServer) -> None:
        """A host's users may have UUIDs."""
        counter.count(event_id=uuid7(), user_id=str(uuid7()), action=Action.CREATE)
