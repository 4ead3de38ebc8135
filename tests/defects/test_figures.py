"""What the defects tell whoever watches."""

import pytest

from holdfast_defects import selectors
from holdfast_defects.states import DefectState
from holdfast_defects.testing import make_defect

pytestmark = pytest.mark.django_db


def test_defects_are_counted_by_state_with_those_that_there_are_none_of():
    make_defect()
    make_defect(state=DefectState.TRIAGED)
    make_defect(state=DefectState.TRIAGED)
    (figure,) = selectors.figures()

    assert (figure.name, figure.label) == ("defects", "state")
    assert figure.value == dict.fromkeys(DefectState.values, 0) | {"reported": 1, "triaged": 2}
