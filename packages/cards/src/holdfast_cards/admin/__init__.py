"""A window on cards: look, follow, decide; whoever acts, acts through the services."""

from holdfast_cards.admin.cards import CardAdmin
from holdfast_cards.admin.discrepancies import DiscrepancyAdmin
from holdfast_cards.admin.inbox import FeedAdmin, NoticeAdmin
from holdfast_cards.admin.operations import OperationAdmin

__all__ = ["CardAdmin", "DiscrepancyAdmin", "FeedAdmin", "NoticeAdmin", "OperationAdmin"]
