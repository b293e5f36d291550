"""What ties two incidents together: a record, an operation, a guest, a thing; time alone ties nothing."""

from collections.abc import Callable, Iterable, Mapping

from xenwatch.diagnosis.attribution import UNKNOWN
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import KINDS, Subject

NameOf = Callable[[int, float, str | None], str | None]
"""The name that a domid had at a time on a host."""

Place = tuple[str, str, int]
"""Path, generation and offset of a record."""

THINGS = (
    "bridge",
    "vg",
    "lv",
    "path",
    "mount",
    "pci",
    "bdf",
    "sr",
    "array",
    "pool",
    "map",
    "server",
    "session",
    "cpu",
    "unit",
)
"""Fields that name a part of the host: it is one and the same for every guest that uses it."""
DEVICES = ("domain", "domid", "uuid", "device", "vif", "vbd", "vdev", "interface")
"""Fields that name a guest or a device of one: another guest may have a device of that name."""


class Bonds:
    """`undated_is_near`: logs at rest, so that a record without a time may belong anywhere in time."""

    def __init__(
        self, rules: Mapping[str, Rule], *, undated_is_near: bool = False, name_of: NameOf | None = None
    ) -> None:
        self._rules, self._undated_is_near = rules, undated_is_near
        self._name_of = name_of or (lambda _domid, _at, _host: None)
        self._records: dict[int, frozenset[Place]] = {}
        self._one_guest = True

    def start(self, incidents: Iterable[Incident]) -> None:
        """Before a round of comparisons of these incidents."""
        self._records.clear()
        guests = {guest for i in incidents if (guest := self.guest(i.diagnosis)) is not None}
        self._one_guest = len(guests) <= 1

    def same_record(self, one: Diagnosis, other: Diagnosis) -> bool:
        return not self._places(one).isdisjoint(self._places(other))

    @staticmethod
    def same_operation(one: Diagnosis, other: Diagnosis) -> bool:
        return not one.operations.isdisjoint(other.operations)

    def near(self, one: Incident, other: Incident, window: float) -> bool:
        """Whether they lie within the window, or at least one of them carries no time."""
        if self._undated_is_near and not (_dated(one.diagnosis) and _dated(other.diagnosis)):
            return True
        return one.opened - window <= other.last_seen and other.opened <= one.last_seen + window

    def tied(self, cause: Diagnosis, symptom: Diagnosis, *, host_wide: bool) -> bool:
        """Whether there is a bond; `host_wide`: the cause may have befallen several guests at once."""
        if self.same_operation(cause, symptom) or self._same_subject(cause, symptom):
            return True
        one, other = self.guest(cause), self.guest(symptom)
        if _shares(cause, symptom, THINGS):
            return True
        if one is not None and other is not None:
            return one == other
        if _shares(cause, symptom, DEVICES):
            return True
        # One of them names no guest. In time that is written down, a cause on the host reaches whoever fails then;
        # without it, only where there is but one guest that can be meant.
        return (host_wide or self.nobodys(cause) or self.nobodys(symptom)) and (
            self._one_guest or (_dated(cause) and _dated(symptom))
        )

    def guest(self, diagnosis: Diagnosis) -> str | None:
        """The name (or number) of the guest it is about; None where it is about no guest, or about one unnamed."""
        subject = diagnosis.subject
        if subject.kind != "domain" or subject.name == UNKNOWN:
            return None
        if not subject.name.isdigit():
            return subject.name
        return self._name_of(int(subject.name), diagnosis.at, subject.host) or subject.name

    def nobodys(self, diagnosis: Diagnosis) -> bool:
        """A rule about guests whose record named none, and so did all around it."""
        rule = self._rules.get(diagnosis.rule)
        about_guests = rule is not None and rule.subject != "host"
        return about_guests and (diagnosis.subject.is_host or diagnosis.subject.name == UNKNOWN)

    def _same_subject(self, one: Diagnosis, other: Diagnosis) -> bool:
        if one_place(one.subject, other.subject):
            on_the_host = one.subject.is_host or other.subject.is_host
            return not on_the_host or bool(_paths(one) & _paths(other))
        return one.subject.domid is not None and one.subject.domid == other.subject.domid

    def _places(self, diagnosis: Diagnosis) -> frozenset[Place]:
        """Where it was told; a round compares everybody with everybody, so it is made once."""
        key = id(diagnosis)
        if key not in self._records:
            self._records[key] = frozenset(
                (e.origin.source.path, e.origin.position.generation, e.origin.position.offset)
                for e in diagnosis.evidence
                if isinstance(e.origin, LogRecord)
            )
        return self._records[key]


def one_place(one: Subject, other: Subject) -> bool:
    """The same subject, or the host itself and a disk, an array, a bridge of it."""
    if str(one) == str(other):
        return True
    return any(a.is_host and not KINDS[b.kind].of_guest for a, b in ((one, other), (other, one)) if b.kind in KINDS)


def _shares(one: Diagnosis, other: Diagnosis, names: tuple[str, ...]) -> bool:
    return any(name in one.fields and one.fields[name] == other.fields.get(name) for name in names)


def _paths(diagnosis: Diagnosis) -> set[str]:
    return {e.origin.source.path for e in diagnosis.evidence if isinstance(e.origin, LogRecord)}


def _dated(diagnosis: Diagnosis) -> bool:
    return all(e.origin.logged for e in diagnosis.evidence if isinstance(e.origin, LogRecord))
