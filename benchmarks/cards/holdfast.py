"""Ours: ``services.request_card`` as a host calls it, and ``POST cards/`` as a client does.

What it guarantees: one card for one wish, whatever fails; the wish is committed before the call, the answer after it,
with the attempt, the transition and an event in the same commit.
"""

import uuid

from benchmarks import django_host
from benchmarks.client import repeat


class Client:
    def __init__(self, url: str, provider: str) -> None:
        bank = {"BACKEND": "holdfast_cards.backends.bank.BankProvider", "OPTIONS": {"base_url": provider}}
        django_host.configure(
            url,
            "rest_framework",
            "holdfast",
            "holdfast_cards",
            HOLDFAST_CARDS={"PROVIDER": bank},
            ROOT_URLCONF="benchmarks.cards.urls",
            ALLOWED_HOSTS=["*"],
        )
        from django.contrib.auth import get_user_model
        from rest_framework.test import APIClient

        from holdfast_cards import models, services

        self.User, self.models, self.services = get_user_model(), models, services
        self.api = APIClient()
        self.holder = None

    def prepare(self) -> None:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        self.User.objects.create(username="holder")

    def connect(self) -> None:
        self.holder = self.User.objects.get(username="holder")
        self.api.force_authenticate(self.holder)

    def verb(self, start: float, seconds: float) -> dict[str, float]:
        """Order cards by the verb, one after the other."""
        return repeat(self._verb, start=start, seconds=seconds)

    def post(self, start: float, seconds: float) -> dict[str, float]:
        """Order cards through the API's whole stack but the socket, each with a key."""
        return repeat(self._post, start=start, seconds=seconds)

    def _verb(self) -> None:
        result = self.services.request_card(holder_id=self.holder.pk, color="pink")
        if result.is_open:
            raise RuntimeError("The sandbox did not answer.")

    def _post(self) -> None:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        answer = self.api.post("/api/cards/", {"color": "pink"}, format="json", headers=headers)
        if answer.status_code != 201:
            raise RuntimeError(f"{answer.status_code}: {answer.content!r}")

    def statements(self) -> dict[str, int]:
        """Return how many statements one order sends, by the verb and by the API."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        found = {}
        for name, order in (("verb", self._verb), ("post", self._post)):
            order()
            with CaptureQueriesContext(connection) as captured:
                order()
            sql = [query["sql"].split(maxsplit=1)[0] for query in captured.captured_queries]
            found[name] = sum(word not in {"BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"} for word in sql)
        return found

    def cards(self) -> int:
        return self.models.Card.objects.exclude(provider_card_id=None).count()
