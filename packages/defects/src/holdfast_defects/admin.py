"""The staff's door: everything they do goes through the services, so each step is an event like any other."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from holdfast.errors import Refusal
from holdfast.windows import BoundedPaginator
from holdfast_defects import services
from holdfast_defects.exceptions import DefectNotFound
from holdfast_defects.models import Defect

EDITABLE = ("comment", "timestamp", "severity")
# The attribute of a request under which its form finds why it was refused.
REFUSAL = "holdfast_defects_refusal"


def step(label: str, verb: Callable[..., Defect]) -> Callable[..., None]:
    """Return an action that takes a step with each selected defect, and names those that do not allow it."""

    @admin.action(description=f"{label} selected defects", permissions=["change"])
    def take_step(modeladmin: "DefectAdmin", request: HttpRequest, queryset: QuerySet[Defect]) -> None:
        for defect in queryset:
            try:
                moved = verb(defect_id=defect.pk)
            except Refusal as refusal:
                modeladmin.message_user(request, f"{defect}: {refusal.message}", messages.ERROR)
            else:
                modeladmin.log_change(request, moved, moved.get_state_display())
                modeladmin.message_user(request, f"{moved}: {moved.get_state_display()}", messages.SUCCESS)

    take_step.__name__ = verb.__name__  # by which the admin tells actions apart
    return take_step


class DefectForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Remembers which version the editor has seen; says why the verb has refused, if it has."""

    refusal: Refusal | None = None
    expected_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Defect
        fields = EDITABLE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["expected_version"].initial = self.instance.version

    def clean(self) -> dict[str, Any] | None:
        """Refuse what the verb has refused."""
        if self.refusal:
            raise forms.ValidationError(self.refusal.message)
        return super().clean()


@admin.register(Defect)
class DefectAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """The defects. Who adds one is its reporter, and only its reporter deletes it: superusers are no exception."""

    form = DefectForm
    list_display = ("__str__", "severity", "state", "user", "timestamp", "created_at")
    list_filter = ("state", "severity")
    list_select_related = ("user",)
    paginator = BoundedPaginator
    show_full_result_count = False
    search_fields = ("comment",)
    readonly_fields = ("state", "user", "version", "created_at", "updated_at")
    actions = (
        step("Triage", services.triage_defect),
        step("Start to repair", services.start_repair),
        step("Resolve", services.resolve_defect),
        step("Close", services.close_defect),
        step("Reject", services.reject_defect),
        step("Reopen", services.reopen_defect),
    )

    def get_fields(self, request: HttpRequest, obj: Defect | None = None) -> tuple[str, ...]:
        """Ask for what somebody says of a defect; show what we know of it."""
        if obj is None:
            return EDITABLE
        fields = (*EDITABLE, *self.readonly_fields)
        return (*fields, "expected_version") if self.has_change_permission(request, obj) else fields

    def has_delete_permission(self, request: HttpRequest, obj: Defect | None = None) -> bool:
        """Let nobody delete what somebody else has reported; asked for each of many, too."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.user_id == request.user.pk)

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> type[Any]:
        """Let the form know why the verb has refused what it says."""
        form: type[Any] = super().get_form(request, *args, **kwargs)
        form.refusal = getattr(request, REFUSAL, None)  # made for this request, so that nobody else sees it
        return form

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form again, with all that was typed, if the verb refuses it."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refusal as refusal:
            setattr(request, REFUSAL, refusal)
            return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Defect, form: DefectForm, change: bool) -> None:  # noqa: FBT001 - Django's
        """Report or change the defect."""
        values = {name: form.cleaned_data[name] for name in EDITABLE if name in form.changed_data}
        if change:
            version = form.cleaned_data["expected_version"]
            services.change_defect(defect_id=obj.pk, expected_version=version, **values)
        else:
            obj.pk = services.report_defect(user_id=request.user.pk, **values).pk

    def delete_model(self, request: HttpRequest, obj: Defect) -> None:
        """Delete the defect."""
        with suppress(DefectNotFound):  # deleted twice at once, which is as good
            services.delete_defect(defect_id=obj.pk, user_id=request.user.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Defect]) -> None:
        """Delete each of the selected defects: one statement for all of them would tell nobody."""
        for defect in queryset:
            self.delete_model(request, defect)
