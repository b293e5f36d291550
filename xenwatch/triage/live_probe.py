"""One look at the running host for `diagnose --live` and `collect`: facts, a snapshot, and what did not answer."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from xenwatch.base.clock import Clock
from xenwatch.base.plurals import count_text
from xenwatch.config.assembly import collectors_of
from xenwatch.config.sections import Config
from xenwatch.diagnosis.hosts import host_name
from xenwatch.diagnosis.rules.rule import AllOf, AnyOf, Condition, MetricCondition, Rule
from xenwatch.facts.live import PART_DEADLINE, detect
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.files import read_text
from xenwatch.host.host import Host, is_control_domain, open_host
from xenwatch.host.paths import Paths
from xenwatch.logs.files.discover import LogPatterns
from xenwatch.logs.journal_history import BootLog
from xenwatch.logs.sources.journald import Spawn
from xenwatch.model.fact import Fact
from xenwatch.model.sample import Snapshot
from xenwatch.sampling.sampler import Sampler
from xenwatch.triage.bundle.entry import BundleEntry
from xenwatch.triage.live_journal import journal_entry, live_journal
from xenwatch.triage.report import SkippedFile

AT_ONCE = 16
"""Collectors that run at a time: more of them keep a small dom0 from answering any within its deadline."""

Progress = Callable[[str], None]
"""Told what is waited for, in words for people."""

T = TypeVar("T")

_NEXT_TRY = re.compile(r"; next attempt in .*")


def _in_silence(_words: str) -> None: ...


@dataclass(frozen=True, slots=True)
class LiveProbe:
    """What the host answered, and what it did not."""

    facts: tuple[Fact, ...]
    snapshot: Snapshot
    answered: tuple[str, ...]
    """The sources that answered, in words for people: `xl`, `xenstore`, the number of collectors."""
    silent: tuple[SkippedFile, ...]
    """Interfaces and collectors that gave no answer, each with the reason."""
    host: str | None = None
    """The host's own name."""
    boots: tuple[BootLog, ...] = ()
    """The journal, oldest boot first, if it was asked for and no syslog file holds the same lines."""

    def logs(self, host: str | None = None) -> Iterator[BundleEntry]:
        """The journal as one log for each boot; `host` is the name of the host, if the operator gave it."""
        return (journal_entry(boot, host) for boot in self.boots)


async def look(
    config: Config,
    clock: Clock,
    paths: Paths = Paths(),  # noqa: B008 - frozen
    *,
    journal: int = 0,
    progress: Progress = _in_silence,
) -> LiveProbe:
    """Connect to the host, read everything once, disconnect. It also works without Xen, with fewer answers."""
    sampling = config.sampling
    host = open_host(
        clock, paths=paths, libvirt_uri=sampling.libvirt_uri or None, ssh=sampling.ssh, simulated=sampling.simulated
    )
    try:
        return await look_through(host, config, journal=journal, progress=progress)
    finally:
        await host.close()


async def look_through(
    host: Host, config: Config, *, journal: int = 0, spawn: Spawn | None = None, progress: Progress = _in_silence
) -> LiveProbe:
    """The same over connections that are open already. `journal`: at most so many bytes of it; 0: none."""
    collectors = collectors_of(config.sampling)
    sampler, answers = Sampler(collectors, host, host.clock), _Answers(progress, len(collectors) + 2)
    snapshot, (facts, late), history = await asyncio.gather(
        sampler.take_once(at_once=AT_ONCE, wrap=answers.counted),
        answers.counted("facts", _facts(host)),
        answers.counted("journal", live_journal(host, config.logs, spawn or SystemRunner().lines, journal)),
    )
    silent = [*_no_xen(host), *_shut(host), *_failed(snapshot), *late]
    silent += [SkippedFile("journal", reason) for reason in history.missing]
    name = await asyncio.to_thread(own_name, host)
    return LiveProbe(tuple(facts), snapshot, _answered(facts, snapshot), tuple(silent), name, history.boots)


def own_name(host: Host) -> str | None:
    """What the host calls itself; None where it calls itself localhost, as every host does at first."""
    return host_name((read_text(host.paths.at("proc/sys/kernel/hostname")) or "localhost").strip())


def log_paths(config: Config) -> list[str]:
    """The logs that the configuration names and that exist now."""
    places = LogPatterns(config.logs.paths)
    return sorted(places.logs(places.directories()))


def one_look_only(rules: Iterable[Rule]) -> list[SkippedFile]:
    """The rules about what lasts or grows: a running agent can check them, one look cannot."""
    timed = sum(any(_takes_time(part) for part in _parts(rule.when)) for rule in rules)
    return [
        SkippedFile(
            count_text(timed, "rule"), "about what lasts or grows: one look cannot show it, a running agent can"
        )
    ]


def _parts(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from _parts(part)
    else:
        yield condition


def _takes_time(condition: Condition) -> bool:
    return isinstance(condition, MetricCondition) and (condition.hold > 0 or condition.rate is not None)


async def _facts(host: Host) -> tuple[list[Fact], list[SkippedFile]]:
    late: list[str] = []
    facts = await detect(host, once=True, late=late)
    return facts, [SkippedFile(f"facts: {name}", f"no answer within {PART_DEADLINE:g} s") for name in late]


class _Answers:
    """Tells how many of the questions that were asked side by side are answered."""

    def __init__(self, progress: Progress, questions: int) -> None:
        self._progress, self._questions, self._answered, self._open = progress, questions, 0, dict[str, None]()

    async def counted(self, name: str, question: Awaitable[T]) -> T:
        self._open[name] = None
        try:
            return await question
        finally:
            self._open.pop(name, None)
            self._answered += 1
            self._tell()

    def _tell(self) -> None:
        waiting = f"; waiting for {next(iter(self._open))}" if self._open else ""
        self._progress(f"asking this host: {self._answered} of {self._questions} answered{waiting}")


def _answered(facts: list[Fact], snapshot: Snapshot) -> tuple[str, ...]:
    origins = {fact.origin for fact in facts if fact.origin}
    working = sum(health.ok and health.last_success is not None for health in snapshot.health.values())
    return (*sorted(origins), f"{working} of {len(snapshot.health)} collectors")


def _no_xen(host: Host) -> list[SkippedFile]:
    if is_control_domain(host.paths):
        return []
    return [SkippedFile("Xen", "this machine is not a dom0 (/proc/xen/capabilities has no control_d)")]


def _shut(host: Host) -> list[SkippedFile]:
    """The interfaces of Xen; for libvirt, its collectors give the reason."""
    return [
        SkippedFile(name, "does not answer")
        for name, up in sorted(host.sources().items())
        if not up and name != "libvirt"
    ]


def _failed(snapshot: Snapshot) -> list[SkippedFile]:
    """Collectors that failed, by reason; those without anything to measure here (no md, no iSCSI) did not fail."""
    reasons: dict[str, list[str]] = {}
    for health in snapshot.health.values():
        if not health.ok:
            reason = _NEXT_TRY.sub("", health.error or "failed")
            reasons.setdefault(reason, []).append(health.collector)
    return [SkippedFile(f"collectors {', '.join(names)}", reason) for reason, names in reasons.items()]
