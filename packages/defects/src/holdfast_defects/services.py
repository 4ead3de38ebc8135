"""The verbs of the defects: the only writers.

Who may do what: everybody may report, change and move on any defect; deleting takes the reporter, whose id
``delete_defect`` is given. ``expected_version`` is the version that somebody has seen: if the defect has another one by
now, the verb refuses, so that two editors do not overwrite each other. ``None`` asks for no such care.

Each verb is one transaction of the database that defects are written to, or part of the caller's; its event is written
in the same one.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.utils import timezone
from django_fsm import can_proceed

from holdfast.outbox import emit
from holdfast.transactions import atomic_for
from holdfast_defects.events import DefectChanged, DefectDeleted, DefectMoved, DefectReported
from holdfast_defects.exceptions import (
    CommentInvalid,
    DefectNotFound,
    NotTheReporter,
    StepNotAllowed,
    TimestampOutOfRange,
    VersionOutdated,
)
from holdfast_defects.models import CLOCK_TOLERANCE, COMMENT_LENGTH, EARLIEST, Defect
from holdfast_defects.states import Severity


@atomic_for(Defect)
def report_defect(
    *,
    user_id: Any,
    comment: str,
    timestamp: dt.datetime | None = None,
    severity: Severity = Severity.MEDIUM,
) -> Defect:
    """Report a defect, seen at ``timestamp`` or just now.

    Raises ``CommentInvalid``, ``TimestampOutOfRange``. Emits ``DefectReported``.
    """
    now = timezone.now()
    defect = Defect(
        user_id=user_id,
        comment=comment,
        timestamp=now if timestamp is None else timestamp,
        severity=severity,
        created_at=now,
        updated_at=now,
    )
    _check(defect)
    defect.save(force_insert=True)
    emit(DefectReported(defect_id=str(defect.id), user_id=_plain(user_id)))
    return defect


@atomic_for(Defect)
def change_defect(
    *,
    defect_id: UUID,
    comment: str | None = None,
    timestamp: dt.datetime | None = None,
    severity: Severity | None = None,
    expected_version: int | None = None,
) -> Defect:
    """Change what was reported; what is ``None`` stays as it is.

    Raises ``DefectNotFound``, ``VersionOutdated``, ``CommentInvalid``, ``TimestampOutOfRange``. Emits
    ``DefectChanged``, unless everything is so already.
    """
    defect = _lock_defect(defect_id, expected_version)
    given = {"comment": comment, "timestamp": timestamp, "severity": severity}
    changes = {name: value for name, value in given.items() if value is not None and value != getattr(defect, name)}
    if not changes:
        return defect

    for name, value in changes.items():
        setattr(defect, name, value)
    _save(defect, *changes)
    emit(DefectChanged(defect_id=str(defect.id), user_id=_plain(defect.user_id), version=defect.version))
    return defect


@atomic_for(Defect)
def delete_defect(*, defect_id: UUID, user_id: Any, expected_version: int | None = None) -> None:
    """Delete a defect in the name of who reported it.

    Raises ``DefectNotFound``, ``NotTheReporter``, ``VersionOutdated``. Emits ``DefectDeleted``.
    """
    defect = _lock_defect(defect_id, expected_version)
    if defect.user_id != user_id:
        raise NotTheReporter(defect_id=str(defect_id))

    defect.delete()
    emit(DefectDeleted(defect_id=str(defect_id), user_id=_plain(user_id)))


def triage_defect(*, defect_id: UUID, expected_version: int | None = None) -> Defect:
    """Accept a report: it is a defect, and will be repaired.

    Raises ``DefectNotFound``, ``VersionOutdated``, ``StepNotAllowed``. Emits ``DefectMoved``.
    """
    return _move("triage", defect_id, expected_version)


def start_repair(*, defect_id: UUID, expected_version: int | None = None) -> Defect:
    """Begin to repair a triaged defect. Raises and emits as ``triage_defect`` does."""
    return _move("start_repair", defect_id, expected_version)


def resolve_defect(*, defect_id: UUID, expected_version: int | None = None) -> Defect:
    """Say that the repair is done. Raises and emits as ``triage_defect`` does."""
    return _move("resolve", defect_id, expected_version)


def close_defect(*, defect_id: UUID, expected_version: int | None = None) -> Defect:
    """Confirm that a resolved defect is repaired. Raises and emits as ``triage_defect`` does."""
    return _move("close", defect_id, expected_version)


def reject_defect(*, defect_id: UUID, expected_version: int | None = None) -> Defect:
    """Say that it is no defect, or will not be repaired. Raises and emits as ``triage_defect`` does."""
    return _move("reject", defect_id, expected_version)


def reopen_defect(*, defect_id: UUID, expected_version: int | None = None) -> Defect:
    """Report a defect again that was resolved, closed or rejected. Raises and emits as ``triage_defect`` does."""
    return _move("reopen", defect_id, expected_version)


@atomic_for(Defect)
def _move(step: str, defect_id: UUID, expected_version: int | None) -> Defect:
    defect = _lock_defect(defect_id, expected_version)
    take_step, source = getattr(defect, step), defect.state
    if not can_proceed(take_step):
        raise StepNotAllowed(defect_id=str(defect_id), state=source, step=step)

    take_step()
    _save(defect, "state")
    emit(
        DefectMoved(
            defect_id=str(defect_id),
            user_id=_plain(defect.user_id),
            version=defect.version,
            source=source,
            target=defect.state,
        )
    )
    return defect


def _lock_defect(defect_id: UUID, expected_version: int | None) -> Defect:
    defect = Defect.objects.select_for_update().filter(id=defect_id).first()
    if defect is None:
        raise DefectNotFound(defect_id=str(defect_id))
    if expected_version is not None and defect.version != expected_version:
        raise VersionOutdated(defect_id=str(defect_id), version=defect.version)
    return defect


def _save(defect: Defect, *changed: str) -> None:
    defect.version += 1
    # Never back: another machine's clock may have been ahead when the defect was written last.
    defect.updated_at = max(timezone.now(), defect.updated_at)
    _check(defect)
    defect.save(update_fields=[*changed, "version", "updated_at"])


def _check(defect: Defect) -> None:
    """Refuse what the constraints of the table would."""
    if not defect.comment.strip() or len(defect.comment) > COMMENT_LENGTH:
        raise CommentInvalid(length=len(defect.comment))
    if not EARLIEST <= defect.timestamp <= defect.updated_at + CLOCK_TOLERANCE:
        raise TimestampOutOfRange(timestamp=defect.timestamp.isoformat())


def _plain(user_id: Any) -> int | str:
    """Return a user's id as JSON holds it: the host's user model may have ids of any type."""
    return user_id if isinstance(user_id, int) else str(user_id)
