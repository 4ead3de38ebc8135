"""Dead letters: replay or discard them."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import ngettext

from holdfast.outbox import deadletters
from holdfast.outbox.admin.window import WindowAdmin
from holdfast.outbox.models import OutboxDeadLetter


@admin.register(OutboxDeadLetter)
class DeadLetterAdmin(WindowAdmin):
    """What was given up. Its events are kept until somebody decides."""

    list_display = ["died_at", "event", "subscriber", "attempts", "excerpt", "resolution", "resolved_at"]
    list_filter = ["resolution", "subscriber"]
    list_select_related = ["event", "subscriber"]
    ordering = ["-died_at"]
    actions = ["replay", "discard"]

    @admin.display(description="error")
    def excerpt(self, letter: OutboxDeadLetter) -> str:
        """Show the beginning of the last error."""
        return letter.error[:120]

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Whether this user decides on dead letters: who may change them, although nobody edits one."""
        return request.user.has_perm("holdfast.change_outboxdeadletter")

    @admin.action(description="Deliver again", permissions=["resolve"])
    def replay(self, request: HttpRequest, queryset: QuerySet[OutboxDeadLetter]) -> None:
        """Queue them again."""
        count = deadletters.replay(queryset)
        text = ngettext("%d event is delivered again.", "%d events are delivered again.", count) % count
        self.message_user(request, text, messages.SUCCESS)

    @admin.action(description="Discard", permissions=["resolve"])
    def discard(self, request: HttpRequest, queryset: QuerySet[OutboxDeadLetter]) -> None:
        """Close them without delivering."""
        count = deadletters.discard(queryset)
        text = ngettext("%d event was discarded.", "%d events were discarded.", count) % count
        self.message_user(request, text, messages.SUCCESS)
