"""A mailbox in a folder, for the demo: mails are files, and the pages show them as a mailbox would.

``MailboxBackend`` is an e-mail backend; where ``MAILBOX_DIR`` is not set, there is no mailbox.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedMail
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone
from django.utils.functional import cached_property

from holdfast.ids import uuid7
from storefront.exceptions import MailNotFound

# The oldest are thrown away: a demo that runs for weeks fills no disk.
KEPT = 500
_NAME = re.compile(r"[0-9a-f-]{36}")
# Who shows where a mail came from and how it can be stopped, shows these.
SHOWN_HEADERS = ("Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted", "Content-Type")


class MailboxBackend(BaseEmailBackend):
    """Writes each mail to a file of its own, whole or not at all."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep the mails; return how many."""
        folder = Path(settings.MAILBOX_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        for mail in email_messages:
            name = str(uuid7())  # begins with the time: the names sort by age
            unfinished = folder / f".{name}"
            # Django 5.2 and 6.0 differ in how a mail is asked for its lines to end as they travel.
            unfinished.write_bytes(b"\r\n".join(mail.message().as_bytes().splitlines()) + b"\r\n")
            unfinished.rename(folder / f"{name}.eml")
        empty(but=KEPT)
        return len(email_messages)


@dataclass(frozen=True)
class Mail:
    """One mail, as it was sent."""

    name: str
    raw: bytes

    @cached_property
    def _parsed(self) -> ParsedMail:
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def subject(self) -> str:
        return str(self._parsed.get("Subject", ""))

    @property
    def sender(self) -> str:
        return str(self._parsed.get("From", ""))

    @property
    def to(self) -> str:
        return str(self._parsed.get("To", ""))

    @property
    def at(self) -> dt.datetime:
        """When it says that it was sent."""
        try:
            return parsedate_to_datetime(str(self._parsed["Date"])).astimezone(dt.UTC)
        except (TypeError, ValueError):
            return timezone.now()

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers that say how it can be recognized and stopped."""
        return [(name, str(self._parsed[name])) for name in SHOWN_HEADERS if name in self._parsed]

    @property
    def text(self) -> str:
        """The part in plain text."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The part in HTML, which nobody shows without a sandbox around it."""
        return self._part("html")

    def _part(self, kind: str) -> str:
        part: Any = self._parsed.get_body((kind,))
        return str(part.get_content()) if part is not None else ""


def mails(*, to: str = "", limit: int = 100) -> list[Mail]:
    """Return the newest mails, or the newest to one address."""
    found = []
    for mail in _all():
        if not to or to.lower() in mail.to.lower():
            found.append(mail)
            if len(found) == limit:
                break
    return found


def get_mail(*, name: str) -> Mail:
    """Return a mail. Raises ``MailNotFound``."""
    try:
        if settings.MAILBOX_DIR and _NAME.fullmatch(name):
            return Mail(name, (Path(settings.MAILBOX_DIR) / f"{name}.eml").read_bytes())
    except FileNotFoundError:
        pass
    raise MailNotFound(name=name[:40])


def empty(*, but: int = 0) -> None:
    """Throw all mails away but the newest."""
    for path in _newest_first()[but:]:
        path.unlink(missing_ok=True)


def _all() -> Iterator[Mail]:
    for path in _newest_first():
        try:
            yield Mail(path.stem, path.read_bytes())
        except FileNotFoundError:
            continue  # thrown away meanwhile


def _newest_first() -> list[Path]:
    if not settings.MAILBOX_DIR:
        return []
    return sorted(Path(settings.MAILBOX_DIR).glob("*.eml"), reverse=True)
