"""Defects: report, find, change, move on, delete; the counters beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from holdfast.errors import Conflict
from holdfast_defects import selectors, services
from holdfast_defects.states import DefectState
from storefront.counters import standing
from storefront.forms.defects import ChangeDefectForm, DefectForm, FilterForm, SureForm
from storefront.pages import FormPage, Page, chosen_uuid

PAGE_LINES = 20


@dataclass(frozen=True)
class Step:
    """A verb that moves a defect on: what its button says, and what is said when it is done."""

    name: str
    verb: Callable[..., Any]
    label: str
    done: str
    look: str = ""


STEPS = {
    step.name: step
    for step in (
        Step("triage", services.triage_defect, "Triage it", "It will be repaired."),
        Step("start_repair", services.start_repair, "Start the repair", "The repair has begun."),
        Step("resolve", services.resolve_defect, "It is resolved", "Resolved. Somebody should have a look."),
        Step("close", services.close_defect, "Close it", "Closed."),
        Step("reopen", services.reopen_defect, "Open it again", "It is open again.", "quiet"),
        Step("reject", services.reject_defect, "Reject it", "Rejected.", "quiet"),
    )
}
# The way of a repair that goes well, to show how far one has come.
WAY = (DefectState.REPORTED, DefectState.TRIAGED, DefectState.IN_REPAIR, DefectState.RESOLVED, DefectState.CLOSED)


class DefectsView(Page):
    """All defects, or those that match; the newest first."""

    template_name = "storefront/defects/list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather one page, found by the id at its edge: page 1,000 is as quick as page 1."""
        form = FilterForm(self.request.GET)
        found = selectors.defects(**form.filters(user_id=self.owner_id)).select_related("user").order_by("-id")
        before = chosen_uuid(self.request, "before")
        if before:
            found = found.filter(id__lt=before)
        rows = list(found[: PAGE_LINES + 1])
        defects = rows[:PAGE_LINES]
        query = self.request.GET.copy()
        query.pop("before", None)
        newest = query.urlencode()
        if len(rows) > PAGE_LINES:
            query["before"] = str(defects[-1].id)
        return super().get_context_data(
            form=form,
            defects=defects,
            newest=newest,
            here=self.request.GET.urlencode(),
            older=query.urlencode() if len(rows) > PAGE_LINES else "",
            paging=bool(before),
            **kwargs,
        )


class DefectLinesView(DefectsView):
    """The lines of the list alone, for a page that is open and wants to stay up to date."""

    template_name = "storefront/defects/lines.html"


class CountersView(Page):
    """The counters alone: by themselves, because asking another server may take a moment."""

    template_name = "storefront/defects/counters.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Ask where the broadcast stands."""
        return super().get_context_data(standing=standing(user_id=self.owner_id), **kwargs)


class DefectView(Page):
    """One defect, and what can be done with it now."""

    template_name = "storefront/defects/defect.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Offer the steps that its state allows."""
        defect: Any = selectors.get_defect(defect_id=kwargs["defect_id"])
        allowed = {transition.name for transition in defect.get_available_state_transitions()}
        reached = WAY.index(defect.state) if defect.state in WAY else 0
        return super().get_context_data(
            defect=defect,
            mine=defect.user_id == self.owner_id,
            steps=[step for step in STEPS.values() if step.name in allowed],
            way=[(state, index <= reached) for index, state in enumerate(WAY)],
            **kwargs,
        )


class ReportDefectView(FormPage):
    """Report a defect."""

    template_name = "storefront/defects/report.html"
    form_class = DefectForm
    done = "Thank you. It is written down, and the counter server hears of it."

    def run(self, form: Any) -> Any:
        """Report it, in the name of who is signed in."""
        return services.report_defect(user_id=self.owner_id, **form.cleaned_data)

    def where_to(self, result: Any) -> str:
        """Show it."""
        return reverse("storefront:defect", args=[result.id])


class ChangeDefectView(FormPage):
    """Change what was reported; who edits what somebody else has changed meanwhile, is told."""

    template_name = "storefront/defects/change.html"
    form_class = ChangeDefectForm
    done = "Changed."

    def get_initial(self) -> dict[str, Any]:
        """Show what is there."""
        defect = selectors.get_defect(defect_id=self.kwargs["defect_id"])
        return {name: getattr(defect, name) for name in ("comment", "severity", "timestamp", "version")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Name the defect for the way back."""
        return super().get_context_data(defect_id=self.kwargs["defect_id"], **kwargs)

    def run(self, form: Any) -> Any:
        """Change it."""
        version = form.cleaned_data["version"]
        return services.change_defect(defect_id=self.kwargs["defect_id"], expected_version=version, **form.changes)

    def where_to(self, result: Any) -> str:
        """Show it."""
        return reverse("storefront:defect", args=[result.id])


class DeleteDefectView(FormPage):
    """Delete a defect of mine, after a question."""

    template_name = "storefront/defects/delete.html"
    form_class = SureForm
    done = "Deleted. The counter server hears of it."

    def get_initial(self) -> dict[str, Any]:
        """Remember which version was seen."""
        return {"version": selectors.get_defect(defect_id=self.kwargs["defect_id"]).version}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show what would be gone."""
        return super().get_context_data(defect=selectors.get_defect(defect_id=self.kwargs["defect_id"]), **kwargs)

    def run(self, form: Any) -> None:
        """Delete it."""
        defect_id: UUID = self.kwargs["defect_id"]
        services.delete_defect(
            defect_id=defect_id, user_id=self.owner_id, expected_version=form.cleaned_data["version"]
        )

    def where_to(self, result: Any) -> str:
        """Return to the list."""
        return reverse("storefront:defects")


class StepDefectView(Page):
    """Move a defect on."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *_args: Any, **kwargs: Any) -> HttpResponseBase:
        """Run the step's verb on the version that was seen."""
        step = STEPS.get(kwargs["step"])
        if step is None:
            raise Http404
        form = SureForm(request.POST)
        version = form.cleaned_data["version"] if form.is_valid() else None
        try:
            step.verb(defect_id=kwargs["defect_id"], expected_version=version)
        except Conflict as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, step.done)
        return HttpResponseRedirect(reverse("storefront:defect", args=[kwargs["defect_id"]]))
