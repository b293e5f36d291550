"""What a rule concludes, and what it rests on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from xenwatch.model.fact import Fact
from xenwatch.model.record import LogRecord
from xenwatch.model.sample import Sample
from xenwatch.model.subject import Subject

Severity = Literal["info", "warning", "error", "critical"]
Depth = Literal["cause", "mechanism", "symptom"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "critical")
DEPTHS: tuple[Depth, ...] = ("cause", "mechanism", "symptom")


class Evidence(NamedTuple):
    """One thing a person can check."""

    at: float
    summary: str
    origin: LogRecord | Sample | Fact | None = None
    operation: str | None = None
    """Id of the operation during which it was seen."""
    phase: str | None = None
    """How far that operation had got."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A rule's conclusion about a subject, with the rule's words filled in from what was seen."""

    rule: str
    class_: str
    subject: Subject
    severity: Severity
    title: str
    summary: str
    cause: str
    at: float
    impact: str = ""
    """What it means for the people who use the guest."""
    depth: Depth = "cause"
    verify: tuple[str, ...] = ()
    remedy: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    unchecked: tuple[str, ...] = ()
    """What the rule would have liked to know and could not learn here, in words."""
    actions: tuple[str, ...] = ()
    """Names of remediation actions the rule offers, most fitting first."""
    aliases: tuple[str, ...] = ()
    """Ids that the rule had before; a policy or a stored incident may still name one."""
    experimental: bool = False
    """The rule has not proved itself: nothing is done on its word alone."""
    guest_told: bool = False
    """It rests on words that a guest may have written: it accuses, explains and ends nothing but that guest's own."""

    @property
    def operations(self) -> frozenset[str]:
        """Ids of the operations during which its evidence was seen."""
        return frozenset(e.operation for e in self.evidence if e.operation is not None)


def seen_again(known: Diagnosis, record: LogRecord, piece: Evidence) -> Diagnosis:
    """The conclusion that rests on that record, from another one that says the same: `piece` stands for it now."""
    if len(known.evidence) == 1 and known.evidence[0].origin is record:
        return _told_by(known, (piece,), _first_line(piece), piece.at)
    evidence = tuple(piece if one.origin is record else one for one in known.evidence)
    told_by_it = any(one.origin is record and _first_line(one) == known.summary for one in known.evidence)
    return _told_by(known, evidence, _first_line(piece) if told_by_it else known.summary, piece.at)


def _told_by(known: Diagnosis, evidence: tuple[Evidence, ...], summary: str, at: float) -> Diagnosis:
    return Diagnosis(
        known.rule,
        known.class_,
        known.subject,
        known.severity,
        known.title,
        summary,
        known.cause,
        at,
        known.impact,
        known.depth,
        known.verify,
        known.remedy,
        evidence,
        known.fields,
        known.unchecked,
        known.actions,
        known.aliases,
        known.experimental,
        known.guest_told,
    )


def _first_line(piece: Evidence) -> str:
    return piece.summary.split("\n", 1)[0]


def distinct(evidence: Iterable[Evidence]) -> Iterator[Evidence]:
    """All pieces of evidence, each log record once."""
    places = set()
    for piece in evidence:
        if isinstance(piece.origin, LogRecord):
            place = (piece.origin.source.path, piece.origin.position)
            if place in places:
                continue
            places.add(place)
        yield piece
