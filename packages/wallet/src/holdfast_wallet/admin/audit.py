"""The hash chain."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from holdfast_wallet.admin.window import WindowAdmin
from holdfast_wallet.models import Seal


@admin.register(Seal)
class SealAdmin(WindowAdmin):
    """Which transfers are sealed, and by what."""

    list_display = ("id", "first_number", "last_number", "transfer_count", "digest", "sealed_at")
    fields = (("first_number", "last_number", "transfer_count"), "previous_digest", "digest", "sealed_at")
    ordering = ("-id",)
    search_help_text = "The beginning of a digest, or the number of a transfer."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Seal], search_term: str
    ) -> tuple[QuerySet[Seal], bool]:
        """Search by digest, or by the number of a transfer that the seal covers."""
        term = search_term.strip()
        wanted = Q(digest__startswith=term) if term else Q()
        if term.isascii() and term.isdigit() and len(term) < 19:
            wanted |= Q(first_number__lte=int(term), last_number__gte=int(term))
        return queryset.filter(wanted), False
