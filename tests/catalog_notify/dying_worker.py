"""A worker that is killed at one step of its n-th message; a process of its own.

::

    python -m tests.catalog_notify.dying_worker STEP NUMBER
"""

import os
import signal
import sys

STEPS = ("before_claim", "in_claim", "claimed", "in_send", "sent", "in_confirm", "confirmed")


def main(step: str, number: int) -> None:
    import django

    django.setup()

    from holdfast_catalog_notify import services
    from holdfast_catalog_notify.services import delivering

    seen = 0

    def reached(here: str) -> None:
        nonlocal seen
        if here == step:
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(name: str, before: str, after: str) -> None:
        verb = getattr(delivering, name)

        def wrapped(*args: object, **kwargs: object) -> object:
            reached(before)
            result = verb(*args, **kwargs)
            reached(after)
            return result

        setattr(delivering, name, wrapped)

    around("claim_message", "before_claim", "claimed")
    around("_claim", "", "in_claim")  # written, not committed
    around("message_of", "", "in_send")  # nothing has left yet
    around("send_message", "", "sent")  # the receiver has it
    around("_write", "", "in_confirm")  # written, not committed
    around("confirm_message", "", "confirmed")
    services.Worker().run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
