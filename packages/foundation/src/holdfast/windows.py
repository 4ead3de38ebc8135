"""Windows: admin pages that nobody edits by hand, whose steps call verbs.

A step is a button on a row's page: it asks for what it needs, calls one verb, and tells what was done or why it was
refused. Built on plain ``django.contrib.admin``; a host's theme finds the same blocks.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import connections, transaction
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from holdfast.errors import Refusal

COUNTED_AT_MOST = 10_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Counts no further than anybody leafs: to count millions of rows would take the page seconds."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, or the limit."""
        queryset: QuerySet[Any] = self.object_list  # type: ignore[assignment]  # the change list's
        return queryset.order_by()[:COUNTED_AT_MOST].count()


class LookAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Rows that nobody edits: they say what happened."""

    show_full_result_count = False
    paginator = BoundedPaginator
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody edits by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes by hand."""
        return False


@dataclass(frozen=True)
class Panel:
    """A table under the fields."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    more: str = ""


@dataclass(frozen=True)
class Step:
    """A button that asks for what it needs, then calls one verb."""

    name: str
    label: str
    question: str
    permission: str
    form: type[forms.Form]
    run: Callable[[Any, dict[str, Any]], str]
    """Call the verb on a row with the cleaned values; return the sentence that says what was done."""
    offered: Callable[[Any], bool]


class WindowAdmin(LookAdmin):
    """Read-only pages with steps, panels, and a search by id or by somebody's login."""

    steps: ClassVar[Sequence[Step]] = ()
    change_form_template = "admin/holdfast/window.html"
    list_max_show_all = 50
    search_fields = ("id",)
    search_help_text = "An id, or an owner's login."

    def matching_id(self, wanted: UUID) -> Q:
        """Return what an id may stand for in a search."""
        return Q(pk=wanted)

    def matching_login(self, login: str) -> Q:
        """Return which rows are somebody's, in a search by his login."""
        return Q(pk__in=())

    def panels(self, request: HttpRequest, obj: Any) -> Iterable[Panel]:
        """Return the tables to show under the fields."""
        return ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by id, or else by the owner's login, exactly: both are index look-ups in a table of any size."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(self.matching_id(UUID(term))), False
        except ValueError:
            return queryset.filter(self.matching_login(term)), False

    def get_urls(self) -> list[URLPattern]:
        """Add a page for each step."""
        wrap = self.admin_site.admin_view
        extra = [
            path(
                f"<uuid:pk>/{step.name}/",
                wrap(self._step_view(step)),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{step.name}",
            )
            for step in self.steps
        ]
        return [*extra, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the row with its panels and the steps that it allows."""
        row = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if row is not None and self.has_view_permission(request, row):
            context["panels"] = list(self.panels(request, row))
            context["steps"] = [
                {"label": step.label, "url": self._url(step, row)}
                for step in self.steps
                if step.offered(row) and request.user.has_perm(step.permission)
            ]
        return super().change_view(request, object_id, form_url, context)

    def attempt(self, request: HttpRequest, step: Step, row: Any, values: dict[str, Any]) -> bool:
        """Run the step on a row; tell what was done, or why it was refused."""
        try:
            done = step.run(row, values)
        except Refusal as refusal:
            self.message_user(request, f"{row}: {refusal.message}", messages.ERROR)
            return False
        self.log_change(request, row, done)
        self.message_user(request, done, messages.SUCCESS)
        return True

    def _step_view(self, step: Step) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, pk: UUID) -> HttpResponse:
            row = self.get_object(request, str(pk))
            if row is None:
                raise Http404
            if not (self.has_view_permission(request, row) and request.user.has_perm(step.permission)):
                raise PermissionDenied
            back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
            form = step.form(request.POST if request.method == "POST" else None)
            if request.method == "POST" and form.is_valid() and self.attempt(request, step, row, form.cleaned_data):
                return HttpResponseRedirect(back)
            context = {
                **self.admin_site.each_context(request),
                "title": f"{step.label}: {row}",
                "opts": self.opts,
                "original": row,
                "step": step,
                "form": form,
                "back": back,
            }
            return TemplateResponse(request, "admin/holdfast/step.html", context)

        # As the API's: a verb owns its transactions, and one that asks the outside must not be within another.
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view

    def _url(self, step: Step, row: Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{step.name}", args=[row.pk])


def link_to(model: type[Model], pk: object, text: object = None) -> SafeString | str:
    """Return a link to the page of a row."""
    if pk is None:
        return "-"
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    # The end of an id tells two of the same minute apart; its beginning is the minute.
    return format_html('<a href="{}" title="{}">{}</a>', url, pk, f"…{str(pk)[-12:]}" if text is None else text)


class SureForm(forms.Form):
    """Asks nothing but whether one is sure."""


class ReasonForm(forms.Form):
    """Asks why."""

    reason = forms.CharField(max_length=200, label=_("Reason"))
