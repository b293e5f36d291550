"""Which incidents are history: what happened to other guests, or in an earlier attempt, before what is asked about.

Captured output of a command, or standard input, is the question. Where there is none, the last trouble that began is.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from xenwatch.diagnosis.incidents.times import ZONES
from xenwatch.diagnosis.operations.placement import LASTS
from xenwatch.logs.rotated_name import rotated_name
from xenwatch.model.diagnosis import DEPTHS, Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.operation import Operation
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import UNKNOWN

_LOUD = ("error", "critical")
_A_MOMENT = 5.0
_AT_ONCE = 60.0
"""Seconds in which one trouble shows itself in several places, where no operation says when it began."""
_FEW = 4
"""What came more often is no attempt of somebody's."""
_STILL_FELT = 600.0
"""Seconds for which what the host suffered may be the reason of what comes next, though nothing ties the two."""
_LONG_FELT = 3600.0
"""The same of what is critical."""


class History(NamedTuple):
    """Ids of incidents: `earlier` stand under "Earlier", `before` only stand behind what came after them."""

    earlier: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()

    def in_order(self, incidents: Iterable[Incident]) -> list[Incident]:
        """What is asked about first; each group keeps the order that it comes in."""
        return sorted(incidents, key=self._turn)

    def _turn(self, incident: Incident) -> int:
        if incident.id in self.earlier:
            return 3
        if incident.explained_by is not None or incident.state == "resolved":
            return 2
        return int(incident.id in self.before)


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
        return any(i.diagnosis.severity in _LOUD for i in self.members)

    @property
    def last_seen(self) -> float | None:
        """None where one of its lines has no time."""
        return self.ended if all(_dated(i.diagnosis) for i in self.members) else None

    @property
    def began(self) -> float | None:
        """When it came the last time; of what comes again and again, when it came first. None: no line has a time."""
        times = sorted(r.at for i in self.members for r in _records(i.diagnosis) if r.logged)
        if not times:
            return None
        starts = [at for before, at in zip([-_AT_ONCE, *times], times, strict=False) if at - before > _AT_ONCE]
        return starts[-1] if len(starts) <= _FEW else starts[0]

    @property
    def ended(self) -> float:
        """When it was seen last, at the latest: a line without a time is older than the last change of its log."""
        return max(i.last_seen for i in self.members)


def history_of(
    incidents: Iterable[Incident], operations: Mapping[str, Operation], captured: Collection[str]
) -> History:
    """`captured` are paths of logs that hold a command's output."""
    families = _families(incidents)
    paths = frozenset(captured)
    asked = [f for f in families if any(not paths.isdisjoint(_paths(i.diagnosis)) for i in f.members)]
    earlier, before = _besides(asked, families) if asked else _before_the_last(families, operations)
    return History(frozenset(i.id for f in earlier for i in f.members), frozenset(f.cause.id for f in before))


_Parted = tuple[list[_CauseFamily], list[_CauseFamily]]
"""Families that are history, and those that only stand behind the present one."""


def _besides(asked: list[_CauseFamily], families: list[_CauseFamily]) -> _Parted:
    guests, known, now = {f.guest for f in asked}, {f.cause.id for f in asked}, max(f.ended for f in asked)
    nobodys = {f.cause.diagnosis.class_ for f in asked if f.guest is None}
    others = [f for f in families if f.cause.id not in known and not f.tells(nobodys)]
    placed = [f for f in others if f.last_seen is not None or f.ended < now - _LONG_FELT]
    earlier = [f for f in placed if f.guest is not None and f.guest not in guests]
    says_why = [f for f in asked if f.is_loud and DEPTHS.index(f.cause.diagnosis.depth) == 0]
    start = min((f.ended for f in says_why), default=0.0)
    return earlier, [f for f in placed if f not in earlier and f.ended < start - _felt(f)]


def _before_the_last(families: list[_CauseFamily], operations: Mapping[str, Operation]) -> _Parted:
    began = {f.cause.id: at for f in families if f.is_loud and (at := f.began) is not None}
    if not began:
        return [], []
    last = max((f for f in families if f.cause.id in began), key=lambda f: began[f.cause.id])
    start = _start(last, began[last.cause.id], operations)
    over = [f for f in families if f is not last and _is_over(f, last, start)]
    earlier = [f for f in over if f.guest is not None]
    return earlier, [f for f in over if f.guest is None and f.ended < start - _felt(f)]


def _start(last: _CauseFamily, began: float, operations: Mapping[str, Operation]) -> float:
    """What was written before this moment does not belong to it."""
    keys = {key for i in last.members for key in i.diagnosis.operations}
    starts = [o.started for key in keys if (o := operations.get(key)) is not None and o.started is not None]
    begun = [at for at in starts if began - LASTS <= at <= began]
    return min(begun) - _A_MOMENT if begun else began - _AT_ONCE


def _is_over(family: _CauseFamily, last: _CauseFamily, start: float) -> bool:
    """Whether all of it was written before: no line without a time is younger than the last change of its log."""
    loud = [i for i in family.members if i.diagnosis.severity in _LOUD] or family.members
    records = [record for i in loud for record in _records(i.diagnosis)]
    undated = [record for record in records if not record.logged and not _is_rotated(record)]
    dated = [record.at for record in records if record.logged]
    if max(dated, default=0.0) >= start:
        return False
    others = None not in (family.guest, last.guest) and family.guest != last.guest
    slack = 0.0 if dated or others else ZONES
    return all(record.at < start - slack for record in undated)


def _is_rotated(record: LogRecord) -> bool:
    """Whether the program that wrote there has begun a new log since."""
    name = record.source.path.rpartition("/")[2]
    return rotated_name(name).age != rotated_name("").age


def _felt(family: _CauseFamily) -> float:
    return _LONG_FELT if any(i.diagnosis.severity == "critical" for i in family.members) else _STILL_FELT


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


def _records(diagnosis: Diagnosis) -> list[LogRecord]:
    return [e.origin for e in diagnosis.evidence if isinstance(e.origin, LogRecord)]


def _paths(diagnosis: Diagnosis) -> set[str]:
    return {record.source.path for record in _records(diagnosis)}


def _dated(diagnosis: Diagnosis) -> bool:
    return all(record.logged for record in _records(diagnosis))
