"""Logs that are not files: the hypervisor's ring and systemd's journal, where no file has the same lines."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from xenwatch.base.clock import Clock
from xenwatch.base.errors import CommandFailed, HostError
from xenwatch.host.host import Host
from xenwatch.host.paths import Paths
from xenwatch.logs.counters import FollowCounters
from xenwatch.logs.format import all_formats
from xenwatch.logs.options import CommandLogOptions
from xenwatch.logs.sources.hypervisor_ring import HypervisorRing
from xenwatch.logs.sources.journald import JournaldSource, Spawn
from xenwatch.model.record import Chunk, Source

log = logging.getLogger(__name__)

T = TypeVar("T")

RING, JOURNAL = "ring", "journal"
"""Names of their cursors; the journal is called so where the path of a log is shown, too."""
STALE_SECONDS = 86400.0
"""After so long without a line, no daemon writes a syslog file any more."""
HISTORY_SECONDS = 86400.0
"""How much of the journal is read at the very first start."""
_RING_DEADLINE = 10.0
_UNITS = ("libvirtd", "virtxend", "virtlogd", "xen", "xenstored", "xenconsoled", "xendomains")
JOURNAL_MATCHES = (
    "_TRANSPORT=kernel", "+", "SYSLOG_FACILITY=3", "+", *(f"_SYSTEMD_UNIT={unit}.service" for unit in _UNITS),
)  # fmt: skip
"""The kernel, and what daemons and hotplug scripts say: units' output carries the facility `daemon` (3), too.

The toolstack's units are named because libvirt wrote to the journal without a facility, or with another, for years.
"""


class CommandLogs:
    """`run()` decides after the files were read; `cursors` go into the same transaction as those of the files."""

    def __init__(
        self,
        options: CommandLogOptions,
        host: Host,
        spawn: Spawn,
        on_chunk: Callable[[Chunk], None],
        followed: Callable[[], tuple[Mapping[str, str], FollowCounters]],
        *,
        cursors: object = None,
    ) -> None:
        """`followed` gives the formats of the followed files, by path, and the counters of all logs."""
        self._options, self._host, self._spawn = options, host, spawn
        self._on_chunk, self._followed = on_chunk, followed
        self._cursors: dict[str, Any] = dict(cursors) if isinstance(cursors, Mapping) else {}
        self.files_read = asyncio.Event()
        """Set when the files were read for the first time."""
        self._ring: HypervisorRing | None = None
        self._journal: JournaldSource | None = None
        self.formats: dict[str, str] = {}

    @property
    def _clock(self) -> Clock:
        return self._host.clock

    def cursors(self) -> dict[str, Any]:
        """Where the next one goes on, as JSON values."""
        if self._ring is not None:
            self._cursors[RING] = self._ring.cursor()
        if self._journal is not None:
            self._cursors[JOURNAL] = self._journal.cursor()
        return self._cursors

    async def run(self) -> None:
        """Until cancelled."""
        await self.files_read.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._poll_ring(), name="hypervisor ring")
            group.create_task(self._follow_journal(), name="journal")

    async def _poll_ring(self) -> None:
        toolstack, every = self._host.toolstack, self._options.hypervisor_every
        if toolstack is None or not every:
            return
        argv = ("xm" if toolstack.name == "xend" else "xl", "dmesg")
        path = " ".join(argv)
        counters = self._followed()[1].of(path)

        async def read() -> bytes:
            return (await self._host.runner.run(argv, _RING_DEADLINE)).checked().stdout

        source = Source(path, all_formats()["hypervisor"])
        self._ring = ring = _resume(
            lambda cursor: HypervisorRing(source, read, self._clock, counters, cursor=cursor), self._cursors.get(RING)
        )
        self.formats[path] = source.format.name
        hand_on = RING in self._cursors or self._options.from_start
        while True:
            if "hypervisor" not in self._followed()[0].values():
                try:
                    chunk = await ring.poll()
                except HostError:
                    counters.read_errors += 1
                else:
                    if chunk is not None and hand_on:
                        self._on_chunk(chunk)
                    hand_on = True
            await self._clock.sleep(every)

    async def _follow_journal(self) -> None:
        formats, counters = self._followed()
        if not self._options.journal or not has_journal(self._host.paths):
            return
        if system_log_is_written(formats, self._clock.now()):
            return
        source = Source(JOURNAL, all_formats()["syslog"])
        history = HISTORY_SECONDS if self._options.from_start else 0.0
        first = {"realtime_microseconds": int((self._clock.now() - history) * 1e6)}
        self._journal = _resume(
            lambda cursor: JournaldSource(
                source, self._spawn, self._clock, counters.of(JOURNAL), matches=JOURNAL_MATCHES, cursor=cursor or first
            ),
            self._cursors.get(JOURNAL),
        )
        self.formats[JOURNAL] = source.format.name
        try:
            await self._journal.follow(self._on_chunk)
        except CommandFailed as error:
            if error.returncode is not None:
                raise
            log.info("systemd's journal is not read: %s", error)


def has_journal(paths: Paths) -> bool:
    """Whether journald runs on this host."""
    return paths.at("run/systemd/journal").is_dir()


def system_log_is_written(formats: Mapping[str, str], now: float) -> bool:
    """Whether some daemon still writes one of these logs (path and format) that has what the journal has."""
    return any(_is_written(path, format_, now) for path, format_ in formats.items())


def _is_written(path: str, format_: str, now: float) -> bool:
    try:
        return all_formats()[format_].in_journal and now - Path(path).stat().st_mtime < STALE_SECONDS
    except OSError:
        return False


def _resume(make: Callable[[Mapping[str, Any] | None], T], cursor: object) -> T:
    """Start from a stored cursor; one that cannot be understood is ignored."""
    try:
        return make(cursor if isinstance(cursor, Mapping) else None)
    except (TypeError, ValueError):
        return make(None)
