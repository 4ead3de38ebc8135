"""What everybody writes first: one ``UPDATE ... + 1`` for each hit, by a plain cursor. No day, no hour, no bots."""

from benchmarks import django_host
from benchmarks.client import repeat


class Client:
    def __init__(self, url: str) -> None:
        django_host.configure(url)
        from django.db import connection

        self.connection = connection

    def prepare(self) -> None:
        """Make the table and the hot row."""
        with self.connection.cursor() as cursor:
            cursor.execute("CREATE TABLE product (id integer PRIMARY KEY, views bigint NOT NULL)")
            cursor.execute("INSERT INTO product SELECT n, 0 FROM generate_series(1, 1000) AS n")

    def connect(self) -> None:
        """Connect."""
        self.connection.ensure_connection()

    def hit(self, start: float, seconds: float) -> dict[str, float]:
        """Count hits on always the same row."""

        def operation() -> None:
            with self.connection.cursor() as cursor:
                cursor.execute("UPDATE product SET views = views + 1 WHERE id = %s", [1])

        return repeat(operation, start=start, seconds=seconds)

    def counted(self) -> int:
        """Return the total."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT sum(views) FROM product")
            return int(cursor.fetchone()[0])
