"""``wallet_statement``: an account's lines as a CSV file."""

import csv
import datetime as dt
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from holdfast_wallet import selectors
from holdfast_wallet.management.progress import ProgressBar
from holdfast_wallet.models import Account

BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Command(BaseCommand):
    """Write the statement of any account, however long, as CSV."""

    help = "Write the statement of an account as CSV, to a file or to standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the account, the period and the file."""
        parser.add_argument("account", help="The account's id.")
        parser.add_argument("--start", help="The first moment, in ISO 8601; the beginning of time when left out.")
        parser.add_argument("--end", help="The moment after the last, in ISO 8601; now when left out.")
        parser.add_argument("--output", type=Path, help="A file; standard output when left out.")
        parser.add_argument(
            "--progress", action=BooleanOptionalAction, help="Draw a progress bar on stderr (default: on a terminal)."
        )

    def handle(self, *, account: str, output: Path | None, progress: bool | None, **options: Any) -> None:
        """Write line by line."""
        found = _account(account)
        statement = selectors.statement(
            account_id=found.pk,
            owner_id=found.owner_id,
            start=_moment(options["start"]) or BEGINNING,
            end=_moment(options["end"]) or timezone.now(),
        )
        bar = ProgressBar(options.get("stderr") or sys.stderr, shown=progress)
        target = nullcontext(self.stdout) if output is None else output.open("w", encoding="utf-8", newline="")
        with target as file:
            writer = csv.writer(file, lineterminator="\n")
            for number, row in enumerate(statement.rows()):
                writer.writerow(row)
                if number % 1_000 == 0:
                    bar.show("lines", number, statement.line_count)
        bar.clear()


def _account(text: str) -> Account:
    try:
        return Account.objects.get(pk=UUID(text))
    except (ValueError, Account.DoesNotExist):
        raise CommandError(f"There is no account {text!r}.") from None


def _moment(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        day = parse_date(text)
        moment = parse_datetime(text) if day is None else dt.datetime.combine(day, dt.time.min)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"{text!r} is not a date or a time in ISO 8601.")
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
