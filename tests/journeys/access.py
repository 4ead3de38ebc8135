"""Who may call what: the page of reference, made by asking.

::

    python -m tests.journeys.access     write it; a test tells when it differs from what the API does

Each operation is called by nobody, by a customer, by staff without any permission and by a superuser. Who is not told
that he is unknown, or may not, has come in; what he may do there with which object is another question. It needs no
database of yours: the one that it makes is gone afterwards.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from tests.journeys.openapi import Operation

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "access.md"
SHUT = {"holdfast.not_authenticated", "holdfast.permission_denied"}
HEAD = """# Who may call what

Made by asking (`nox -s access`): each operation is called by everybody. Whoever comes in acts on what is his;
somebody else's objects are not found.

| | | nobody | customer | staff | superuser |
| --- | --- | --- | --- | --- | --- |
"""


def row(operation: Operation) -> str:
    """Return the line of an operation."""
    # Only here: Django has to be set up for it.
    from tests.journeys.calling import call, make_operator, make_person

    callers = (None, make_person(), make_person(is_staff=True), make_operator())
    answers = [call(operation, person=caller) for caller in callers]
    comes_in = [
        answer.streaming or answer.status_code not in (401, 403) or answer.json()["code"] not in SHUT
        for answer in answers
    ]
    for answer in answers:
        answer.close()
    marks = " | ".join("yes" if may else "" for may in comes_in)
    return f"| {operation.method.upper()} | `{operation.path}` | {marks} |"


def page() -> str:
    """Return the whole page."""
    from tests.journeys.calling import everything

    return HEAD + "\n".join(map(row, everything())) + "\n"


def main() -> None:
    """Write the page."""
    os.environ["DATABASE_URL"] = "sqlite://:memory:"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    import django
    from django.test.utils import setup_databases, setup_test_environment

    django.setup()
    logging.disable()
    setup_test_environment()
    setup_databases(verbosity=0, interactive=False)
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
