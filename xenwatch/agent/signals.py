"""Signals that the administrator or systemd sends, answered inside the event loop."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from signal import Signals


@contextmanager
def answered(answers: Mapping[Signals, Callable[[], None]]) -> Iterator[None]:
    """While it is open, each of these signals calls its answer."""
    loop = asyncio.get_running_loop()
    for number, answer in answers.items():
        loop.add_signal_handler(number, answer)
    try:
        yield
    finally:
        for number in answers:
            loop.remove_signal_handler(number)
