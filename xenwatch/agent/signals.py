"""Signals from the administrator or systemd, handled inside the event loop."""

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from signal import Signals


@contextmanager
def signal_handlers(handlers: Mapping[Signals, Callable[[], None]]) -> Iterator[None]:
    """While the context is open, each of these signals calls its handler; then what was in force before is again."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number, former in before.items():
            loop.remove_signal_handler(number)
            if former is not None:
                signal.signal(number, former)


_ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """While the context is open, SIGHUP and SIGTERM raise SystemExit, so that what is open is closed."""
    before = {number: signal.getsignal(number) for number in _ENDING}
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


def ignore_signals() -> None:
    """For the last steps of a process, which must not be cut short."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
