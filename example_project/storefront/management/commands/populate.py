"""``manage.py populate``: a town, its people, half a year of their money, what is broken, and what they buy."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

from storefront import catalog_story, defect_story, demo, market_story


class Command(BaseCommand):
    """Fills a database with the demo, once."""

    help = "Load the demo data through the public verbs; where it is there already, nothing is changed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether there are tables, and whether anybody needs the database before this has ended."""
        parser.add_argument("--migrate", action="store_true", help="Apply the migrations first.")
        parser.add_argument(
            "--unsynced",
            action="store_true",
            help="SQLite: do not wait for the disk; for a file that is made again if this is interrupted.",
        )

    def handle(self, *_args: Any, migrate: bool, unsynced: bool, **options: Any) -> None:
        """Tell the story unless it is told, and say who can sign in."""
        try:
            connection.ensure_connection()
        except OperationalError as error:
            raise CommandError(f"The database does not answer: {error}") from None
        if unsynced and connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA synchronous=OFF")
        if migrate:
            call_command("migrate", verbosity=0, skip_checks=options["skip_checks"])
        self._tell()
        self._name_people()

    def _tell(self) -> None:
        if demo.is_told():
            self.stderr.write("The demo data is there already.")
        else:
            demo.Story(self._progress).tell()
        if not defect_story.is_told():
            defect_story.tell()
        if not catalog_story.is_told():
            catalog_story.tell()
        if not market_story.is_told():
            market_story.tell()

    def _name_people(self) -> None:
        self.stdout.write("Sign in with one of these names; each has the password " + demo.PASSWORD)
        self.stdout.write(f"  {demo.ADMIN:<8} the back office, and the catalog")
        for admin in catalog_story.ADMINS:
            self.stdout.write(f"  {admin.username:<8} {admin.first_name} {admin.last_name}, admin of the catalog")
        for customer in demo.CUSTOMERS[:3]:
            self.stdout.write(f"  {customer.username:<8} {customer.first_name} {customer.last_name}, customer")
        for artisan in demo.ARTISANS[:2]:
            self.stdout.write(f"  {artisan.username:<8} {artisan.first_name} {artisan.last_name}, artisan")

    def _progress(self, what: str, done: int, total: int) -> None:
        # Progress goes where errors go: what is printed stays clean for whoever keeps it.
        if self.stderr.isatty():
            self.stderr.write(f"\r{what}: {done}/{total} ", ending="\n" if done == total else "")
        elif done == total:
            self.stderr.write(f"{what}: {total}")
