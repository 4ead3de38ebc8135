"""Events, their subscribers, and the log of attempts: to look at."""

import json
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from holdfast.outbox.admin.window import named
from holdfast.outbox.models import OutboxAttempt, OutboxDeadLetter, OutboxDelivery, OutboxEvent, OutboxSubscriber
from holdfast.windows import LookAdmin


@admin.register(OutboxEvent)
class EventAdmin(LookAdmin):
    """What was told. The search box takes an event's id."""

    list_display = ["occurred_at", "type", "key", "uid", "routed"]
    ordering = ["-id"]
    search_fields = ["uid"]
    search_help_text = "An event's id, or its sequence number."
    fields = ["uid", "id", "type", "key", "occurred_at", "routed", "fields_told", "headers", "whereabouts"]

    def get_search_results(
        self, _request: HttpRequest, queryset: QuerySet[OutboxEvent], search_term: str
    ) -> tuple[QuerySet[OutboxEvent], bool]:
        """Find an event by its id; nothing else is indexed."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.isascii() and term.isdigit() and len(term) < 19:
            return queryset.filter(pk=int(term)), False
        try:
            return queryset.filter(uid=UUID(term)), False
        except ValueError:
            return queryset.none(), False

    @admin.display(description="payload")
    def fields_told(self, event: OutboxEvent) -> SafeString:
        """Show the payload, to be read."""
        return format_html("<pre>{}</pre>", json.dumps(event.payload, indent=2, ensure_ascii=False))

    @admin.display(description="whereabouts")
    def whereabouts(self, event: OutboxEvent) -> SafeString | str:
        """Say where the event is now: what waits, what was tried, what was given up."""
        subscribers = list(OutboxSubscriber.objects.values_list("pk", flat=True))
        mine = {"event_id": event.pk, "subscriber_id__in": subscribers}
        lines: list[tuple[str]] = []
        lines += [
            (f"waits for {waiting.subscriber} after {waiting.attempts} attempts",)
            for waiting in OutboxDelivery.objects.filter(part=event.part, **mine).select_related("subscriber")
        ]
        for attempt in OutboxAttempt.objects.filter(**mine).select_related("subscriber").order_by("at"):
            word = "delivered to" if attempt.succeeded else "refused by"
            lines.append((f"{attempt.at:%Y-%m-%d %H:%M:%S} {word} {attempt.subscriber}: {attempt.detail[:200]}",))
        for letter in OutboxDeadLetter.objects.filter(event=event).select_related("subscriber").order_by("pk"):
            lines.append((f"{letter.died_at:%Y-%m-%d %H:%M:%S} dead for {letter.subscriber} ({letter.resolution})",))
        if not lines:
            return "Delivered to whoever wanted it." if event.routed else "Waits to be routed."
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", lines))


@admin.register(OutboxSubscriber)
class SubscriberAdmin(LookAdmin):
    """Who is told."""

    list_display = ["called", "kind", "created_at"]
    list_select_related = ["webhook_endpoint"]
    list_filter = ["kind"]
    search_fields = ["name", "webhook_endpoint__name"]

    @admin.display(description="name", ordering="name")
    def called(self, subscriber: OutboxSubscriber) -> str:
        """Return its name, or its endpoint's."""
        return named(subscriber)


@admin.register(OutboxAttempt)
class AttemptAdmin(LookAdmin):
    """What was tried."""

    list_display = ["at", "told", "event_id", "number", "succeeded", "status", "duration_ms", "excerpt"]
    list_select_related = ["subscriber__webhook_endpoint"]
    list_filter = ["subscriber"]
    ordering = ["-at"]

    @admin.display(description="subscriber", ordering="subscriber__name")
    def told(self, attempt: OutboxAttempt) -> str:
        """Say who was to be told."""
        return named(attempt.subscriber)

    @admin.display(description="detail")
    def excerpt(self, attempt: OutboxAttempt) -> str:
        """Show the beginning of what was said."""
        return attempt.detail[:120]
