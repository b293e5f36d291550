"""Keeps the last thing that was made of something: a batch reads a thousand bundles with one and the same library."""

from collections.abc import Callable
from typing import Generic, TypeVar

From = TypeVar("From")
Made = TypeVar("Made")


class LastMade(Generic[From, Made]):
    """By identity: to compare two libraries word by word would take longer than to make it again."""

    def __init__(self, make: Callable[[From], Made]) -> None:
        """What `make` gives must never be changed by those who share it."""
        self._make = make
        self._last: tuple[From, Made] | None = None

    def of(self, thing: From) -> Made:
        """What is made of it; the same object for the same tuple. A list may change: it is made again."""
        if not isinstance(thing, tuple):
            return self._make(thing)
        last = self._last
        if last is None or last[0] is not thing:
            last = self._last = (thing, self._make(thing))
        return last[1]
