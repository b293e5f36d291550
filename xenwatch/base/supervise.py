"""Keeps a task going: when it fails it is logged, counted and started again after a growing pause."""

import logging
from collections.abc import Awaitable, Callable

from xenwatch.base.clock import Clock

log = logging.getLogger(__name__)


async def supervise(
    name: str,
    work: Callable[[], Awaitable[None]],
    clock: Clock,
    *,
    on_failure: Callable[[str, Exception], None] = lambda _name, _error: None,
    first_pause: float = 1.0,
    longest_pause: float = 60.0,
) -> None:
    """Run `work` until it returns or is cancelled; after a failure pause (doubling) and run it again.

    A run that lasted longer than the longest pause starts the pauses over.
    """
    pause = first_pause
    while True:
        started = clock.monotonic()
        try:
            await work()
        except Exception as error:  # the one fence around a part: it is counted, logged and restarted
            log.exception("%s failed; starting it again in %.0f s", name, pause)
            on_failure(name, error)
        else:
            return
        if clock.monotonic() - started > longest_pause:
            pause = first_pause
        await clock.sleep(pause)
        pause = min(pause * 2, longest_pause)
