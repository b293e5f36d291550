"""Wakes the follower when something changes in a directory; the follower finds out what."""

import asyncio
import logging
import os
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyinotify

from xenwatch.logs.counters import FollowCounters

log = logging.getLogger(__name__)

_MASK = (
    pyinotify.IN_MODIFY
    | pyinotify.IN_CREATE
    | pyinotify.IN_MOVED_TO
    | pyinotify.IN_MOVED_FROM
    | pyinotify.IN_DELETE
    | pyinotify.IN_ATTRIB
    | pyinotify.IN_ONLYDIR
)
_EVENT = struct.Struct("iIII")  # inotify(7): wd, mask, cookie, length of the name that follows
_READ_BYTES = 64 * 1024


class _AnyEvent(pyinotify.AsyncioNotifier):  # type: ignore[misc]  # pyinotify has no types
    """Reads events only to empty the queue.

    pyinotify takes 50 microseconds for each, and a file name that is not UTF-8 or a handler that raises makes it
    leave the rest.
    """

    def __init__(self, manager: Any, on_events: Callable[[int], None]) -> None:
        super().__init__(manager, asyncio.get_running_loop())
        self._on_events = on_events

    def handle_read(self, *_args: Any, **_kwargs: Any) -> None:
        try:
            events = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return
        masks, at = 0, 0
        while at < len(events):
            _, mask, _, name_bytes = _EVENT.unpack_from(events, at)
            masks |= mask
            at += _EVENT.size + name_bytes
        self._on_events(masks)


class DirectoryWatcher:
    """Watches directories, not files: a file's watch is lost at its first rotation. Use inside a running loop.

    Where the kernel gives no instance or no watch (its limits, NFS) the caller's own poll has to do; it is counted.
    """

    def __init__(self, wake: Callable[[], None], counters: FollowCounters) -> None:
        self._wake, self._counters = wake, counters
        self._watched: dict[str, tuple[int, int]] = {}
        self._refused: set[str] = set()
        self._manager = self._notifier = None
        try:
            self._manager = pyinotify.WatchManager()
            self._notifier = _AnyEvent(self._manager, self._on_events)
        except OSError as error:
            counters.watch_errors += 1
            log.warning("inotify is not available, so logs are polled: %s", error)

    def _on_events(self, masks: int) -> None:
        self._counters.wakes += 1
        if masks & pyinotify.IN_Q_OVERFLOW:
            self._counters.overflows += 1
        if masks & pyinotify.IN_IGNORED:
            self._watched.clear()  # a directory is gone; a new one may have its inode number
        self._wake()

    def watch(self, directories: Iterable[str]) -> None:
        """Watch these; one that was removed and made again is watched again."""
        for directory in directories:
            try:
                status = Path(directory).stat()
            except OSError:
                self._watched.pop(directory, None)
                continue
            identity = (status.st_dev, status.st_ino)
            if self._watched.get(directory) != identity and self._add(directory):
                self._watched[directory] = identity

    def _add(self, directory: str) -> bool:
        if self._manager is None:
            return False
        try:
            self._manager.add_watch(directory, _MASK, quiet=False)
        except (pyinotify.WatchManagerError, OSError, ValueError) as error:
            if directory not in self._refused:
                self._refused.add(directory)
                self._counters.watch_errors += 1
                log.warning("cannot watch %s, so it is polled: %s", directory, error)
            return False
        self._refused.discard(directory)
        return True

    def close(self) -> None:
        """Stop watching."""
        if self._notifier is not None:
            self._notifier.stop()
            self._notifier = self._manager = None
