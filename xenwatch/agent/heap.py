"""Gives memory back to the system that starting took and running does not need."""

import ctypes
import gc

from xenwatch.base.clock import Clock

AFTER_START = 8.0
"""Seconds until rules, signatures and the first cycles are made and their garbage can go."""
EVERY = 60.0
_M_ARENA_MAX = -8
"""malloc.h"""


async def keep_small(clock: Clock) -> None:
    """Run until cancelled. What exists after the start stays, so the garbage collector need not visit it again."""
    await clock.sleep(AFTER_START)
    gc.collect()
    gc.freeze()
    while True:
        _give_back()
        await clock.sleep(EVERY)


def share_one_arena() -> None:
    """Before the first thread: otherwise glibc gives each thread a heap, and ours allocate little and seldom."""
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    if choose is not None:
        choose(_M_ARENA_MAX, 1)


def _give_back() -> None:
    """Freed memory stays with glibc until it is asked; other C libraries have no such call."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
