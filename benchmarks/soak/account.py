"""What the clients were told, all of them together: what happened, as far as anybody outside can know."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass
class MarketAccount:
    """What was acknowledged at the market."""

    # Each order with its total in cents, and those that came with a slot.
    orders: dict[str, int] = field(default_factory=dict)
    slotted: set[str] = field(default_factory=set)
    # The states that somebody saw an order in.
    states: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    # By variant: the pieces that were there at first, received, found, and missing.
    pieces: Counter[str] = field(default_factory=Counter)
    # By product and customer: the stars.
    reviews: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass
class Account:
    """What was acknowledged, and what went wrong."""

    statuses: Counter[int] = field(default_factory=Counter)
    # (when it began, when it ended, status, what) of each answer that was a 5xx.
    errors: list[tuple[float, float, int, str]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    deposited_cents: int = 0
    # (when it was answered, the product) of each anonymous retrieval.
    seen: list[tuple[float, str]] = field(default_factory=list)
    # Anonymous retrievals without an answer: nobody knows whether they were counted.
    seen_perhaps: Counter[str] = field(default_factory=Counter)
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    cards: Counter[str] = field(default_factory=Counter)
    market: MarketAccount = field(default_factory=MarketAccount)
