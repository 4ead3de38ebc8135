"""The page's API: what all providers believe, as JSON, and their buttons.

======== ========================================== ==================================================
GET      ``/``                                      the page
GET      ``/_sandbox/state``                        everything that it shows
POST     ``/_sandbox/refuse``                       ``{"seconds": 10}``: stop listening for so long
POST     ``/_sandbox/release``                      let go of whatever hangs
POST     ``/_sandbox/clock``                        ``{"advance_seconds": 3600}``
POST     ``/_sandbox/<name>/faults``                ``{"kind": "cut_after", ...}``: arm one
DELETE   ``/_sandbox/<name>/faults``                disarm all
POST     ``/_sandbox/<name>/cards``                 ``{"owner": ..., "color": ...}``: a card made elsewhere
POST     ``/_sandbox/<name>/cards/<id>``            ``{"happening": "ship"}``
POST     ``/_sandbox/<name>/events/<id>``           deliver it again
POST     ``/_sandbox/<name>/options``               ``{"webhook_url": ..., "list_lag_seconds": ...}``
POST     ``/_sandbox/<name>/reset``                 forget everything
======== ========================================== ==================================================
"""

import threading
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from holdfast_cards.testing.sandbox.books import Reply
from holdfast_cards.testing.sandbox.dialects.base import Request, json_object
from holdfast_cards.testing.sandbox.faults import FaultKind

if TYPE_CHECKING:
    from holdfast_cards.testing.sandbox.provider import Sandbox
    from holdfast_cards.testing.sandbox.server import SandboxServer

PREFIX = "/_sandbox/"
REFUSE_MAX_SECONDS = 300.0
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"


def answer(server: "SandboxServer", request: Request) -> Reply:
    """Answer whatever is not a provider's."""
    if request.method == "GET" and request.path == "/":
        page = files(__package__).joinpath("page.html").read_bytes()
        return Reply(200, page, {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY})
    if not request.path.startswith(PREFIX):
        return Reply.of(404, {"error": "There is nothing here."})
    path = [unquote(part) for part in request.path.removeprefix(PREFIX).split("/")]
    if request.method == "GET" and path == ["state"]:
        return Reply.of(200, state(server))
    if not _is_from_here(request):
        return Reply.of(403, {"error": "Only the sandbox's own page and programs may press its buttons."})
    try:
        values = json_object(request.body or b"{}")
        if len(path) == 1:
            _press(server, path[0], values)
        else:
            _press_provider(server.providers[path[0]], request.method, path[1:], values)
    except KeyError as missing:
        return Reply.of(404, {"error": f"There is no {missing}."})
    except (TypeError, ValueError) as wrong:
        return Reply.of(400, {"error": str(wrong)})
    return Reply.of(200, {"done": True})


def state(server: "SandboxServer") -> dict[str, Any]:
    """Return everything that the page shows."""
    return {
        "now": server.clock.now(),
        "ahead_seconds": server.clock.ahead_seconds,
        "providers": [provider.as_json() for provider in server.providers.values()],
        "faults": [
            {"kind": kind, "label": kind.label, "webhook": kind.is_of_webhooks, "after": _leaves_a_card(kind)}
            for kind in FaultKind
        ],
    }


def _leaves_a_card(kind: FaultKind) -> bool:
    return list(FaultKind).index(kind) >= list(FaultKind).index(FaultKind.WRONG_COLOR) or kind in {
        FaultKind.LATE_CREATE,
        FaultKind.ERROR_500_AFTER,
    }


def _is_from_here(request: Request) -> bool:
    """Whether no other site's page sent this: they cannot send JSON unasked, and cannot hide where they are from."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _press(server: "SandboxServer", button: str, values: dict[str, Any]) -> None:
    match button:
        case "refuse":
            seconds = min(float(values.get("seconds", 10)), REFUSE_MAX_SECONDS)
            # By another thread: this one still has to answer.
            threading.Timer(0.1, _refuse_for, [server, seconds]).start()
        case "release":
            server.release()
        case "clock":
            server.advance(float(values["advance_seconds"]))
        case _:
            raise KeyError(button)


def _refuse_for(server: "SandboxServer", seconds: float) -> None:
    server.refuse()
    threading.Timer(seconds, server.listen).start()


def _press_provider(provider: "Sandbox", method: str, path: list[str], values: dict[str, Any]) -> None:
    match method, path:
        case "POST", ["faults"]:
            provider.arm(values.pop("kind"), **values)
        case "DELETE", ["faults"]:
            provider.faults.disarm()
        case "POST", ["cards"]:
            provider.make_card(**values)
        case "POST", ["cards", card_id]:
            provider.befall(card_id, values["happening"])
        case "POST", ["events", event_id]:
            provider.resend(event_id)
        case "POST", ["options"]:
            provider.choose(**values)
        case "POST", ["reset"]:
            provider.reset()
        case _:
            raise KeyError("/".join(path))
