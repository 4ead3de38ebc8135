"""What is told of defects: frozen, versioned facts of plain values.

``user_id`` is always the reporter's. Their key is the defect: each subscriber learns of one defect in order, and a
failure of one holds up no other.
"""

from holdfast.events import Event


class DefectReported(Event, type="holdfast_defects.defect_reported.v1", key="defect_id"):
    """Somebody reported a defect."""

    defect_id: str
    user_id: int | str


class DefectChanged(Event, type="holdfast_defects.defect_changed.v1", key="defect_id"):
    """The comment, the timestamp or the severity of a defect was changed."""

    defect_id: str
    user_id: int | str
    version: int


class DefectMoved(Event, type="holdfast_defects.defect_moved.v1", key="defect_id"):
    """A defect went from one state to another."""

    defect_id: str
    user_id: int | str
    version: int
    source: str
    target: str


class DefectDeleted(Event, type="holdfast_defects.defect_deleted.v1", key="defect_id"):
    """Its reporter deleted a defect."""

    defect_id: str
    user_id: int | str
