"""The one kind of index that Django does not have in a form that every host can use."""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement
from django.db.models import Index, Model


class BlockRangeIndex(Index):
    """A BRIN index on PostgreSQL: a few pages, for values that grow as the rows do. A plain one elsewhere.

    Django's own makes each host install ``django.contrib.postgres``, of which we use nothing else: from 6.1 on its
    checks say so, even on SQLite.
    """

    def create_sql(
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **kwargs: Any
    ) -> Statement:
        """Return the statement, with the method that the database has."""
        method = " USING brin" if schema_editor.connection.vendor == "postgresql" else using
        return super().create_sql(model, schema_editor, using=method, **kwargs)
