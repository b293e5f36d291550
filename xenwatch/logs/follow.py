"""Follows logs as they are written: hands on whole lines as chunks, every byte once, over rotations and restarts."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from xenwatch.base.clock import Clock
from xenwatch.logs.counters import FollowCounters
from xenwatch.logs.files.cursors import read_cursors
from xenwatch.logs.files.descriptors import Descriptors
from xenwatch.logs.files.discover import LogPatterns
from xenwatch.logs.files.file_reader import opened
from xenwatch.logs.files.first_text import HEAD_BYTES, first_text
from xenwatch.logs.files.hanging import HangingFolders
from xenwatch.logs.files.other_names import TrackedFiles
from xenwatch.logs.files.spool import Spool
from xenwatch.logs.files.watch import DirectoryWatcher
from xenwatch.logs.options import FollowOptions
from xenwatch.logs.rotated_name import name_before_extension
from xenwatch.logs.sources.file import FileSource
from xenwatch.model.record import Chunk, Source

log = logging.getLogger(__name__)

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
        self._other_names: dict[str, _OtherName] = {}
        self._descriptors = Descriptors[FileSource](self._options.most_open)
        self.counters.most_open_files = self._options.most_open
        self._refused: dict[str, tuple[int, int]] = {}
        self._hanging = HangingFolders()
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
            await self._hanging.ask(self._patterns.roots())
        directories = self._patterns.directories(self._hanging.holds)
        if watcher is not None and settle:
            watcher.watch(directories)
        self._find(self._patterns.logs(directories, settle=settle), settle=settle)
        self._very_first = False
        turn = _Turn(self._clock)
        for source in tuple(self._sources.values()):
            if self._hanging.all and self._hanging.holds(source.path):
                continue
            read = False
            for chunk in source.chunks(settle=settle):
                self._on_chunk(chunk)
                read = True
                await turn.used(len(chunk.data))
            self._descriptors.note(source, active=read)
            for chunk in self._rest(source):
                self._on_chunk(chunk)
            await turn.used(0)
        self.counters.open_files = self._descriptors.open
        self._on_look()

    def _rest(self, reading: FileSource) -> Iterator[Chunk]:
        """Close the files of other logs where too many are open."""
        for quiet in self._descriptors.too_many(reading):
            yield from quiet.rest()
            if not self.counters.rests:
                log.warning(
                    "there are more logs than the %d files that may be held open: those that are quiet are closed "
                    "until they change (see LimitNOFILE in systemd.exec)",
                    self._options.most_open,
                )
            self.counters.rests += 1

    def close(self) -> None:
        """Close all files; the cursors stay valid."""
        for path, source in self._sources.items():
            self._stored[path] = source.cursors()
            source.close()
        self._sources.clear()

    def _find(self, paths: set[str], *, settle: bool) -> None:
        self._review_other_names(paths, settle=settle)
        tracked: TrackedFiles | None = None
        for path in sorted(paths - self._sources.keys() - self._other_names.keys()):
            tracked = tracked or TrackedFiles(self._sources, self._stored)
            self._start(path, paths, tracked)
        for path in [path for path, source in self._sources.items() if path not in paths and source.forgotten]:
            self._descriptors.forget(self._sources.pop(path))

    def _start(self, path: str, paths: set[str], tracked: TrackedFiles) -> None:
        if path in self._sources:
            return
        counters = self.counters.of(path)
        try:
            with opened(path) as fd:
                if fd is not None and (self._was_refused(path, fd) or self._is_other_name(path, fd, paths, tracked)):
                    return
                source = self._open_source(path, b"" if fd is None else first_text(fd))
                if source is not None and fd is not None:
                    tracked.add(path, fd)
        except OSError:
            counters.read_errors += 1
            return
        if source is None:
            return
        self._refused.pop(path, None)
        cursors = self._stored.pop(path, None)
        if cursors == []:
            log.error(
                "how far %s was read is lost: it is read from its end, without what was written while xenwatch was "
                "down",
                path,
            )
        self._sources[path] = FileSource(
            source,
            self._clock,
            counters,
            self._options,
            cursors=cursors or None,
            spool=self._spool(path),
            from_end=cursors == [] or (self._very_first and self._options.start == "end"),
        )

    def _was_refused(self, path: str, fd: int) -> bool:
        """Whether the file was looked at before and nothing changed since that matters."""
        status = os.fstat(fd)
        # Behind NUL bytes any growth may be the first text.
        size = status.st_size if os.pread(fd, 1, 0) == b"\0" else min(status.st_size, HEAD_BYTES)
        stamp = (status.st_ino, size)
        if self._refused.get(path) == stamp:
            return True
        self._refused[path] = stamp
        return False

    def _is_other_name(self, path: str, fd: int, paths: set[str], tracked: TrackedFiles) -> bool:
        """Whether another log reads this file; it then does so under this name, too."""
        if not os.fstat(fd).st_size and name_before_extension(path) in self._sources:
            return True  # perhaps a copy that is being made
        log_path = tracked.owner(path, fd)
        if log_path is None:
            return False
        if log_path not in paths:
            self._take_over(log_path, path)
            return False
        self._start(log_path, paths, tracked)
        if log_path not in self._sources:
            return False
        self._sources[log_path].adopt(path)
        self._other_names[path] = _OtherName(log_path, os.fstat(fd).st_ino)
        return True

    def _take_over(self, gone: str, path: str) -> None:
        """Of a log this name is all that is left."""
        source = self._sources.pop(gone, None)
        cursors = self._stored.pop(gone, []) if source is None else source.cursors()
        if cursors:
            self._stored[path] = cursors
        if source is not None:
            self._descriptors.forget(source)
            source.close()

    def _review_other_names(self, paths: set[str], *, settle: bool) -> None:
        for path, other in tuple(self._other_names.items()):
            source = self._sources.get(other.log)
            if source is None or other.log not in paths:
                del self._other_names[path]
                self._refused.pop(path, None)
                if source is not None and path in paths:
                    self._take_over(other.log, path)
            elif path not in paths or (settle and other.is_another_file(path)):
                del self._other_names[path]
                self._refused.pop(path, None)
                source.adopt(path, adopted=False)

    def _spool(self, path: str) -> Spool | None:
        directory = self._options.spool_directory
        wanted = any(fnmatch(Path(path).name, pattern) for pattern in self._options.overwritten)
        return Spool(directory, path) if directory is not None and wanted else None


class _OtherName(NamedTuple):
    """Another name of a file, which `log` reads."""

    log: str
    inode: int

    def is_another_file(self, path: str) -> bool:
        try:
            return Path(path).stat().st_ino != self.inode
        except OSError:
            return True


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
