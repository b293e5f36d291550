"""Follows logs as they are written: hands on whole lines as chunks, every byte once, over rotations and restarts."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from xenwatch.base.clock import Clock
from xenwatch.logs.counters import FollowCounters
from xenwatch.logs.files.cursors import read_cursors
from xenwatch.logs.files.discover import LogPatterns
from xenwatch.logs.files.file_reader import open_log
from xenwatch.logs.files.spool import Spool
from xenwatch.logs.files.watch import DirectoryWatcher
from xenwatch.logs.options import FollowOptions
from xenwatch.logs.sources.file import FileSource
from xenwatch.model.record import Chunk, Source

_HEAD_BYTES = 64 * 1024
_TURN_BYTES = 192 * 1024  # a full piece of whole lines is a little shorter than 256 KiB
_TURN_SECONDS = 0.002

OpenSource = Callable[[str, bytes], Source | None]
"""The source for a path and the first bytes of its file; None where it is not a log that xenwatch reads."""


class Follower:
    """Every log that matches the patterns, from its stored cursor on.

    `on_chunk` is called inside the event loop and must be quick. `cursors` may be asked for at any time the loop is
    not inside `on_chunk`, or at the end of `on_chunk` itself: all that lies before them was handed on.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        on_chunk: Callable[[Chunk], None],
        open_source: OpenSource,
        clock: Clock,
        *,
        cursors: Mapping[str, Any] | None = None,
        options: FollowOptions | None = None,
        on_look: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_look` is called after each reading of all logs, also where nothing new was written."""
        self.counters = FollowCounters()
        self._patterns = LogPatterns(patterns)
        self._on_chunk, self._open_source, self._clock, self._on_look = on_chunk, open_source, clock, on_look
        self._options = options or FollowOptions()
        self._stored, self.counters.bad_cursors = read_cursors(cursors)
        self._very_first = cursors is None
        self._sources: dict[str, FileSource] = {}
        self._refused: dict[str, tuple[int, int]] = {}
        self._wake = asyncio.Event()
        self._due = 0.0

    def cursors(self) -> dict[str, Any]:
        """Where the next Follower goes on, as JSON values."""
        cursors = {path: source.cursors() for path, source in self._sources.items()}
        return {
            path: [cursor.as_json() for cursor in listed] for path, listed in (self._stored | cursors).items() if listed
        }

    async def run(self) -> None:
        """Follow until cancelled."""
        watcher = DirectoryWatcher(self._wake.set, self.counters)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tick())
                while True:
                    self._wake.clear()
                    await self.look(watcher)
                    await self._wake.wait()
        finally:
            watcher.close()
            self.close()

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(self._options.reconcile_seconds)
            self._wake.set()

    async def look(self, watcher: DirectoryWatcher | None = None) -> None:
        """Hand on everything new, in turns of 256 KiB or 2 ms so that other tasks get theirs."""
        settle = self._clock.monotonic() >= self._due
        if settle:
            self._due = self._clock.monotonic() + self._options.reconcile_seconds * 0.9
        directories = self._patterns.directories()
        if watcher is not None and settle:
            watcher.watch(directories)
        self._find(self._patterns.logs(directories, settle=settle))
        self._very_first = False
        turn = _Turn(self._clock)
        for source in tuple(self._sources.values()):
            for chunk in source.chunks(settle=settle):
                self._on_chunk(chunk)
                await turn.used(len(chunk.data))
            await turn.used(0)
        self._on_look()

    def close(self) -> None:
        """Close all files; the cursors stay valid."""
        for path, source in self._sources.items():
            self._stored[path] = source.cursors()
            source.close()
        self._sources.clear()

    def _find(self, paths: set[str]) -> None:
        for path in sorted(paths - self._sources.keys()):
            self._start(path)
        for path in [path for path, source in self._sources.items() if path not in paths and source.forgotten]:
            del self._sources[path]

    def _start(self, path: str) -> None:
        counters = self.counters.of(path)
        try:
            head = self._head(path)
        except OSError:
            counters.read_errors += 1
            return
        source = None if head is None else self._open_source(path, head)
        if source is None:
            return
        self._sources[path] = FileSource(
            source,
            self._clock,
            counters,
            self._options,
            cursors=self._stored.pop(path, None),
            spool=self._spool(path),
            from_end=self._very_first and self._options.start == "end",
        )

    def _head(self, path: str) -> bytes | None:
        """The first bytes of a file not refused yet; None where nothing changed since."""
        fd = open_log(path)
        if fd is None:
            return b""
        try:
            status = os.fstat(fd)
            stamp = (status.st_ino, min(status.st_size, _HEAD_BYTES))
            if self._refused.get(path) == stamp:
                return None
            self._refused[path] = stamp
            return os.pread(fd, _HEAD_BYTES, 0)
        finally:
            os.close(fd)

    def _spool(self, path: str) -> Spool | None:
        directory = self._options.spool_directory
        wanted = any(fnmatch(Path(path).name, pattern) for pattern in self._options.overwritten)
        return Spool(directory, path) if directory is not None and wanted else None


class _Turn:
    """Gives the event loop back after so many bytes or so much time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started, self._bytes = clock.monotonic(), 0

    async def used(self, size: int) -> None:
        self._bytes += size
        if self._bytes >= _TURN_BYTES or self._clock.monotonic() - self._started >= _TURN_SECONDS:
            await asyncio.sleep(0)
            self._started, self._bytes = self._clock.monotonic(), 0
