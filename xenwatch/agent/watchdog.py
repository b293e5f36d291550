"""Signs of life: how late the event loop is, and the messages to systemd's watchdog."""

from collections.abc import Callable

from xenwatch.agent.liveness import Liveness
from xenwatch.agent.sdnotify import SystemdNotifier
from xenwatch.base.clock import Clock

LAG_EVERY = 0.5
"""Seconds between two probes of the event loop."""
_WATCHDOG_SHARE = 0.4
"""Of systemd's watchdog time, between two signs of life."""


async def probe_loop(clock: Clock, observe: Callable[[float], None]) -> None:
    """Measure again and again how many seconds late the loop wakes: what blocks it shows here."""
    while True:
        due = clock.monotonic() + LAG_EVERY
        await clock.sleep(LAG_EVERY)
        observe(max(0.0, clock.monotonic() - due))


async def feed_watchdog(clock: Clock, notifier: SystemdNotifier, progress: Liveness) -> None:
    """Only while every part makes progress: systemd restarts a process that runs and does nothing."""
    every = notifier.watchdog
    while every is not None:
        if progress.healthy:
            notifier.tell("WATCHDOG=1")
        await clock.sleep(every * _WATCHDOG_SHARE)
