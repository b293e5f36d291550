"""When one incident explains another: what the rules say, whose trouble it is, and how far apart they lie."""

from collections.abc import Callable, Mapping

from xenwatch.diagnosis.rules.patterns import compiled
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.diagnosis import DEPTHS, SEVERITIES, Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import Subject

_TELLING = (
    "domain",
    "domid",
    "uuid",
    "device",
    "vif",
    "vbd",
    "vdev",
    "bridge",
    "vg",
    "lv",
    "path",
    "mount",
    "pci",
    "sr",
    "array",
    "pool",
    "map",
    "server",
    "interface",
    "session",
)
"""Captured fields that two troubles of one thing share."""

_GUESTS_KINDS = frozenset({"domain", "vbd", "vif"})
"""Kinds of subjects that belong to a guest; every other is a part of the host."""

Place = tuple[str, str, int]
"""Path, generation and offset of a record."""

NameOf = Callable[[int, float, str | None], str | None]
"""The name that a domid had at a time on a host."""

LISTED, ONE_RECORD, ONE_OPERATION = 3, 2, 1
"""How sure it is that one explains the other, surest highest: the rule says so, one record says both, one subject
was in trouble twice within the window."""


class Relations:
    """`undated_is_near`: in a bundle, a record without a time may belong anywhere, so time does not part it."""

    def __init__(
        self, rules: Mapping[str, Rule], *, undated_is_near: bool = False, name_of: NameOf | None = None
    ) -> None:
        self._rules, self._undated_is_near = rules, undated_is_near
        self._name_of = name_of or (lambda _domid, _at, _host: None)
        self._told_in: dict[int, set[Place]] = {}

    def start_over(self) -> None:
        """Before a round of comparisons: what was remembered of the diagnoses of the last one goes."""
        self._told_in.clear()

    def sureness(self, cause: Incident, symptom: Incident) -> int:
        """0 where `cause` does not explain `symptom`."""
        rule = self._rules.get(cause.diagnosis.rule)
        one_host = cause.diagnosis.subject.host == symptom.diagnosis.subject.host
        if rule is None or cause.id == symptom.id or not one_host:
            return 0
        if cause.diagnosis.guest_told and not self._same_guest(cause.diagnosis, symptom.diagnosis):
            return 0
        if cause.diagnosis.rule == symptom.diagnosis.rule:
            return LISTED if self._told_twice(cause, symptom, rule) else 0
        same_record = not self._records(cause.diagnosis).isdisjoint(self._records(symptom.diagnosis))
        if not same_record and not self._near(cause, symptom, rule.window):
            return 0
        if _lists(rule, symptom.diagnosis):
            related = rule.reach == "host" or same_record or self._same_thing(cause.diagnosis, symptom.diagnosis)
            return LISTED if related else 0
        return self._unlisted(rule, cause.diagnosis, symptom.diagnosis, same_record=same_record)

    def _told_twice(self, named: Incident, nameless: Incident, rule: Rule) -> bool:
        """One trouble told by a log that names the guest and by one that does not, or names it by number."""
        one, other = named.diagnosis, nameless.diagnosis
        a_number = other.subject.name.isdigit() and self._name(other) == one.subject.name
        if not (self._nobodys(other) or a_number) or self._nobodys(one) or not self._near(named, nameless, rule.window):
            return False
        return all(one.fields.get(name) == other.fields[name] for name in _TELLING if name in other.fields)

    def _unlisted(self, rule: Rule, cause: Diagnosis, symptom: Diagnosis, *, same_record: bool) -> int:
        """A deeper trouble of the same subject. Never hides a second cause: only what lies nearer to the surface."""
        if cause.severity == "info":
            return 0
        deeper = DEPTHS.index(cause.depth) < DEPTHS.index(symptom.depth)
        if same_record and (deeper or _repeated(rule, cause, symptom)):
            return ONE_RECORD
        if not deeper or not _one_place(cause.subject, symptom.subject):
            return 0
        # What no log ascribed to a guest stands under the host: there, only one log's story is one operation.
        nobodys = cause.subject.is_host or symptom.subject.is_host
        return ONE_OPERATION if not nobodys or _paths(cause) & _paths(symptom) else 0

    def _same_guest(self, one: Diagnosis, other: Diagnosis) -> bool:
        return one.subject.kind == other.subject.kind and self._name(one) == self._name(other)

    def _same_thing(self, one: Diagnosis, other: Diagnosis) -> bool:
        if _one_place(one.subject, other.subject) or self._nobodys(one) or self._nobodys(other):
            return True
        if one.subject.kind == other.subject.kind and self._name(one) == self._name(other):
            return True
        if one.subject.domid is not None and one.subject.domid == other.subject.domid:
            return True
        if one.subject.name in other.fields.values() or other.subject.name in one.fields.values():
            return True
        return any(name in one.fields and one.fields[name] == other.fields.get(name) for name in _TELLING)

    def _nobodys(self, diagnosis: Diagnosis) -> bool:
        """A rule about domains whose record named none: it may be anybody's."""
        rule = self._rules.get(diagnosis.rule)
        return rule is not None and rule.subject != "host" and diagnosis.subject.is_host

    def _records(self, diagnosis: Diagnosis) -> set[Place]:
        """Where it was told; a round compares everybody with everybody, so it is made once."""
        key = id(diagnosis)
        if key not in self._told_in:
            self._told_in[key] = _records(diagnosis)
        return self._told_in[key]

    def _name(self, diagnosis: Diagnosis) -> str:
        """The subject's name; for a mere domid the name that it turned out to have."""
        name, host = diagnosis.subject.name, diagnosis.subject.host
        return (self._name_of(int(name), diagnosis.at, host) or name) if name.isdigit() else name

    def _near(self, cause: Incident, symptom: Incident, window: float) -> bool:
        if self._undated_is_near and not (_dated(cause.diagnosis) and _dated(symptom.diagnosis)):
            return True
        return cause.opened - window <= symptom.last_seen and symptom.opened <= cause.last_seen + window


def _one_place(one: Subject, other: Subject) -> bool:
    """The same subject, or the host itself and a disk, an array, a bridge of it."""
    if str(one) == str(other):
        return True
    return any(a.is_host and b.kind not in _GUESTS_KINDS for a, b in ((one, other), (other, one)))


def _lists(rule: Rule, symptom: Diagnosis) -> bool:
    return symptom.rule in rule.explains or f"class:{symptom.class_}" in rule.explains


def _repeated(rule: Rule, cause: Diagnosis, symptom: Diagnosis) -> bool:
    """Whether the symptom's message only passes on another's words, its `reason`, and in those the cause is told.

    `Error creating domain: Boot loader didn't return any data!`, again inside `xend_post: error from xen daemon: …`.
    """
    if cause.depth != symptom.depth or SEVERITIES.index(cause.severity) < SEVERITIES.index(symptom.severity):
        return False
    words = symptom.fields.get("reason")
    return words is not None and any(compiled(signature.regex).search(words) for signature in rule.signatures)


def _records(diagnosis: Diagnosis) -> set[Place]:
    return {
        (e.origin.source.path, e.origin.position.generation, e.origin.position.offset)
        for e in diagnosis.evidence
        if isinstance(e.origin, LogRecord)
    }


def _paths(diagnosis: Diagnosis) -> set[str]:
    return {e.origin.source.path for e in diagnosis.evidence if isinstance(e.origin, LogRecord)}


def _dated(diagnosis: Diagnosis) -> bool:
    return all(e.origin.logged for e in diagnosis.evidence if isinstance(e.origin, LogRecord))
