"""The operation that gives the ledger its law: the SQL of the database at hand, from a file that can be read.

A later migration that alters one of these tables on SQLite must take the law away first and give it again afterwards: there,
altering a table means building a new one, and the triggers of the old one go with it.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import NotSupportedError, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_FOLDER = Path(__file__).parent / "sql"


def give(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Install the triggers and the view."""
    _run(schema_editor, schema_editor.connection.vendor)


def take(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Remove them."""
    _run(schema_editor, f"{schema_editor.connection.vendor}_reverse")


def script(name: str) -> str:
    """Return the text of the law for a kind of database, or of what takes it away."""
    path = _FOLDER / f"{name}.sql"
    if not path.exists():
        raise NotSupportedError(f"The wallet's ledger has no law for {name.removesuffix('_reverse')}.")
    return path.read_text()


def _run(schema_editor: BaseDatabaseSchemaEditor, name: str) -> None:
    text = script(name)
    with schema_editor.connection.cursor() as cursor:
        # PostgreSQL takes a whole script, SQLite one statement at a time.
        for statement in _statements(text) if schema_editor.connection.vendor == "sqlite" else [text]:
            cursor.execute(statement)


def _statements(text: str) -> Iterator[str]:
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


class GiveLaw(migrations.RunPython):
    """Give the ledger its law; reversible."""

    def __init__(self) -> None:
        super().__init__(give, take)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how this is written in a migration."""
        return type(self).__name__, [], {}
