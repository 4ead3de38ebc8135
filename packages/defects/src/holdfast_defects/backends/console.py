"""A counter server for looking on."""

import json
import sys
from uuid import UUID

from holdfast_defects.states import Action


class ConsoleCounter:
    """Writes a line for each event to the relay's standard output."""

    def count(self, *, event_id: UUID, user_id: int | str, action: Action) -> None:
        """Write what the counter server would get, and the event's id."""
        body = json.dumps({"user": user_id, "action": action})
        sys.stdout.write(f"{event_id} {body}\n")
        sys.stdout.flush()
