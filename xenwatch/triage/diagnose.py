"""Runs the pipeline over logs at rest: a folder, an archive, a file, standard input. Nothing is written anywhere."""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xenwatch.base.errors import InputError
from xenwatch.diagnosis.correlation.engine import CorrelationEngine
from xenwatch.diagnosis.hosts import BundleHosts, origin_of
from xenwatch.diagnosis.incidents.tracker import IncidentTracker
from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.logs.format import all_formats
from xenwatch.model.event import Event
from xenwatch.model.fact import Fact
from xenwatch.model.record import LogRecord
from xenwatch.model.sample import Snapshot
from xenwatch.triage.bundle.entry import BundleEntry
from xenwatch.triage.bundle.reader import Bundle
from xenwatch.triage.bundle.years import YearCorrection
from xenwatch.triage.report import FileRead, Report, SkippedFile, UnmatchedError

if TYPE_CHECKING:
    from xenwatch.triage.live_probe import LiveProbe

Progress = Callable[[str, int], None]
"""Told the path being read and the bytes read so far."""

MOST_EVENTS = 20_000
"""Events that are held to be put in the order of time over all logs; more are handed on in batches of this size."""
_LONG_AFTER = 86400.0
_A_MOMENT = 30.0
_NEVER_QUIET = 0.0
"""Logs at rest have no now: what they show is not over because they end."""


def diagnose(
    paths: Sequence[str],
    rules: Sequence[Rule],
    *,
    cache: Path | None = None,
    utc_offset: float = 0.0,
    live: "LiveProbe | None" = None,
    host: str | None = None,
    progress: Progress = lambda _path, _count: None,
) -> Report:
    """Read everything below `paths` and say what is wrong.

    `utc_offset` is the zone of local times in these logs, in seconds east. `live` is what the running host told, to be
    joined with its logs. `host` is the name of the host that all of it is of, where somebody says it. Raises InputError
    where nothing is readable.
    """
    began = time.monotonic()
    bundle = Bundle(paths, now=time.time(), utc_offset=utc_offset, host=host)
    work = _Work(rules, cache, live, host)
    for entry in bundle.entries():
        work.read(entry, progress)
    work.conclude()
    if not work.files and live is None:
        why = "; ".join(f"{s.path}: {s.reason}" for s in bundle.skipped[:5]) or "there is no file in it"
        raise InputError(f"nothing could be read from {', '.join(paths)}: {why}")
    return Report(
        incidents=tuple(map(work.hosts.named, work.incidents.all())),
        files=tuple(work.files),
        skipped=tuple(SkippedFile(s.path, s.reason) for s in bundle.skipped),
        unmatched=tuple(grouped(work.scanner.unmatched)),
        facts=(*work.fact_files, *(live.answered if live else ())),
        unasked=(*(live.silent if live else ()), *(_one_look_only(rules) if work.snapshots else ())),
        utc_offset=utc_offset,
        seconds=time.monotonic() - began,
    )


def _one_look_only(rules: Sequence[Rule]) -> list[SkippedFile]:
    from xenwatch.triage.live_probe import one_look_only  # noqa: PLC0415  what asks a host is slow to load; logs need none of it

    return one_look_only(rules)


class _Work:
    """The pipeline with events held back until those of all logs can be put in the order of time."""

    def __init__(self, rules: Sequence[Rule], cache: Path | None, live: "LiveProbe | None", host: str | None) -> None:
        self.scanner = Scanner(rules, formats=all_formats().values(), cache=cache, several_hosts=True)
        self.hosts = BundleHosts(here=host or (live.host if live else None), always=host is not None)
        self.incidents = IncidentTracker(rules, bundle=True, name_of=self.scanner.registry.name_of)
        self.files: list[FileRead] = []
        self.fact_files: list[str] = []
        self._engine = CorrelationEngine(rules, self.scanner.registry)
        self._events: list[Event] = []
        self._facts: list[tuple[Fact, str, str | None]] = [(fact, "", host) for fact in live.facts] if live else []
        self.snapshots: list[tuple[Snapshot, str, str | None]] = [(live.snapshot, "", host)] if live else []
        self._years = YearCorrection()
        self._bytes = 0

    def read(self, entry: BundleEntry, progress: Progress) -> None:
        self.hosts.see_file(entry.path, entry.host)
        if entry.source is None:
            self._facts += [(fact, entry.path, entry.host) for fact in entry.facts]
            self.snapshots += [(entry.snapshot, entry.path, entry.host)] if entry.snapshot else []
            self.fact_files.append(f"{entry.format} ({entry.path})")
        else:
            self.scanner.registry.notice_owner(entry.source.subject, entry.mtime, origin_of(entry.source, None))
        for chunk in entry.chunks():
            self._years.see(chunk)
            self.hosts.see(chunk)
            self._events += self.scanner.feed(chunk)
            self._bytes += len(chunk.data)
            progress(entry.path, self._bytes)
            if len(self._events) > MOST_EVENTS:
                self._observe()
                self.hosts.go_on_unnamed()
        self._years.told(entry)
        self.files.append(FileRead(entry.path, entry.format, entry.lines, entry.bytes, entry.first, entry.last))

    def conclude(self) -> None:
        self.files = [
            replace(read, first=self._years.right(read.path, read.first), last=self._years.right(read.path, read.last))
            for read in self.files
        ]
        self._observe()
        self.incidents.apply(self._engine.tick(self._end()), _NEVER_QUIET)
        for snapshot in self._newest_snapshots():
            found = self._engine.observe(snapshot=snapshot, now=snapshot.at)
            self.incidents.apply(found, _NEVER_QUIET)

    def _newest_snapshots(self) -> Iterable[Snapshot]:
        """One of each host: the last one read."""
        settled = (self.hosts.settled_snapshot(*snapshot) for snapshot in self.snapshots)
        return {snapshot.host: snapshot for snapshot in settled}.values()

    def _end(self) -> float:
        """When the logs end: what had not followed by then did not. Captured text without times is at its end.

        A log that somebody sent ends where he saw the trouble, so it is given a moment; a host that is asked is not.
        """
        ends = [read.last for read in self.files if read.last is not None]
        if not ends:
            return time.time() + _LONG_AFTER
        return max(ends) + (0.0 if self.snapshots else _A_MOMENT)

    def _observe(self) -> None:
        self.hosts.see_events(self._events)
        if self.hosts.several:
            self.scanner.registry.divide(self.hosts.host_of)
        dated = map(self._years.dated, self._events)
        events = sorted(map(self.hosts.settled_event, dated), key=lambda event: event.at)
        facts = [self.hosts.settled_fact(*fact) for fact in self._facts]
        now = max([*(e.at for e in events[-1:]), *(f.at for f in facts)], default=0.0)
        found = self._engine.observe(events, facts=facts, now=now)
        self.incidents.apply(found, _NEVER_QUIET, events)
        self._events, self._facts = [], []


_VARYING = re.compile(r"0x[0-9a-f]+|\d+")


def grouped(records: Iterable[LogRecord]) -> list[UnmatchedError]:
    """Error records that differ only in their numbers, once each, the most frequent first."""
    counts: dict[str, tuple[LogRecord, int]] = {}
    for record in records:
        kind = _VARYING.sub("#", record.text)
        first, count = counts.get(kind, (record, 0))
        counts[kind] = (first, count + 1)
    ordered = sorted(counts.values(), key=lambda pair: -pair[1])
    return [UnmatchedError(r.source.path, r.position.line, r.text, count) for r, count in ordered]
