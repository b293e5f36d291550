"""Signals from the administrator or systemd, handled inside the event loop."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from signal import Signals


@contextmanager
def signal_handlers(handlers: Mapping[Signals, Callable[[], None]]) -> Iterator[None]:
    """While the context is open, each of these signals calls its handler."""
    loop = asyncio.get_running_loop()
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
