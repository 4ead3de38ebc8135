"""What a page of the list of defects costs: the first one and the last, however the list is filtered and ordered."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks import django_host
from benchmarks.report import Bar, Report, Table
from benchmarks.servers import Postgres
from benchmarks.wallet.reading import ENOUGH_MILLISECONDS, DatabaseTime

URL = "/api/defects"
# Of 200 defects, but one: the way to the last page leads past one that it does not show.
PAGE = {"page_size": 199}
BACK = {"-created_at": "created_at", "created_at": "-created_at", "-timestamp": "timestamp", "timestamp": "-timestamp"}

# A thousand reporters; most defects are closed, one in ten thousand is in repair; one comment in a hundred thousand has
# a word of its own. The ids are UUIDv7, a second apart.
_FILL = """
    INSERT INTO holdfast_defects_defect
        (id, user_id, comment, timestamp, severity, state, version, created_at, updated_at)
    SELECT (lpad(to_hex(1700000000000 + number * 1000), 12, '0') || '70008' || substr(md5(number::text), 1, 15))::uuid,
           1 + number %% 1000,
           'The lift of house ' || number %% 977 || ' stops between two floors, and ' || md5(number::text)
               || CASE WHEN number %% 100000 = 0 THEN ' the gondola swings.' ELSE ' its door does not open.' END,
           to_timestamp(1700000000 + number - (number * 7919) %% 86400),
           (ARRAY['low', 'medium', 'high', 'critical'])[1 + number %% 4],
           CASE WHEN number %% 10000 = 0 THEN 'in_repair' WHEN number %% 20 = 0 THEN 'reported' ELSE 'closed' END,
           1, to_timestamp(1700000000 + number), to_timestamp(1700000000 + number)
    FROM generate_series(1::bigint, %s) AS number"""


@dataclass(frozen=True)
class Options:
    """How many defects to list, and how often."""

    defects: int
    times: int


def run(postgres: Postgres, options: Options, result: Report, say: Callable[[str], None]) -> None:
    """Fill a database, read it page by page and report."""
    url = postgres.database("bench_defects")
    try:
        _set_up(url, options, say)
        _measure(options, result, say)
    finally:
        from django.db import connection

        connection.close()
        postgres.drop("bench_defects")


def _set_up(url: str, options: Options, say: Callable[[str], None]) -> None:
    apps = ("rest_framework", "holdfast", "holdfast_defects")
    django_host.configure(url, *apps, ROOT_URLCONF="benchmarks.defects.urls", ALLOWED_HOSTS=["*"])
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    say(f"{options.defects:,} defects")
    get_user_model().objects.bulk_create(get_user_model()(username=str(number)) for number in range(1000))
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [options.defects])
        cursor.execute("VACUUM ANALYZE holdfast_defects_defect")


def _measure(options: Options, result: Report, say: Callable[[str], None]) -> None:
    from django.contrib.auth import get_user_model
    from django.db import connection
    from rest_framework.test import APIClient

    client, clock = APIClient(), DatabaseTime(connection)
    client.force_authenticate(get_user_model().objects.first())

    def page(query: dict[str, Any]) -> Callable[[], Any]:
        return lambda: client.get(URL, PAGE | query).json()["results"]

    rows, ratios = [], {}
    for name, query in _QUERIES.items():
        say(name)
        first, last = page(query), page(query | _way_to_the_end(client, query))
        database = [clock.measure(call, 5)["database"] for call in (first, last)]
        turns = [(_milliseconds(first), _milliseconds(last)) for _turn in range(_turns(first, options))]
        ratios[name] = statistics.median(last / first for first, last in turns)
        whole = [statistics.median(times) for times in zip(*turns, strict=True)]
        rows.append([name, *(f"{value:.1f}" for value in (*database, *whole)), f"{ratios[name]:.2f}"])
        result.numbers[name] = {"database": database, "whole": turns}
    head = ["list", "first page, database", "last, database", "first page, whole", "last, whole", "last ÷ first"]
    note = (
        "Milliseconds, median: of PostgreSQL for its statements, and of the whole request within the process. "
        "The two pages are read in turns; the ratio is the median of the turns'."
    )
    result.tables.append(Table(f"A page of {PAGE['page_size']} of {options.defects:,} defects", head, rows, note))
    worst = max(ratios, key=ratios.__getitem__)
    reached = f"{ratios[worst]:.2f} ({worst})"
    result.bars.append(Bar("the last page, by the first", "at most 1.5", reached, met=ratios[worst] <= 1.5))


def _milliseconds(call: Callable[[], Any]) -> float:
    before = time.perf_counter()
    call()
    return (time.perf_counter() - before) * 1000


def _turns(call: Callable[[], Any], options: Options) -> int:
    """Return how many turns to take: a page that takes long is not read so often."""
    return max(5, min(options.times, int(ENOUGH_MILLISECONDS / _milliseconds(call))))


def _way_to_the_end(client: Any, query: dict[str, Any]) -> dict[str, Any]:
    """Return the cursor of the last page: the place behind the first page of the list in the opposite order."""
    opposite = query | {"ordering": BACK[query.get("ordering", "-created_at")]}
    link = client.get(URL, {"page_size": 200} | opposite).json()["next"]
    return {"cursor": parse_qs(urlsplit(link).query)["cursor"][0]} if link else {}


_QUERIES: dict[str, dict[str, Any]] = {
    "all, the newest first": {},
    "all, the oldest first": {"ordering": "created_at"},
    "all, by when they were seen": {"ordering": "-timestamp"},
    "of one user": {"user": 7},
    "of one user, by when they were seen": {"user": 7, "ordering": "-timestamp"},
    "closed (95 %)": {"state": "closed"},
    "reported (5 %)": {"state": "reported"},
    "in repair (0.01 %)": {"state": "in_repair"},
    "in repair, by when they were seen": {"state": "in_repair", "ordering": "-timestamp"},
    "critical": {"severity": "critical"},
    "seen within a day": {"since": "2023-11-20T00:00:00Z", "until": "2023-11-21T00:00:00Z"},
    "seen within a day, by when": {
        "since": "2023-11-20T00:00:00Z",
        "until": "2023-11-21T00:00:00Z",
        "ordering": "-timestamp",
    },
    "with a common word": {"search": "lift"},
    "with a rare word": {"search": "gondola"},
    "with a word that no comment has": {"search": "submarine"},
}
