"""The inbox: what the provider told, and how far its log was read."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from holdfast.windows import LookAdmin, WindowAdmin, link_to
from holdfast_cards.models import Card, Feed, Notice


@admin.register(Notice)
class NoticeAdmin(WindowAdmin):
    """Verified webhooks; those that were not verified are not kept."""

    search_help_text = "An id, the provider's id of the event, or that of the card."
    list_display = ("event_id", "type", "state", "reason", "provider_card_id", "attempts", "received_at")
    list_filter = ("state", "type", "provider")
    fields: ClassVar = (
        ("provider", "event_id", "type"),
        ("state", "reason", "attempts", "next_at"),
        ("provider_card_id", "reference", "its_card"),
        ("occurred_at", "received_at"),
        "card",
    )
    readonly_fields = ("its_card",)

    def matching_login(self, login: str) -> Q:
        """Find by what the provider calls it."""
        return Q(event_id=login) | Q(provider_card_id=login)

    @admin.display(description="our card")
    def its_card(self, notice: Notice) -> SafeString | str:
        """Return the card that it is about, if we know it."""
        known = Card.objects.filter(provider=notice.provider, provider_card_id=notice.provider_card_id)
        card = known.first() if notice.provider_card_id else None
        return "-" if card is None else link_to(Card, card.pk, card)


@admin.register(Feed)
class FeedAdmin(LookAdmin):
    """How far each provider's log of events was read."""

    list_display = ("provider", "cursor", "next_at")
