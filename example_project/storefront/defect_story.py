"""The chapter of the demo about what is broken in the town: reported, repaired, argued about, sometimes taken back."""

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from holdfast_defects import selectors, services
from holdfast_defects.states import Severity
from people.selectors import find_person


@dataclass(frozen=True)
class Report:
    """What somebody saw, so many days ago, and which steps followed."""

    who: str
    days_ago: float
    severity: str
    comment: str
    steps: tuple[str, ...] = ()


_ACCEPTED = ("triage",)
_BEGUN = ("triage", "start_repair")
_REPAIRED = (*_BEGUN, "resolve")
_CLOSED = (*_REPAIRED, "close")
_REJECTED = ("reject",)

REPORTS = [
    Report("greta", 41, "high", "Kiln two does not hold 1,240 °C: it falls back to 1,180 after an hour.", _CLOSED),
    Report(
        "ben", 38, "medium", "The lift in the market hall stops between floors when three people are in it.", _CLOSED
    ),
    Report(
        "hugo",
        33,
        "critical",
        "Smell of gas behind the bakery’s oven. The valve is shut, we bake in the old one.",
        _CLOSED,
    ),
    Report("nora", 30, "low", "The clock above the quay is eleven minutes slow.", _CLOSED),
    Report("ines", 27, "medium", "Loom three: the beater sticks on the left side.", _CLOSED),
    Report("ada", 24, "low", "My receipt for the tea bowls says Thursday. It was a Friday.", _REJECTED),
    Report("kira", 22, "high", "Cracked pane in the furnace door, about a hand wide.", _CLOSED),
    Report("emi", 20, "low", "The bell at the ferry office rings by itself when it rains.", _CLOSED),
    Report(
        "farid", 18, "medium", "Card reader at the ukulele stall refuses contactless, every second time.", _REPAIRED
    ),
    Report("luca", 16, "low", "One of the two lamps over the workbench flickers.", _CLOSED),
    Report("clara", 14, "medium", "The app shows kilometers to the mountain hut, but means miles.", _REPAIRED),
    Report("ada", 13, "medium", "Parcel locker 14 opens when I ask for 13.", _CLOSED),
    Report(
        "jonas",
        12,
        "high",
        "Guillotine: the safety bar can be pushed aside while the blade moves. Taken out of use.",
        _BEGUN,
    ),
    Report("ben", 11, "low", "Page three of the spring catalog is in there twice.", _REJECTED),
    Report("hugo", 9, "medium", "Flour scale shows 40 g less than the other one, from 5 kg on.", _BEGUN),
    Report("nora", 8, "high", "Railing on the north stairs is loose. Two screws are missing at the top.", _REPAIRED),
    Report("ines", 7, "low", "Dye lot 88 is a little greener than the sample card.", _REJECTED),
    Report("emi", 6, "medium", "Lamp shade arrived with a hairline crack, parcel unharmed.", _BEGUN),
    Report("greta", 5, "medium", "Glaze bucket with the blue label contains the green one.", _ACCEPTED),
    Report(
        "kira",
        4,
        "critical",
        "Extraction above the polishing table does not start. Nobody polishes until it does.",
        _BEGUN,
    ),
    Report("farid", 3.2, "low", "“Add to basket” is cut off on my phone when I hold it sideways.", _ACCEPTED),
    Report(
        "ada", 2.6, "high", "Water comes through the roof of the covered walk, right above the honey stall.", _ACCEPTED
    ),
    Report("luca", 2.1, "medium", "The humidity cabinet reports 0 % since last night. The wood feels fine.", _ACCEPTED),
    Report(
        "clara",
        1.4,
        "low",
        "The picture of the wool throw is of the one in gray.",
    ),
    Report("jonas", 0.9, "medium", "Bookbinder’s press squeals so that customers leave."),
    Report("ben", 0.6, "medium", "The ferry’s timetable at the pier is last year’s."),
    Report("ada", 0.25, "high", "The bicycle rack at the harbor has come off the wall; it leans on two bicycles."),
    Report("emi", 0.08, "low", "Order confirmation greets me as “Dear null”."),
]
TAKEN_BACK = [
    Report("ben", 17, "low", "My tumbler leaks. (It was the cat.)"),
    Report("ada", 10, "medium", "Cannot find the exit of the market hall app."),
    Report("nora", 1.1, "low", "Test, please ignore."),
]
_VERBS = {
    "triage": services.triage_defect,
    "start_repair": services.start_repair,
    "resolve": services.resolve_defect,
    "close": services.close_defect,
    "reject": services.reject_defect,
}


def is_told() -> bool:
    """Tell whether the chapter is in this database."""
    return selectors.defects().exists()


@transaction.atomic
def tell() -> None:
    """Tell it, through the public verbs only."""
    chance = random.Random(20_261_120)  # noqa: S311 - a story, not a secret
    now = timezone.now()
    for report in _by_age([*REPORTS, *TAKEN_BACK]):
        seen = now - dt.timedelta(days=report.days_ago, minutes=chance.randrange(50))
        defect = services.report_defect(
            user_id=find_person(report.who).pk,
            comment=report.comment,
            timestamp=seen,
            severity=Severity(report.severity),
        )
        for step in report.steps:
            _VERBS[step](defect_id=defect.id)
        if report in TAKEN_BACK:
            services.delete_defect(defect_id=defect.id, user_id=defect.user_id)


def _by_age(reports: Iterable[Report]) -> list[Report]:
    return sorted(reports, key=lambda report: -report.days_ago)
