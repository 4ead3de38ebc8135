"""E-mail, through Django's e-mail API: SMTP, or whatever ``django-anymail`` speaks with."""

import smtplib
from collections.abc import Mapping
from typing import Any

import django
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string

from holdfast.outbox import DeliveryFailed, GiveUp
from holdfast_catalog_notify.ports import Message

# A provider has read the request and does not want it; what it says of keys or limits somebody will put right.
REFUSED = frozenset({400, 413, 422})
PERMANENT = range(500, 600)


class EmailChannel:
    """Sends one mail for each message, to one recipient.

    Without ``backend`` the host's own e-mail settings hold, from Django 6.1 on those of the mailer ``using``. With it
    that backend is made with ``backend_options``, so that one channel can be SMTP and the one that takes over from it
    Amazon SES. ``Message-ID`` is made of the message's id at ``domain``, the same each time. ``from_email`` is
    ``DEFAULT_FROM_EMAIL`` by default.

    Neither SMTP nor a provider's API knows idempotency: after a crash between the acceptance of a mail and its being
    written down, it is sent again, and most mailboxes then show one mail or two of the same ``Message-ID``. With
    ``at_most_once`` such a mail is not sent again but waits, dead, for a person.
    """

    digests = True
    needs_address = False

    def __init__(
        self,
        *,
        backend: str = "",
        backend_options: Mapping[str, Any] | None = None,
        using: str = "",
        from_email: str | None = None,
        domain: str = "holdfast.invalid",
        at_most_once: bool = False,
    ) -> None:
        self.at_most_once = at_most_once
        self._backend = import_string(backend) if backend else None
        self._backend_options = dict(backend_options or {})
        if django.VERSION >= (6, 1):
            # Its backends want to know under which name they are a mailer.
            self._backend_options.setdefault("alias", "holdfast_catalog_notify")
        # The default's name is left out: before Django 6.1 there are no others, and no such argument.
        self._using: dict[str, Any] = {"using": using} if using else {}
        self._from_email = from_email
        self._domain = domain

    def send(self, message: Message) -> str:
        """Send the mail; return the provider's id of it or, where there is none, its ``Message-ID``."""
        if not (message.recipient.address or message.recipient.email):
            raise GiveUp("The admin has no e-mail address.")
        mail = self._mail(message)
        try:
            taken = (
                self._backend(**self._backend_options).send_messages([mail])
                if self._backend
                else mail.send(**self._using)
            )
        except (smtplib.SMTPException, OSError) as error:
            raise _failure(error) from error
        except Exception as error:
            # Anymail's own errors, which are of no common base where Anymail is not installed.
            raise _of_provider(error) from error
        if not taken:
            raise DeliveryFailed("The mail backend took nothing.")
        status = getattr(mail, "anymail_status", None)
        return str(getattr(status, "message_id", None) or mail.extra_headers["Message-ID"])

    def _mail(self, message: Message) -> EmailMultiAlternatives:
        headers = {"Message-ID": f"<{message.id}@{self._domain}>", "Auto-Submitted": "auto-generated"}
        if message.unsubscribe_url:
            # RFC 8058: the mailbox's own button, without a visit.
            headers["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail = EmailMultiAlternatives(
            subject=message.subject,
            body=message.text,
            from_email=self._from_email,
            to=[message.recipient.address or message.recipient.email],
            headers=headers,
        )
        mail.attach_alternative(message.html, "text/html")
        return mail


def _failure(error: Exception) -> DeliveryFailed:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _answer in error.recipients.values()]
        return DeliveryFailed(str(error), final=all(code in PERMANENT for code in codes))
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return DeliveryFailed(str(error))  # somebody will put the password right
    if isinstance(error, smtplib.SMTPResponseException):
        return DeliveryFailed(str(error), status=error.smtp_code, final=error.smtp_code in PERMANENT)
    if status := getattr(error, "status_code", None):  # Anymail's, which are OSErrors with requests
        return DeliveryFailed(str(error), status=status, final=status in REFUSED)
    return DeliveryFailed(f"{type(error).__name__}: {error}")


def _of_provider(error: Exception) -> Exception:
    status = getattr(error, "status_code", None)
    if status:
        return DeliveryFailed(str(error), status=status, final=status in REFUSED)
    if type(error).__name__ == "AnymailRecipientsRefused":
        return GiveUp(str(error))
    return DeliveryFailed(f"{type(error).__name__}: {error}")
