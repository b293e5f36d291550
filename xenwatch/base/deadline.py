"""Waits for a piece of work for as long as a Clock says, then gives it up."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from xenwatch.base.clock import Clock
from xenwatch.base.errors import TimedOut

T = TypeVar("T")

_LAST_WORDS = 2.0
"""Seconds that cancelled work gets to let go of its programs and files."""


async def within(clock: Clock, seconds: float, what: str, work: Awaitable[T]) -> T:
    """The result of `work`; TimedOut, and the work cancelled, once `seconds` have passed by `clock`."""
    task = asyncio.ensure_future(work)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise TimedOut(f"{what}: not done within {seconds:g} s")
        return task.result()
    except asyncio.CancelledError:  # we are given up ourselves: whoever did it may close the loop next
        task.cancel()
        await asyncio.wait({task}, timeout=_LAST_WORDS)
        raise
    finally:
        timer.cancel()
        if not task.done():
            task.cancel()
            task.add_done_callback(_look_away)


def _look_away(task: "asyncio.Future[Any]") -> None:
    """What given-up work says in the end is of no interest, and asyncio must not print it."""
    if not task.cancelled():
        task.exception()
