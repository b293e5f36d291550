"""What ties two incidents together: a record, an operation, a guest, a thing; time alone ties nothing."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from xenwatch.base import lazy_re as re
from xenwatch.diagnosis.incidents.times import ZONES
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import GUEST_FIELDS, HOST_FIELDS, KINDS, Subject, without_transit

_DEVICES = frozenset(kind.name for kind in KINDS.values() if kind.of_guest) - {"domain"}
_OF_DOMID = re.compile(r"(?:vif|tap|vbd)-?(\d{1,8})[.-]\d")
"""What the backends call a guest's device: `vif5.0` is one of domid 5."""

NameOf = Callable[[int, float, str | None], str | None]
"""The name that a domid had at a time on a host."""

Place = tuple[str, str, int]
"""Path, generation and offset of a record."""


class Bonds:
    """`undated_is_near`: logs at rest, so that a record without a time may belong anywhere in time."""

    def __init__(
        self, rules: Mapping[str, Rule], *, undated_is_near: bool = False, name_of: NameOf | None = None
    ) -> None:
        self._rules, self._undated_is_near = rules, undated_is_near
        self._name_of = name_of or (lambda _domid, _at, _host: None)
        self._bases: dict[int, tuple[Diagnosis, _Basis]] = {}
        """What diagnoses rest on, by their identity; each with the diagnosis, so that it stays the one meant."""
        self._one_guest = True
        self._guests_of_nameless: dict[int, str] = {}

    def start(self, incidents: Iterable[Incident]) -> None:
        """Before a round of comparisons of these incidents."""
        incidents = list(incidents)
        known = (self._bases.get(id(incident.diagnosis)) for incident in incidents)
        self._bases = {id(kept[0]): kept for kept in known if kept is not None}
        # Not those that only a guest writes about: it must not change how the host's incidents are read.
        believed = [i.diagnosis for i in incidents if not i.diagnosis.guest_told]
        guests = {guest for diagnosis in believed if (guest := self.guest(diagnosis)) is not None}
        self._one_guest = len(guests) <= 1
        self._guests_of_nameless.clear()

    def adopt(self, nameless: Diagnosis, named: Diagnosis) -> None:
        """For this round: the nameless one tells the same trouble, so it is about the same guest and no other."""
        guest = self.guest(named)
        if guest is not None:
            self._guests_of_nameless[id(nameless)] = guest

    def same_record(self, one: Diagnosis, other: Diagnosis) -> bool:
        return not self.basis(one).places.isdisjoint(self.basis(other).places)

    def same_operation(self, one: Diagnosis, other: Diagnosis) -> bool:
        return not self.basis(one).operations.isdisjoint(self.basis(other).operations)

    def near(self, one: Incident, other: Incident, window: float) -> bool:
        """Whether they lie within the window. What carries no time may have been written long before it was read.

        It is older than the last change of its log, as far as the zone of the other's times is known.
        """
        first, last = self._span(one)
        began, ended = self._span(other)
        return first - window <= ended and began <= last + window

    def has_time(self, incident: Incident) -> bool:
        """Whether its times are those of lines, and not only of the reading of them."""
        return not self._undated_is_near or self.basis(incident.diagnosis).dated

    def _span(self, incident: Incident) -> tuple[float, float]:
        if self.has_time(incident):
            return incident.opened, incident.last_seen
        return float("-inf"), incident.last_seen + ZONES

    def tied(self, cause: Diagnosis, symptom: Diagnosis, *, host_wide: bool) -> bool:
        """Whether there is a bond; `host_wide`: the cause may have hit several guests at once."""
        if self.same_operation(cause, symptom) or self._same_subject(cause, symptom):
            return True
        one, other = self.guest(cause), self.guest(symptom)
        if _shares(cause, symptom, HOST_FIELDS):
            return True
        if one is not None and other is not None:
            return one == other
        if _shares(cause, symptom, GUEST_FIELDS):
            return True
        # One of them names no guest. What came at one time, on a running host or by the logs' own times, is told of
        # whoever fails then; without times, only where there is but one guest that can be meant.
        if host_wide and not self.nobodys(cause) and other is not None and symptom.depth == "cause":
            return False  # the guest's own trouble is known, and nothing but the time says that it has another reason
        timed = not self._undated_is_near or (self.basis(cause).dated and self.basis(symptom).dated)
        return (host_wide or self.nobodys(cause) or self.nobodys(symptom)) and (timed or self._one_guest)

    def guest(self, diagnosis: Diagnosis) -> str | None:
        """The name (or number) of the guest it is about; None where it is about no guest, or about one unnamed."""
        subject = diagnosis.subject
        if owner := _OF_DOMID.match(subject.name) if subject.kind in _DEVICES else None:
            return self._name_of(int(owner[1]), diagnosis.at, subject.host) or owner[1]
        if subject.kind != "domain" or not subject.is_named:
            return self._guests_of_nameless.get(id(diagnosis))
        if not subject.name.isdigit():
            return without_transit(subject.name)  # both ends of a migration are one guest
        return self._name_of(int(subject.name), diagnosis.at, subject.host) or subject.name

    def nobodys(self, diagnosis: Diagnosis) -> bool:
        """A rule about guests, where neither the record nor any around it named one."""
        rule = self._rules.get(diagnosis.rule)
        about_guests = rule is not None and rule.subject != "host"
        return about_guests and (diagnosis.subject.is_host or not diagnosis.subject.is_named)

    def _same_subject(self, one: Diagnosis, other: Diagnosis) -> bool:
        if one_place(one.subject, other.subject):
            on_the_host = one.subject.is_host or other.subject.is_host
            return not on_the_host or bool(_paths(one) & _paths(other))
        return one.subject.domid is not None and one.subject.domid == other.subject.domid

    def basis(self, diagnosis: Diagnosis) -> "_Basis":
        """What it rests on: made once as long as it takes part in the rounds."""
        kept = self._bases.get(id(diagnosis))
        if kept is None:
            kept = self._bases[id(diagnosis)] = (diagnosis, _basis(diagnosis))
        return kept[1]


class _Basis(NamedTuple):
    """What a diagnosis rests on: the places of its records, whether all have a time, the operations they stand in."""

    places: frozenset[Place]
    dated: bool
    operations: frozenset[str]


def _basis(diagnosis: Diagnosis) -> _Basis:
    records = [e.origin for e in diagnosis.evidence if isinstance(e.origin, LogRecord)]
    places = frozenset((r.source.path, r.position.generation, r.position.offset) for r in records)
    return _Basis(places, all(record.logged for record in records), diagnosis.operations)


def one_place(one: Subject, other: Subject) -> bool:
    """The same subject, or the host itself and a disk, an array, a bridge of it."""
    if str(one) == str(other):
        return True
    return any(a.is_host and not KINDS[b.kind].of_guest for a, b in ((one, other), (other, one)) if b.kind in KINDS)


def _shares(one: Diagnosis, other: Diagnosis, names: frozenset[str]) -> bool:
    return any(name in one.fields and one.fields[name] == other.fields.get(name) for name in names)


def _paths(diagnosis: Diagnosis) -> set[str]:
    return {e.origin.source.path for e in diagnosis.evidence if isinstance(e.origin, LogRecord)}
