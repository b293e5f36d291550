"""Orders incidents as a person should read them: the most likely root cause first."""

from collections import Counter
from collections.abc import Collection, Iterable

from xenwatch.model.diagnosis import DEPTHS, SEVERITIES
from xenwatch.model.incident import Incident

Rank = tuple[bool, bool, int, bool, int, bool, int, int, int, float, str]


def ranked(incidents: Iterable[Incident]) -> list[Incident]:
    """What explains itself first: open before over, loud before weak, critical before the rest, deep before shallow.

    Then what names the guest that it has hit before the same trouble without a name, and what explains most.
    """
    everyone = list(incidents)
    named = {i.diagnosis.class_ for i in everyone if not i.diagnosis.subject.is_host and i.explained_by is None}
    explains = Counter(i.explained_by for i in everyone if i.explained_by and i.diagnosis.severity != "info")
    return sorted(everyone, key=lambda incident: _rank(incident, explains[incident.id], named))


def _rank(incident: Incident, explained: int, named: Collection[str]) -> Rank:
    diagnosis = incident.diagnosis
    severity = SEVERITIES.index(diagnosis.severity)
    return (
        incident.explained_by is not None,
        incident.state == "resolved",
        _weakness(severity, explained),
        diagnosis.severity != "critical",
        DEPTHS.index(diagnosis.depth),
        diagnosis.subject.is_host and diagnosis.class_ in named,
        -explained,
        -severity,
        -len(diagnosis.fields),
        incident.opened,
        incident.id,
    )


def _weakness(severity: int, explained: int) -> int:
    """A mere warning that accounts for nothing is not why somebody is looking at these logs; a note is even less."""
    return 2 if severity == 0 else int(severity == 1 and not explained)
