"""Spares descriptors: of more logs than may be open, those that were quiet longest are closed until they change."""

import contextlib
import resource
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

WANTED = 16_384
"""Two files each of more logs than a host has guests; a higher limit makes old programs slow that close them all."""
RESERVED = 320
"""For the web, the databases, the commands that are run, and one log's files while they are compared."""
_FEWEST = 64


class HoldsFiles(Protocol):
    """A log with files that are held open."""

    @property
    def open_files(self) -> int: ...


def raise_limit() -> None:
    """Let this process open as many files as it is allowed to, up to WANTED."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # a sandbox may forbid it; then there are fewer
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_for_logs() -> int:
    """How many files of logs may be open at once: all but those that the rest of the agent needs."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WANTED if soft == resource.RLIM_INFINITY else max(_FEWEST, min(soft, WANTED) - RESERVED)


T = TypeVar("T", bound=HoldsFiles)


class Descriptors(Generic[T]):
    """The files of all logs; `open` of at most `most`."""

    def __init__(self, most: int) -> None:
        self.most, self.open = most, 0
        self._held: dict[T, int] = {}
        """Quiet longest first."""

    def note(self, log: T, *, active: bool) -> None:
        """How many files the log holds now; `active`: something was read from it."""
        before, now = self._held.get(log, 0), log.open_files
        self.open += now - before
        if active or not now:
            self._held.pop(log, None)
        if now:
            self._held[log] = now

    def forget(self, log: T) -> None:
        """The log is gone."""
        self.open -= self._held.pop(log, 0)

    def too_many(self, reading: T) -> Iterator[T]:
        """The logs to close, one after the other, until few enough files are open; never the one being read."""
        while self.open > self.most:
            quiet = next((log for log in self._held if log is not reading), None)
            if quiet is None:
                return
            yield quiet
            self.forget(quiet)
