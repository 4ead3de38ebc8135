"""A provider's books in a file, so that it remembers its cards when it is started again, as a real one does."""

import dataclasses
import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

from holdfast_cards.testing.sandbox.books import Delivery, Reply, SandboxCard, SandboxEvent, Saved


def write(path: Path, books: dict[str, Any]) -> None:
    """Replace the file: a process that is killed leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(books))
    draft.replace(path)


def read(path: Path) -> dict[str, Any]:
    """Return what was written; nothing where nothing was."""
    return dict(json.loads(path.read_text())) if path.exists() else {}


def packed(cards: list[SandboxCard], events: list[SandboxEvent], saved: dict[str, Saved]) -> dict[str, Any]:
    """Return books as JSON has them."""
    return {
        "cards": [{**dataclasses.asdict(card), "expires_on": card.expires_on.isoformat()} for card in cards],
        "events": [dataclasses.asdict(event) for event in events],
        "saved": {
            key: {
                **dataclasses.asdict(answer),
                "reply": {**dataclasses.asdict(answer.reply), "body": answer.reply.body.decode()},
            }
            for key, answer in saved.items()
            if answer.reply is not None
        },
    }


def unpacked(books: dict[str, Any]) -> tuple[list[SandboxCard], list[SandboxEvent], dict[str, Saved]]:
    """Return books as the provider has them."""
    cards = [
        SandboxCard(**{**card, "expires_on": dt.date.fromisoformat(card["expires_on"])})
        for card in books.get("cards", [])
    ]
    events = [
        SandboxEvent(**{**event, "deliveries": [Delivery(**each) for each in event["deliveries"]]})
        for event in books.get("events", [])
    ]
    saved = {
        key: Saved(**{**answer, "reply": Reply(**{**answer["reply"], "body": answer["reply"]["body"].encode()})})
        for key, answer in books.get("saved", {}).items()
    }
    return cards, events, saved
