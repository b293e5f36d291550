"""Gives back to the system what starting took and the work does not need."""

import ctypes
import gc

from xenwatch.base.clock import Clock

AFTER_START = 8.0
"""Seconds in which rules, signatures and the first cycles have come and gone."""
EVERY = 600.0
_M_ARENA_MAX = -8
"""malloc.h"""


async def keep_small(clock: Clock) -> None:
    """Until cancelled. What is there after the start stays for good, so the collector need not look at it again."""
    await clock.sleep(AFTER_START)
    gc.collect()
    gc.freeze()
    while True:
        _give_back()
        await clock.sleep(EVERY)


def share_one_arena() -> None:
    """Before the first thread: glibc gives each its own heap otherwise, and ours allocate little and seldom."""
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    if choose is not None:
        choose(_M_ARENA_MAX, 1)


def _give_back() -> None:
    """What was freed is kept by glibc unless it is asked; other C libraries have no such call."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
