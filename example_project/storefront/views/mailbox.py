"""The mailbox of the demo: what was mailed, to whom, and how it looks."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.clickjacking import xframe_options_sameorigin

from storefront import mailbox
from storefront.pages import AdminPage

# The mail can do nothing: no script, no form, no style but its own, no picture from elsewhere.
SANDBOX = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
# Links of a mail open beside it.
HEAD, BESIDE = "<head>", '<head><base target="_blank">'


class MailboxPage(AdminPage):
    """A page of the mailbox, where there is one."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, or say that there is none."""
        if not settings.MAILBOX_DIR:
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class MailboxView(MailboxPage):
    """The newest mails."""

    template_name = "storefront/mailbox/list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather them."""
        to = self.request.GET.get("to", "")[:254]
        return super().get_context_data(mails=mailbox.mails(to=to), to=to, **kwargs)


class MailLinesView(MailboxView):
    """The lines of the list alone."""

    template_name = "storefront/mailbox/lines.html"


class MailView(MailboxPage):
    """One mail, with both of its parts and the headers by which it can be stopped."""

    template_name = "storefront/mailbox/mail.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Open it."""
        return super().get_context_data(mail=mailbox.get_mail(name=str(kwargs["name"])), **kwargs)


class MailHtmlView(MailboxPage):
    """The HTML of a mail, for the frame that it is shown in."""

    def get(self, request: HttpRequest, *_args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send it as it is, and forbid it everything."""
        return _framed(request, mailbox.get_mail(name=str(kwargs["name"])).html)


@xframe_options_sameorigin
def _framed(_request: HttpRequest, html: str) -> HttpResponse:
    headers = {
        "Content-Security-Policy": SANDBOX,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(BESIDE + html, headers=headers)
