"""``manage.py outbox_replay``: deliver dead letters, or kept events, again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware

from holdfast.outbox import deadletters
from holdfast.outbox.models import OutboxDeadLetter
from holdfast.outbox.replay import UnknownSubscriber, replay


class Command(BaseCommand):
    """The second chance."""

    help = (
        "Queues dead letters again (of one subscriber, or all). With --events, queues the kept events of a subscriber "
        "again instead, delivered or not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--subscriber", help="The name of the subscriber, as outbox_status shows it.")
        parser.add_argument("--events", nargs="+", metavar="PATTERN", help="Event types or patterns.")
        parser.add_argument("--since", type=_moment, help="Events (or deaths) not before this ISO 8601 time.")
        parser.add_argument("--until", type=_moment, help="Events (or deaths) before this ISO 8601 time.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Queue again."""
        subscriber, since, until = options["subscriber"], options["since"], options["until"]
        if options["events"]:
            if not subscriber:
                raise CommandError("Say whose events: --subscriber.")
            try:
                queued = replay(subscriber=subscriber, patterns=options["events"], since=since, until=until)
            except UnknownSubscriber:
                raise CommandError(f"There is no subscriber {subscriber!r}: see outbox_status.") from None
            self.stdout.write(f"Queued {queued} events again.")
            return
        letters = OutboxDeadLetter.objects.all()
        if subscriber:
            letters = letters.filter(subscriber__name=subscriber)
        if since:
            letters = letters.filter(died_at__gte=since)
        if until:
            letters = letters.filter(died_at__lt=until)
        self.stdout.write(f"Queued {deadletters.replay(letters)} dead letters again.")


def _moment(text: str) -> Any:
    moment = parse_datetime(text)
    if moment is None:
        raise CommandError(f"{text!r} is not a time such as 2026-01-31T12:00:00+00:00.")
    return make_aware(moment) if is_naive(moment) else moment
