"""A process that has imported everything, and forks one for each life: a life that is killed costs milliseconds.

Each line of its input is a life to lead, as JSON; each line of its output says how it ended.
"""

import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.cards.settings"
django.setup()

from django.conf import settings  # noqa: E402 - Django comes first
from django.contrib.auth import get_user_model  # noqa: E402 - as above
from django.core.management import call_command  # noqa: E402 - as above
from django.db import connection  # noqa: E402 - as above
from django.urls import reverse  # noqa: E402 - as above
from django.utils import timezone  # noqa: E402 - as above
from rest_framework.test import APIClient  # noqa: E402 - as above

from holdfast_cards.api import views  # noqa: E402 - as above
from holdfast_cards.models import Card, Discrepancy, Operation  # noqa: E402 - as above
from holdfast_cards.services import gate, operations, requests  # noqa: E402 - as above
from tests.cards.doubles import Clock, until_quiet  # noqa: E402 - as above


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str) -> None:
    """Die when a function is called."""
    setattr(owner, name, lambda *_args, **_kwargs: die())


def after(owner: Any, name: str) -> None:
    """Die when a function has returned."""
    function: Callable[..., Any] = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        function(*args, **kwargs)
        die()

    setattr(owner, name, wrapped)


KILLS: dict[str, Callable[[], None]] = {
    "nowhere": lambda: None,
    "after the intent": lambda: before(requests, "carry_out"),
    "after the claim": lambda: after(operations, "_claim"),
    "after the call": lambda: after(gate.Gate, "create"),
    "after the result": lambda: after(operations, "_settle_in_transaction"),
    "before the answer": lambda: before(views.CardsAPIView, "answer"),
}


def lead(life: dict[str, Any]) -> dict[str, Any]:
    """Lead a life in this process: ask for a card, or be the worker."""
    connection.settings_dict["NAME"] = life["database"]
    settings.HOLDFAST_CARDS = life["settings"]
    KILLS[life["kill"]]()
    clock = Clock()
    clock.moment = timezone.now()
    if life["do"] == "ask":
        client = APIClient(raise_request_exception=False)
        client.force_authenticate(get_user_model().objects.get())
        headers = {"Idempotency-Key": "k"}
        return {"status": client.post("/api/v1/cards/", {"color": "pink"}, format="json", headers=headers).status_code}
    timezone.now = clock
    clock.turn(seconds=life.get("ahead", 0))
    until_quiet(clock, patience_seconds=life["patience"])
    return account()


def account() -> dict[str, Any]:
    """Say how things stand."""
    return {
        "cards": list(Card.objects.values("state", "provider_card_id")),
        "operations": list(Operation.objects.values_list("state", flat=True)),
        "reported": list(Discrepancy.objects.values_list("provider_card_id", flat=True)),
    }


def prepare(database: str) -> None:
    """Make the database from which every life's is copied, with one holder in it."""
    connection.settings_dict["NAME"] = database
    call_command("migrate", verbosity=0)
    get_user_model().objects.create(username="holder")
    connection.close()
    # What each child would import again.
    reverse("holdfast_cards:cards")
    for backend in ("bank", "stripe", "lithic"):
        import_module(f"holdfast_cards.backends.{backend}")
    gc.freeze()


def say(line: str) -> None:
    """Tell the one who asked."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Fork for each line."""
    prepare(sys.argv[1])
    say("ready")
    for line in sys.stdin:
        life = json.loads(line)
        result = Path(life["database"] + ".json")
        result.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            result.write_text(json.dumps(lead(life)))
            os._exit(0)
        _child, status = os.waitpid(child, 0)
        ended = {"killed": os.WIFSIGNALED(status), "exit": os.waitstatus_to_exitcode(status)}
        say(json.dumps({**ended, **(json.loads(result.read_text()) if result.exists() else {})}))


if __name__ == "__main__":
    main()
