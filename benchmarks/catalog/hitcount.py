"""The peer: django-hitcount 1.3, ``HitCountMixin.hit_count``.

What it guarantees: a hit for each session, with its address and user agent; a total for each object.

Given to it: the object's ``HitCount`` is loaded once, so that a hit does not look it up. Its visitors have no cookie,
as those of an API have none: each is a new session, which is what it counts by.
"""

from typing import Any

from benchmarks import django_host
from benchmarks.client import repeat


class Client:
    def __init__(self, url: str) -> None:
        django_host.configure(url, "django.contrib.sessions", "hitcount")
        from django.contrib.auth.models import AnonymousUser, User
        from django.contrib.sessions.backends.db import SessionStore
        from django.test import RequestFactory
        from hitcount.models import HitCount
        from hitcount.views import HitCountMixin

        self.AnonymousUser, self.User, self.SessionStore = AnonymousUser, User, SessionStore
        self.HitCount, self.HitCountMixin, self.requests = HitCount, HitCountMixin, RequestFactory()
        self.counter: Any = None

    def prepare(self) -> None:
        """Make the tables and what is looked at."""
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        self.HitCount.objects.create(content_object=self.User.objects.create(username="the hot one"))

    def connect(self) -> None:
        """Load the counter, as every client process does once."""
        self.counter = self.HitCount.objects.get()

    def hit(self, start: float, seconds: float) -> dict[str, float]:
        """Count hits on always the same object."""

        def operation() -> None:
            request = self.requests.get("/", headers={"User-Agent": "Mozilla/5.0"})
            request.session, request.user = self.SessionStore(), self.AnonymousUser()  # type: ignore[assignment]  # as its middleware would
            if not self.HitCountMixin.hit_count(request, self.counter).hit_counted:
                raise RuntimeError("The hit was not counted.")

        return repeat(operation, start=start, seconds=seconds)

    def counted(self) -> int:
        """Return the total."""
        return int(self.HitCount.objects.get().hits)
