"""How often something may be done that grows with the trouble there is: it takes a tenth of the time at most."""

from collections.abc import Iterator
from contextlib import contextmanager

from xenwatch.base.clock import Clock

SHARE = 0.1
LONGEST_PAUSE = 0.5
"""Seconds; what took long because others had the processor need not wait for as many times that."""


class Pace:
    """After what took long comes a pause. What is done at once, nearly always, is never held up."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._next = clock, clock.monotonic()

    @property
    def due(self) -> bool:
        return self._clock.monotonic() >= self._next

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Around what is done."""
        began = self._clock.monotonic()
        try:
            yield
        finally:
            took = self._clock.monotonic() - began
            self._next = began + took + min(LONGEST_PAUSE, took * (1 / SHARE - 1))
