"""Time comes from a Clock that is handed in, so that a story of hours is tested in milliseconds."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What every part that waits or stamps is given. All values are seconds."""

    def now(self) -> float:
        """Wall clock, seconds since the epoch: for display and for comparing with log times."""

    def monotonic(self) -> float:
        """Seconds that never go back: for durations and deadlines. It counts time spent suspended."""

    async def sleep(self, seconds: float) -> None:
        """Wait that long by this clock."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class ManualClock:
    """A clock that moves only when it is told to; sleepers wake in the order of their deadlines."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._monotonic = 1_000.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def set_wall(self, now: float) -> None:
        """Step the wall clock alone, as an administrator or NTP does; durations must not care."""
        self._now = now

    def advance(self, seconds: float) -> None:
        """Move both clocks forward and wake whoever's time has come."""
        self._now += seconds
        self._monotonic += seconds
        due = sorted((s for s in self._sleepers if s[0] <= self._monotonic), key=lambda s: s[0])
        self._sleepers = [s for s in self._sleepers if s[0] > self._monotonic]
        for _, woken in due:
            woken.set()

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        self._sleepers.append((self._monotonic + seconds, woken))
        await woken.wait()
