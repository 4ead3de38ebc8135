"""What every project would write first: a call with httpx, then two rows in one transaction.

What it guarantees: nothing. A lost answer is a lost card, a double click two of them.
"""

import uuid

import httpx

from benchmarks import django_host
from benchmarks.client import repeat

TABLES = """
    CREATE TABLE bare_card (id uuid PRIMARY KEY, holder_id integer NOT NULL, color varchar(30) NOT NULL,
        provider_card_id varchar(255) UNIQUE, state varchar(10) NOT NULL, expires_on date);
    CREATE TABLE bare_log (id bigserial PRIMARY KEY, card_id uuid NOT NULL REFERENCES bare_card, what varchar(30));
"""


class Client:
    def __init__(self, url: str, provider: str) -> None:
        django_host.configure(url)
        from django.db import connection, transaction

        self.connection, self.transaction = connection, transaction
        self.http = httpx.Client(base_url=provider, timeout=10, trust_env=False)

    def prepare(self) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(TABLES)

    def issue(self, start: float, seconds: float) -> dict[str, float]:
        """Order cards, one after the other."""
        return repeat(self._issue, start=start, seconds=seconds)

    def _issue(self) -> None:
        answer = self.http.post("/api/v2/card/", json={"user_id": "1", "color": "COLOR_1"})
        answer.raise_for_status()
        card, card_id = answer.json(), uuid.uuid4()
        row = [card_id, 1, "pink", card["id"], "ordered", card["expiration_date"]]
        with self.transaction.atomic(), self.connection.cursor() as cursor:
            cursor.execute("INSERT INTO bare_card VALUES (%s, %s, %s, %s, %s, %s)", row)
            cursor.execute("INSERT INTO bare_log (card_id, what) VALUES (%s, 'ordered')", [card_id])

    def cards(self) -> int:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM bare_card")
            return cursor.fetchone()[0]
