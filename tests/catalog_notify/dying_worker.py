"""Workers that are killed, one after the other: a process that starts each as a child, with everything imported.

::

    python -m tests.catalog_notify.dying_worker

Reads a line ``STEP NUMBER`` for each, which dies at that step of its n-th message, and answers with how it ended.
"""

import os
import signal
import sys

STEPS = ("before_claim", "in_claim", "claimed", "in_send", "sent", "in_confirm", "confirmed")


def main() -> None:
    import django

    django.setup()
    from holdfast_catalog_notify import services  # noqa: F401 - so that no child has to

    for line in sys.stdin:
        step, number = line.split()
        child = os.fork()
        if not child:
            try:
                work(step, int(number))
            finally:
                os._exit(0 if sys.exc_info()[0] is None else 1)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


def work(step: str, number: int) -> None:
    """Work until nothing is left, or until it is time to die."""
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
    main()
