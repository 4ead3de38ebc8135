"""What pages have in common: a refusal is an answer, on the page and with its own status.

``Page`` shows, ``FormPage`` runs one verb. A verb refuses by raising, and nobody catches it in between: a form shows
the refusal above what was typed, so that nothing has to be typed again; any other page becomes the error page of that
status.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.views.generic import FormView, View
from django.views.generic.base import ContextMixin, TemplateResponseMixin

from holdfast import errors
from holdfast.api.pagination import keyset_page
from holdfast.ids import uuid7


def _id_of(request: HttpRequest) -> int:
    """Return the id of who is signed in."""
    return int(request.user.pk or 0)


class RefusalsAnswered(View):
    """Turns a refusal that a page raises into the page of its status."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except errors.NotFound as refusal:
            raise Http404(refusal.message) from refusal
        except errors.Refusal as refusal:
            return render(request, "storefront/refused.html", {"refusal": refusal}, status=refusal.status)


class OpenPage(RefusalsAnswered, TemplateResponseMixin, ContextMixin):
    """A page that shows something to everybody.

    Not Django's ``TemplateView``: that one answers with pages alone, and some of ours are files and streams.
    """

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show it."""
        return self.render_to_response(self.get_context_data(**kwargs))


class Page(LoginRequiredMixin, OpenPage):
    """A page that shows something to who is signed in."""

    @property
    def owner_id(self) -> int:
        """The scope of every question and every verb: outside it nothing exists."""
        return _id_of(self.request)


class OpenFormPage(RefusalsAnswered, FormView):  # type: ignore[type-arg]  # it takes no [Form] where it runs
    """A page with a form that runs one verb, for everybody."""

    done = ""

    def run(self, form: Form) -> Any:
        """Run the verb and return its result."""
        return form.save()  # type: ignore[attr-defined]  # a form that has a verb of its own

    def where_to(self, result: Any) -> str:
        """Return where the person goes after it."""
        return str(self.get_success_url())

    def form_valid(self, form: Form) -> HttpResponse:
        """Run the verb, or show why not."""
        try:
            result = self.run(form)
        except errors.Refusal as refusal:
            context = self.get_context_data(form=form, refusal=refusal)
            return self.render_to_response(context, status=refusal.status)
        if self.done:
            messages.success(self.request, self.done)
        return HttpResponseRedirect(self.where_to(result))

    def form_invalid(self, form: Form) -> HttpResponse:
        """Show what is wrong, and say so in the status as well."""
        return self.render_to_response(self.get_context_data(form=form), status=422)


class FormPage(LoginRequiredMixin, OpenFormPage):
    """A page with a form that runs one verb, for who is signed in.

    The form carries the verb's key: sent twice, it runs once.
    """

    @property
    def owner_id(self) -> int:
        """The scope of every question and every verb: outside it nothing exists."""
        return _id_of(self.request)

    def get_initial(self) -> dict[str, Any]:
        """Give the form its key."""
        return super().get_initial() | {"key": uuid7()}


class ForAdmins(PermissionRequiredMixin):
    """Lets in active staff with the permission that the page names."""

    request: HttpRequest
    permission_required: str | tuple[str, ...] = ()

    def has_permission(self) -> bool:
        """Whether who asks may."""
        user = self.request.user
        return user.is_active and user.is_staff and super().has_permission()


class AdminPage(ForAdmins, Page):
    """A page for the catalog's admins."""


class AdminFormPage(ForAdmins, FormPage):
    """A page with a form for the catalog's admins."""


@dataclass(frozen=True)
class Leaf:
    """One page of a long list, and the queries that lead to its neighbors."""

    rows: list[Any]
    newer: str
    older: str


class _AsTheyAre:
    """Stands where the API has a serializer: a template takes the rows themselves."""

    def __init__(self, rows: list[Any], **_options: Any) -> None:
        self.data = rows


class _Asked:
    """What the API's pages want to know of a request."""

    def __init__(self, request: HttpRequest) -> None:
        self.query_params = request.GET
        self.build_absolute_uri = request.build_absolute_uri


def leaf(request: HttpRequest, found: QuerySet[Any], *, ordering: Sequence[str], size: int) -> Leaf:
    """Return one page of a list, by key: page 1,000 is as quick as page 1. Raises ``InvalidCursor``."""
    asked: Any = _Asked(request)
    rows: Any = _AsTheyAre
    page = keyset_page(asked, found, ordering=ordering, serializer=rows, page_size=size, max_page_size=size).data
    newer, older = (urlsplit(page[way] or "").query for way in ("previous", "next"))
    return Leaf(page["results"], newer, older)


def chosen_uuid(request: HttpRequest, name: str) -> UUID | None:
    """Return the id that a link chose for a form, or ``None`` for anything else."""
    try:
        return UUID(request.GET.get(name, ""))
    except ValueError:
        return None


def metadata(*, note: str) -> dict[str, str]:
    """Return what a transfer or a hold remembers of a form."""
    return {"note": note} if note else {}
