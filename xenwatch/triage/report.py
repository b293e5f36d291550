"""The result of `diagnose`, as data: incidents in order, what was read, what could not be, what no rule matches."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from xenwatch.base.zones import Zone
from xenwatch.model.diagnosis import SEVERITIES, Evidence, Severity, distinct
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import Subject


@dataclass(frozen=True, slots=True)
class KernelShown:
    """Which kernel writes in a log: dom0, guest or driver; of the host that its lines name, if they do."""

    role: str
    host: str
    evidence: tuple[str, ...]
    """The lines that show it."""


@dataclass(frozen=True, slots=True)
class FileRead:
    """One log that was read; `first` and `last` are the times of its first and last dated record, if any."""

    path: str
    format: str
    lines: int
    bytes: int
    first: float | None = None
    last: float | None = None
    kernels: tuple[KernelShown, ...] = ()
    """Those about which its lines leave no doubt."""


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """Something that was not read, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class UnmatchedError:
    """A record at error level that no rule matches; `count` like it were seen."""

    file: str
    line: int
    text: str
    count: int = 1
    guest: bool = False
    """A guest wrote it, or may have."""


@dataclass(frozen=True, slots=True)
class Report:
    """`incidents` come most likely root cause first; symptoms that are explained stand behind their causes."""

    incidents: tuple[Incident, ...]
    files: tuple[FileRead, ...]
    skipped: tuple[SkippedFile, ...] = ()
    unmatched: tuple[UnmatchedError, ...] = ()
    """Errors that no rule knows, like by like."""
    unread: int = 0
    """How many they are in all."""
    earlier: frozenset[str] = frozenset()
    """Ids of incidents that are history: they concern other guests or attempts than the one asked about."""
    facts: tuple[str, ...] = ()
    """The commands and files that facts about the host came from: `xl info`, `brctl show` …"""
    unasked: tuple[SkippedFile, ...] = ()
    """On a running host: what did not answer, and what one look cannot show."""
    older: int = 0
    """Incidents left out because they ended before the time that was asked about."""
    filtered: int = 0
    """Incidents left out because other subjects or more severe ones were asked for."""
    matched_rules: tuple[str, ...] = ()
    """Ids of the rules that a line matched, also of those that concluded nothing from it."""
    hosts: tuple[str, ...] = ()
    """Names of the hosts that the logs, the bundle or the operator say all of this is of."""
    versions: tuple[str, ...] = ()
    """The versions of Xen that the logs or the saved output of `xl info` name."""
    interrupted: str | None = None
    """The file that was being read at Ctrl-C; what comes after it was not read."""
    years_assumed: frozenset[str] = frozenset()
    """Paths of the logs of which neither they nor another log beside them says the year."""
    utc_offset: Zone = 0.0
    """The zone that the logs' times are shown in."""
    seconds: float = field(default=0.0, compare=False)

    @property
    def causes(self) -> tuple[Incident, ...]:
        """The incidents that nothing else explains."""
        return tuple(i for i in self.incidents if i.explained_by is None and i.id not in self.earlier)

    @property
    def history(self) -> tuple[Incident, ...]:
        """The causes that stand under "Earlier"."""
        return tuple(i for i in self.incidents if i.explained_by is None and i.id in self.earlier)

    @property
    def exit_code(self) -> int:
        """1: incidents; 3: none that a rule knows, but error lines that none knows; 0: nothing of the kind."""
        if any(i.diagnosis.severity != "info" for i in self.incidents):
            return 1
        return 3 if self.unmatched and not (self.filtered or self.older) else 0

    def explained_by(self, cause: Incident) -> tuple[Incident, ...]:
        """The symptoms that this cause accounts for, directly or through another symptom."""
        children = tuple(i for i in self.incidents if i.explained_by == cause.id and i.id != cause.id)
        return children + tuple(far for child in children for far in self.explained_by(child))

    @property
    def end(self) -> float:
        """The latest moment in the logs or incidents."""
        ends = [f.last for f in self.files if f.last is not None] + [i.last_seen for i in self.incidents]
        return max(ends, default=0.0)

    def since(self, moment: float) -> "Report":
        """Only what was still seen at `moment` or later, and what was explained by it; undated incidents stay."""
        kept = self._families(lambda incident: _seen_since(incident, moment))
        return replace(self, incidents=kept, older=self.older + len(self.incidents) - len(kept))

    def only(self, subjects: Collection[str]) -> "Report":
        """Only what is about one of these (`domain/web`, `xen1:domain/web`, `web`), its cause, and what it explains."""
        return self._filtered(self._families(lambda incident: bool(_names(incident.diagnosis.subject) & {*subjects})))

    def at_least(self, severity: Severity) -> "Report":
        """Only what is of this severity or a higher one, its cause, and what it explains."""
        least = SEVERITIES.index(severity)
        return self._filtered(self._families(lambda i: SEVERITIES.index(i.diagnosis.severity) >= least))

    def _filtered(self, kept: tuple[Incident, ...]) -> "Report":
        return replace(self, incidents=kept, filtered=self.filtered + len(self.incidents) - len(kept))

    def _families(self, is_wanted: Callable[[Incident], bool]) -> tuple[Incident, ...]:
        """Causes with all that they explain, where one of them is wanted."""
        families = [(cause, *self.explained_by(cause)) for cause in self.causes]
        wanted = {i.id for family in families if any(map(is_wanted, family)) for i in family}
        return tuple(i for i in self.incidents if i.id in wanted)


def log_evidence(evidence: Iterable[Evidence]) -> Iterator[tuple[Evidence, LogRecord]]:
    """The pieces of evidence that are log records, each record once."""
    for piece in distinct(evidence):
        if isinstance(piece.origin, LogRecord):
            yield piece, piece.origin


def _names(subject: Subject) -> set[str]:
    return {str(subject), f"{subject.kind}/{subject.name}", subject.name}


def _seen_since(incident: Incident, moment: float) -> bool:
    dated = any(record.logged for _, record in log_evidence(incident.diagnosis.evidence))
    return incident.last_seen >= moment or not dated
