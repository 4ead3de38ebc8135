"""What the logs say of a failure, and what they keep to themselves."""

import json
import logging
import sys

from config import logs


class Rows:
    """As a queryset, which asks the database when it is written down."""

    asked = 0

    def __repr__(self) -> str:
        """Count, and give away what was found."""
        Rows.asked += 1
        return "<Rows: hunter2>"


def test_a_failure_is_told_with_its_way_and_without_the_values_that_were_at_hand():
    values = logs.configure(level="INFO", as_json=True)["formatters"]["structured"]
    formatter = values.pop("()")(**values)

    def look_for(rows: Rows) -> None:
        raise LookupError(f"Nothing in {type(rows).__name__}.")

    try:
        look_for(Rows())
    except LookupError:
        record = logging.LogRecord("market", logging.ERROR, __file__, 1, "It failed.", (), sys.exc_info())
    text = formatter.format(record)

    (failure,) = json.loads(text)["exception"]
    assert (failure["exc_type"], failure["exc_value"]) == ("LookupError", "Nothing in Rows.")
    assert failure["frames"][-1]["name"] == "look_for"
    # Under the log's own lock: a database that does not answer would keep every other thread of the process waiting.
    assert Rows.asked == 0
    assert "hunter2" not in text
