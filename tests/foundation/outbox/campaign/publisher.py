"""A publisher process: each step is one transaction that locks the walker, moves it and emits."""

import random
import sys

import django


def main() -> None:
    django.setup()
    from django.db import transaction

    from holdfast.outbox import emit
    from tests.foundation.outbox.campaign.events import StepTaken
    from tests.foundation.outbox.campaign.models import Walker

    names = sys.argv[2].split(",")
    for _step in range(int(sys.argv[1])):
        with transaction.atomic():
            walker = Walker.objects.select_for_update().get(name=random.choice(names))
            walker.steps += 1
            walker.save()
            emit(StepTaken(walker=walker.name, step=walker.steps))


if __name__ == "__main__":
    main()
