"""Dead letters: replay or discard them."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import ngettext

from holdfast.outbox import deadletters
from holdfast.outbox.admin.window import named
from holdfast.outbox.models import OutboxDeadLetter, Resolution
from holdfast.windows import LookAdmin


class DiscardForm(forms.Form):
    """Asks why."""

    reason = forms.CharField(max_length=200)


@admin.register(OutboxDeadLetter)
class DeadLetterAdmin(LookAdmin):
    """What was given up. Its events are kept until somebody decides."""

    list_display = ["died_at", "event_id", "told", "attempts", "excerpt", "resolution", "resolved_at"]
    list_filter = ["resolution", "subscriber"]
    list_select_related = ["subscriber__webhook_endpoint"]
    fields = ["event", "told", "attempts", "error", "died_at", "resolution", "resolved_at"]
    readonly_fields = ["told"]
    ordering = ["-died_at"]
    actions = ["replay", "discard"]

    @admin.display(description="subscriber", ordering="subscriber__name")
    def told(self, letter: OutboxDeadLetter) -> str:
        """Say who was to be told."""
        return named(letter.subscriber)

    @admin.display(description="error")
    def excerpt(self, letter: OutboxDeadLetter) -> str:
        """Show the beginning of the last error."""
        return letter.error[:120]

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Whether this user decides on dead letters: who may change them, although nobody edits one."""
        return request.user.has_perm("holdfast.change_outboxdeadletter")

    @admin.action(description="Replay", permissions=["resolve"])
    def replay(self, request: HttpRequest, queryset: QuerySet[OutboxDeadLetter]) -> None:
        """Queue them again."""
        count = deadletters.replay(queryset)
        text = ngettext("%d event is delivered again.", "%d events are delivered again.", count) % count
        self.message_user(request, text, messages.SUCCESS)

    @admin.action(description="Discard", permissions=["resolve"])
    def discard(self, request: HttpRequest, queryset: QuerySet[OutboxDeadLetter]) -> HttpResponse | None:
        """Close them without delivering, once somebody has said why; the reason is in each one's history."""
        confirmed = "confirmed" in request.POST
        form = DiscardForm(request.POST if confirmed else None)
        open_ones = queryset.filter(resolution=Resolution.OPEN)
        if not (confirmed and form.is_valid()):
            context = {
                **self.admin_site.each_context(request),
                "title": "Discard dead letters",
                "opts": self.opts,
                "form": form,
                "letters": open_ones,
                # What was chosen, not what is open: of nothing, Django would say that nothing was chosen.
                "chosen": queryset,
                "checkbox": ACTION_CHECKBOX_NAME,
            }
            return TemplateResponse(request, "admin/holdfast/outboxdeadletter/discard.html", context)
        letters = list(open_ones)
        count = deadletters.discard(queryset)
        for letter in letters:
            self.log_change(request, letter, f"Discarded: {form.cleaned_data['reason']}")
        text = ngettext("%d event was discarded.", "%d events were discarded.", count) % count
        self.message_user(request, text, messages.SUCCESS)
        return None
