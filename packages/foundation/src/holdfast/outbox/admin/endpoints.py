"""Webhook endpoints: configuration, which can be edited; what has consequences is a button that calls a service."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from holdfast.events import registry
from holdfast.outbox.models import EndpointState, WebhookEndpoint
from holdfast.outbox.subscriptions import matches
from holdfast.outbox.webhooks import endpoints
from holdfast.outbox.webhooks.addresses import Refused, parse
from holdfast.outbox.webhooks.probe import send_test
from holdfast.outbox.webhooks.signing import BadSecret, key_of


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A name, an address, and what to tell."""

    patterns = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One event type or pattern for each line, such as holdfast_wallet.* or holdfast.webhook_disabled.v1.",
    )
    secret = forms.CharField(
        required=False,
        help_text="The secret that the receiver gave, whsec_... "
        "Left empty, a new endpoint gets one of its own and an old one keeps its.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ["name", "url", "patterns"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.patterns:
            self.initial["patterns"] = "\n".join(self.instance.patterns)

    def clean_url(self) -> str:
        """Refuse what no webhook may go to."""
        url: str = self.cleaned_data["url"]
        try:
            parse(url)
        except Refused as refused:
            raise forms.ValidationError(str(refused)) from None
        return url

    def clean_patterns(self) -> list[str]:
        """Refuse a pattern that nothing fits: it is a slip of the pen."""
        patterns: list[str] = self.cleaned_data["patterns"].split()
        for pattern in patterns:
            if not any(matches(event_type, [pattern]) for event_type in registry):
                raise forms.ValidationError(f"No installed app declares an event that fits {pattern!r}.")
        return patterns

    def clean_secret(self) -> str:
        """Refuse what is no secret."""
        secret: str = self.cleaned_data["secret"]
        if secret:
            try:
                key_of(secret)
            except BadSecret as bad:
                raise forms.ValidationError(str(bad)) from None
        return secret


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Receivers outside."""

    form = EndpointForm
    list_display = ["name", "url", "state", "state_reason", "failing_since"]
    list_filter = ["state"]
    fields = ["name", "url", "patterns", "secret", "state", "state_reason", "failing_since"]
    readonly_fields = ["state", "state_reason", "failing_since"]
    actions = ["test", "enable", "pause"]
    change_form_template = "admin/holdfast/webhookendpoint/change_form.html"

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Disable it instead: its log and what waits for it belong to it."""
        return False

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Save through the services."""
        secret = form.cleaned_data["secret"] or None
        if not change:
            made = endpoints.create_endpoint(name=obj.name, url=obj.url, patterns=obj.patterns, secret=secret)
            obj.__dict__.update(made.__dict__)
            self._show_secret(request, made)
            return
        obj.save(update_fields=["name", "url", "patterns", "updated_at"])
        if secret:
            endpoints.rotate_secret(endpoint_id=obj.pk, secret=secret)

    def get_urls(self) -> list[URLPattern]:
        """Add the buttons' address."""
        press = self.admin_site.admin_view(self.press)
        own = path("<uuid:endpoint_id>/press/<slug:button>/", press, name="holdfast_webhookendpoint_press")
        return [own, *super().get_urls()]

    def press(self, request: HttpRequest, endpoint_id: UUID, button: str) -> HttpResponse:
        """Press a button of an endpoint's page: not within the page's own form, which Django saves in a transaction."""
        buttons = {"test": self._test, "enable": self._enable, "pause": self._pause, "rotate": self._rotate}
        endpoint = self.get_object(request, str(endpoint_id))
        if request.method != "POST" or endpoint is None or button not in buttons:
            raise Http404
        if not self.has_change_permission(request, endpoint):
            raise PermissionDenied
        buttons[button](request, endpoint)
        return HttpResponseRedirect(reverse("admin:holdfast_webhookendpoint_change", args=[endpoint_id]))

    @admin.action(description="Send a test", permissions=["change"])
    def test(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        """Send a test event to each."""
        for endpoint in queryset:
            self._test(request, endpoint)

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        """Send again."""
        for endpoint in queryset:
            self._enable(request, endpoint)

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        """Let events wait."""
        for endpoint in queryset:
            self._pause(request, endpoint)

    def _test(self, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        probe = send_test(endpoint)
        level = messages.SUCCESS if probe.succeeded else messages.ERROR
        self.message_user(request, f"{endpoint.name}: {probe.detail}", level)

    def _enable(self, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        endpoints.enable_endpoint(endpoint_id=endpoint.pk)
        self.message_user(request, f"{endpoint.name} is told again.", messages.SUCCESS)

    def _pause(self, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        if endpoint.state == EndpointState.ACTIVE:
            endpoints.pause_endpoint(endpoint_id=endpoint.pk, reason=f"Paused by {request.user}.")
            self.message_user(request, f"{endpoint.name} is paused: its events wait.", messages.SUCCESS)

    def _rotate(self, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        secret = endpoints.rotate_secret(endpoint_id=endpoint.pk)
        self.message_user(
            request,
            f"The new secret of {endpoint.name}, shown once: {secret} (the old one signs too for a day).",
            messages.WARNING,
        )

    def _show_secret(self, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        secret = endpoints.secrets_of(endpoint)[0]
        self.message_user(request, f"The secret of {endpoint.name}, shown once: {secret}", messages.WARNING)
