"""Runs the pipeline over logs at rest: a folder, an archive, a file, standard input. Nothing is written anywhere."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from xenwatch.base.errors import InputError
from xenwatch.base.zones import Zone
from xenwatch.diagnosis.hosts import BundleHosts, Origin
from xenwatch.diagnosis.matching.scanned import Scanned
from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.fact import Fact
from xenwatch.model.record import Chunk
from xenwatch.model.sample import Snapshot
from xenwatch.triage.bundle.entry import BundleEntry
from xenwatch.triage.bundle.interruption import Interruption
from xenwatch.triage.bundle.reader import Bundle
from xenwatch.triage.history import history_of
from xenwatch.triage.large_files import jobs_for, large_files
from xenwatch.triage.report import FileRead, KernelShown, Report, SkippedFile
from xenwatch.triage.unread import XEN, unmatched, with_unread
from xenwatch.triage.versions import XenVersions

if TYPE_CHECKING:
    from xenwatch.triage.live_probe import LiveProbe

Progress = Callable[[str, int], None]
"""Told the path being read and the bytes read so far."""

_LONG_AFTER = 86400.0
_A_MOMENT = 30.0
_NO_END = float("inf")


def diagnose(
    paths: Sequence[str],
    rules: Sequence[Rule],
    *,
    cache: Path | None = None,
    utc_offset: Zone = 0.0,
    live: "LiveProbe | None" = None,
    host: str | None = None,
    stdin: BinaryIO | None = None,
    any_program: bool = False,
    jobs: int | None = 1,
    progress: Progress = lambda _path, _count: None,
) -> Report:
    """Read everything below `paths` and say what is wrong.

    `utc_offset`: the zone of local times; `live`: what the running host told; `host`: of which all of it is; `stdin`
    stands in for standard input; `any_program`: text that says nothing of Xen is welcome, too; `jobs`: processes that
    scan large files, None: as is best. Ctrl-C ends it early. InputError: nothing is readable, or nothing is from Xen.
    """
    began, now, interruption = time.monotonic(), time.time(), Interruption()
    bundle = Bundle(paths, now=now, utc_offset=utc_offset, host=host, stdin=stdin, interruption=interruption)
    hosts = BundleHosts(here=host or (live.host if live else None), always=bool(host))
    workers, ahead = _workers(paths, jobs, (rules, cache, now, utc_offset, host), interruption)
    pipeline = Pipeline(rules, cache=cache, owners=bundle.device_models, hosts=hosts, at_rest=True, ahead=ahead)
    reading = BundleReading(pipeline, hosts, live)
    reading.is_of_xen |= any_program
    with interruption, workers:
        reading.read_all(chain(live.logs(host) if live else (), bundle.entries()), progress)
    _conclude(reading, interruption)
    _refuse_what_says_nothing(reading, bundle, paths, live)
    return replace(
        reading.report(hosts),
        skipped=tuple(SkippedFile(s.path, s.reason) for s in bundle.skipped),
        facts=(*reading.fact_files, *(live.answered if live else ())),
        unasked=_unasked(reading, rules, live),
        hosts=hosts.names or ((live.host,) if live is not None and live.host else ()),
        interrupted=_cut_short(reading, interruption),
        utc_offset=utc_offset,
        seconds=time.monotonic() - began,
    )


def _cut_short(reading: "BundleReading", interruption: Interruption) -> str | None:
    return (interruption.path or reading.files[-1].path) if interruption.is_requested else None


def _workers(
    paths: Sequence[str],
    jobs: int | None,
    task: tuple[Sequence[Rule], Path | None, float, Zone, str | None],
    interruption: Interruption,
) -> tuple[AbstractContextManager[object], Callable[[Chunk], Scanned | None] | None]:
    """Those that scan ahead, and what tells of a chunk what they found; nobody where nobody is worth its start."""
    files = large_files(paths) if jobs != 1 else []
    many = jobs_for(paths, files, jobs)
    if many < 2:  # noqa: PLR2004
        return nullcontext(), None
    from xenwatch.triage.scan_worker import ScanTask  # noqa: PLC0415  few bundles are so large
    from xenwatch.triage.side_by_side import SideBySide  # noqa: PLC0415

    workers = SideBySide(ScanTask(*task), files, many, lambda: interruption.is_requested)
    return workers, workers.scanned


def _conclude(reading: "BundleReading", interruption: Interruption) -> None:
    if interruption.is_requested and not reading.files:
        raise KeyboardInterrupt
    reading.conclude(all_read=not interruption.is_requested)


def _refuse_what_says_nothing(
    reading: "BundleReading", bundle: Bundle, paths: Sequence[str], live: "LiveProbe | None"
) -> None:
    if not reading.files and live is None:
        why = "; ".join(f"{s.path}: {s.reason}" for s in bundle.skipped[:5]) or "there is no file in it"
        raise InputError(f"nothing could be read from {', '.join(paths)}: {why}")
    pipeline = reading.pipeline
    if not (reading.is_of_xen or pipeline.incidents.all() or pipeline.scanner.unread.total):
        raise InputError(f"none of what was read is from Xen: {_files_text(reading.files, live)}")


def _unasked(reading: "BundleReading", rules: Sequence[Rule], live: "LiveProbe | None") -> tuple[SkippedFile, ...]:
    return (*(live.silent if live else ()), *(_one_look_only(rules) if reading.has_snapshot else ()))


def _is_of_xen(fact: Fact) -> bool:
    return bool(fact.value) and (fact.name.startswith("xen.") or fact.name == "domain.names")


def _files_text(files: Sequence[FileRead], live: "LiveProbe | None") -> str:
    if live is not None:
        return "this machine is not a dom0, and its logs say nothing about Xen"
    names = [f"{file.path} ({file.format})" for file in files]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004


def compile_signatures(rules: Sequence[Rule], cache: Path) -> None:
    """Put into the cache what `diagnose` needs of it, where it can be kept: so it is done while others wait."""
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    if os.access(place, os.W_OK):
        Scanner(rules, cache=cache)


def _one_look_only(rules: Sequence[Rule]) -> list[SkippedFile]:
    from xenwatch.triage.live_probe import one_look_only  # noqa: PLC0415  what asks a host is slow to load; logs need none of it

    return one_look_only(rules)


class BundleReading:
    """One pass of a pipeline over all entries of a bundle, and what it saw of them."""

    def __init__(self, pipeline: Pipeline, hosts: BundleHosts | None = None, live: "LiveProbe | None" = None) -> None:
        """`hosts` is the pipeline's."""
        self.pipeline, self._hosts = pipeline, hosts or BundleHosts()
        self.fact_files: list[str] = []
        self.has_snapshot = False
        self.is_of_xen = False
        """Whether anything that was read is about Xen."""
        self.captured: set[str] = set()
        """Logs that hold what somebody saw when a command failed."""
        self._files: list[FileRead] = []
        self._versions = XenVersions()
        self._bytes = 0
        if live is not None:
            self.is_of_xen = any(_is_of_xen(fact) for fact in live.facts)
            self._versions.learn(live.facts)
            self.pipeline.facts(live.facts)
            self._take(live.snapshot)

    def read_all(self, entries: Iterable[BundleEntry], progress: Progress) -> None:
        """Read all of them, one after the other."""
        for entry in entries:
            self.read(entry, progress)

    def read(self, entry: BundleEntry, progress: Progress = lambda _path, _count: None) -> None:
        """Read one entry to its end."""
        origin = self._hosts.see_file(entry.path, entry.host)
        if entry.facts:
            self.pipeline.facts(entry.facts, origin)
            self._versions.learn(entry.facts)
        if entry.is_printed:
            self._take(entry.snapshot, origin)
            self.fact_files.append(f"{entry.format} ({entry.path})")
        elif entry.source is not None and entry.source.format.captured:
            self.captured.add(entry.path)
        self.is_of_xen |= entry.is_printed or (entry.source is not None and not entry.source.format.foreign)
        for chunk in entry.chunks():
            self.is_of_xen = self.is_of_xen or XEN.search(chunk.data) is not None
            self._versions.read(chunk.data)
            self.pipeline.read(chunk)
            self._bytes += len(chunk.data)
            progress(entry.path, self._bytes)
            if self.pipeline.is_full:
                self.pipeline.conclude(_NO_END)
        kernels = self._kernels(entry)
        read = FileRead(entry.path, entry.format, entry.lines, entry.bytes, entry.first, entry.last, kernels)
        self._files.append(read)

    def _kernels(self, entry: BundleEntry) -> tuple[KernelShown, ...]:
        if entry.source is None:
            return ()
        known = self.pipeline.scanner.kernels.known(entry.source)
        return tuple(KernelShown(role, host, evidence) for host, (role, evidence) in known.items())

    def conclude(self, *, all_read: bool = True) -> None:
        """Judge what was read: the logs end here. Where not all was read, what did not follow may stand in the rest."""
        self.pipeline.conclude(_NO_END)
        if all_read:
            self.pipeline.tick(self._end())

    @property
    def files(self) -> list[FileRead]:
        """The logs that were read, with the times of their first and last records."""
        right = self.pipeline.years.right
        return [
            replace(file, first=right(file.path, file.first), last=right(file.path, file.last)) for file in self._files
        ]

    def report(self, hosts: BundleHosts) -> Report:
        """What follows from all that was read."""
        pipeline, files = self.pipeline, tuple(self.files)
        incidents = with_unread(pipeline.incidents.all(), pipeline.scanner.unread)
        history = history_of(incidents, pipeline.operations.by_id(), self.captured)
        return Report(
            incidents=tuple(map(hosts.named, history.in_order(incidents))),
            files=files,
            earlier=history.earlier,
            unmatched=unmatched(pipeline.scanner.unread),
            unread=pipeline.scanner.unread.total,
            matched_rules=tuple(dict.fromkeys(rule for rule, _, _ in pipeline.matches)),
            versions=self._versions.names,
            years_assumed=frozenset(file.path for file in files if pipeline.years.is_guessed(file.path)),
        )

    def _take(self, snapshot: Snapshot | None, origin: Origin = Origin()) -> None:  # noqa: B008 - frozen
        if snapshot is not None:
            self.pipeline.snapshot(snapshot, origin)
            self.has_snapshot = True

    def _end(self) -> float:
        """When the logs end: what had not followed by then did not. Captured text without times is at its end.

        A log that somebody sent ends where he saw the trouble, so it is given a moment; a host that is asked is not.
        """
        ends = [file.last for file in self.files if file.last is not None]
        if not ends:
            return time.time() + _LONG_AFTER
        return max(ends) + (0.0 if self.has_snapshot else _A_MOMENT)
