"""The Content Security Policy.

Django has a middleware of its own from 6.0 on; this one is the same few lines on 5.2 as well.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class ContentSecurityPolicyMiddleware:
    """Send the policy of the longest path prefix that fits: ``CONTENT_SECURITY_POLICIES`` in the settings."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policies = sorted(settings.CONTENT_SECURITY_POLICIES.items(), key=lambda item: len(item[0]), reverse=True)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = next(policy for prefix, policy in self.policies if request.path.startswith(prefix))
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        return response
