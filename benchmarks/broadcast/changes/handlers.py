"""The one handler: it posts."""

import json
import os
import urllib.request

from benchmarks.broadcast.changes.events import Changed
from holdfast.events import Envelope
from holdfast.outbox.subscriptions import subscribe


@subscribe(Changed)
def post(envelope: Envelope[Changed]) -> None:
    """Tell the counter server."""
    body = json.dumps({"user": 1, "action": "create"}).encode()
    headers = {"webhook-id": envelope.event.change, "Content-Type": "application/json"}
    request = urllib.request.Request(os.environ["WAYS_COUNTER"], body, headers)
    with urllib.request.urlopen(request, timeout=2):
        pass
