"""The refusals: one class for each, whose docstring's first line is the message."""

from holdfast import errors


class DefectsError(errors.Refusal):
    """The request about a defect was refused."""

    code = "holdfast_defects.refused"


class DefectNotFound(DefectsError, errors.NotFound):
    """There is no such defect.

    Context: ``defect_id``.
    """

    code = "holdfast_defects.defect_not_found"


class NotTheReporter(DefectsError, errors.Denied):
    """Only who reported a defect may delete it.

    Context: ``defect_id``.
    """

    code = "holdfast_defects.not_the_reporter"


class StepNotAllowed(DefectsError, errors.Conflict):
    """The defect is not in a state that allows this step.

    Context: ``defect_id``, ``state``, ``step``.
    """

    code = "holdfast_defects.step_not_allowed"


class VersionOutdated(DefectsError, errors.Conflict):
    """The defect has changed since you read it.

    Context: ``defect_id``, ``version`` (the present one).
    """

    code = "holdfast_defects.version_outdated"
    status = 412


class CommentInvalid(DefectsError, errors.Invalid):
    """A comment has 1 to 10,000 characters.

    Context: ``length``.
    """

    code = "holdfast_defects.comment_invalid"


class TimestampOutOfRange(DefectsError, errors.Invalid):
    """A defect was seen neither before 1970 nor in the future.

    Context: ``timestamp``.
    """

    code = "holdfast_defects.timestamp_out_of_range"
