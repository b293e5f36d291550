"""Which incidents are history: what happened to other guests, or in an earlier attempt, before what is asked about.

Captured output of a command, or standard input, is the question. Where there is none, the last attempt that failed is.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.operation import Operation
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import UNKNOWN

_A_MOMENT = 5.0


@dataclass(frozen=True, slots=True)
class _CauseFamily:
    """A cause and what it explains."""

    cause: Incident
    members: tuple[Incident, ...]

    @property
    def guest(self) -> str | None:
        """The guest that it is about; None where it is about the host, or about guests that differ or have no name."""
        names = {i.diagnosis.subject.name for i in self.members if i.diagnosis.subject.kind == "domain"} - {UNKNOWN}
        return min(names) if len(names) == 1 else None

    def tells(self, classes: Collection[str]) -> bool:
        """Whether it is the same trouble as one of these, told with the name of the guest that it is about."""
        return any(i.diagnosis.class_ in classes for i in self.members)

    @property
    def is_loud(self) -> bool:
        return any(i.diagnosis.severity in ("error", "critical") for i in self.members)

    @property
    def last_seen(self) -> float | None:
        """None where one of its lines has no time."""
        dated = all(_dated(i.diagnosis) for i in self.members)
        return max(i.last_seen for i in self.members) if dated else None


def earlier(
    incidents: Iterable[Incident], operations: Mapping[str, Operation], captured: Collection[str]
) -> frozenset[str]:
    """Ids of the incidents that stand under "Earlier"; `captured` are paths of logs that hold a command's output."""
    families = _families(incidents)
    paths = frozenset(captured)
    asked = [f for f in families if any(not paths.isdisjoint(_paths(i.diagnosis)) for i in f.members)]
    if asked:
        guests, known = {f.guest for f in asked}, {f.cause.id for f in asked}
        others = [f for f in families if f.cause.id not in known and f.last_seen is not None]
        nobodys = {f.cause.diagnosis.class_ for f in asked if f.guest is None}
        old = [f for f in others if f.guest is not None and f.guest not in guests and not f.tells(nobodys)]
    else:
        old = _before_the_last(families, operations)
    return frozenset(i.id for f in old for i in f.members)


def _before_the_last(families: list[_CauseFamily], operations: Mapping[str, Operation]) -> list[_CauseFamily]:
    dated = [f for f in families if f.guest is not None and f.is_loud and f.last_seen is not None]
    if not dated:
        return []
    last = max(dated, key=lambda f: f.last_seen or 0.0)
    began = [o.started for i in last.members for key in i.diagnosis.operations if (o := operations.get(key))]
    start = min([s for s in began if s is not None] or [min(i.opened for i in last.members)])
    return [
        f
        for f in families
        if f is not last and f.guest is not None and f.last_seen is not None and f.last_seen < start - _A_MOMENT
    ]


def _families(incidents: Iterable[Incident]) -> list[_CauseFamily]:
    everyone, explained = list(incidents), dict[str, list[Incident]]()
    for incident in everyone:
        if incident.explained_by not in (None, incident.id):
            explained.setdefault(str(incident.explained_by), []).append(incident)
    return [
        _CauseFamily(cause, (cause, *explained.get(cause.id, ())))
        for cause in everyone
        if cause.explained_by is None and cause.state != "resolved"
    ]


def _paths(diagnosis: Diagnosis) -> set[str]:
    return {e.origin.source.path for e in diagnosis.evidence if isinstance(e.origin, LogRecord)}


def _dated(diagnosis: Diagnosis) -> bool:
    return all(e.origin.logged for e in diagnosis.evidence if isinstance(e.origin, LogRecord))
