"""Answers to what no page has asked for."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from holdfast.api.problems import MEDIA_TYPE, handler403


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer a form that comes from elsewhere or was open for too long: a problem to a program, a page to a person."""
    answer = handler403(request, PermissionDenied())
    return answer if answer["Content-Type"] == MEDIA_TYPE else render(request, "403_csrf.html", status=403)
