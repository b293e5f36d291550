"""When one incident explains another: by what its rule says, or because it came first in one operation."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from xenwatch.diagnosis.incidents.bonds import Bonds, NameOf, one_place
from xenwatch.diagnosis.matching.linear import Haystack, first_match
from xenwatch.diagnosis.operations.phases import rank
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.diagnosis import DEPTHS, SEVERITIES, Diagnosis, Evidence
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import GUEST_FIELDS, HOST_FIELDS, KINDS, Subject

LISTED, ONE_RECORD, ONE_OPERATION = 3, 2, 1
"""How sure it is that one explains the other, surest highest: the rule says so, one record says both, one operation
or subject was in trouble twice within the window."""

Order = tuple[bool, int, int, str, int]
"""How early in an operation something failed; see `_order`."""


class Relations:
    """`undated_is_near`: logs at rest, so that a record without a time may belong anywhere in time."""

    def __init__(
        self, rules: Mapping[str, Rule], *, undated_is_near: bool = False, name_of: NameOf | None = None
    ) -> None:
        self._rules = rules
        self.bonds = Bonds(rules, undated_is_near=undated_is_near, name_of=name_of)

    def start(self, incidents: Collection[Incident]) -> None:
        """Before a round of comparisons of these incidents."""
        self.bonds.start(incidents)
        by_rule: dict[str, list[Incident]] = {}
        for incident in incidents:
            by_rule.setdefault(incident.diagnosis.rule, []).append(incident)
        for name, alike in by_rule.items():
            if len(alike) > 1 and name in self._rules:
                self._adopt(alike, self._rules[name])

    def _adopt(self, alike: Collection[Incident], rule: Rule) -> None:
        """Of the incidents of one rule, those that name no guest, or only its number, belong to the one that does."""
        by_guest: dict[str, list[Incident]] = {}
        for incident in alike:
            guest = self.bonds.guest(incident.diagnosis)
            if guest is not None:
                by_guest.setdefault(guest, []).append(incident)
        for nameless in alike:
            if self.bonds.nobodys(nameless.diagnosis):
                among = [i for named in by_guest.values() for i in named]
            elif nameless.diagnosis.subject.name.isdigit():
                among = by_guest.get(self.bonds.guest(nameless.diagnosis) or "", [])
            else:
                continue
            named = [i for i in among if i is not nameless and self._names(i, nameless, rule)]
            if len({self.bonds.guest(i.diagnosis) for i in named}) == 1:
                self.bonds.adopt(nameless.diagnosis, named[0].diagnosis)

    def sureness(self, cause: Incident, symptom: Incident) -> int:
        """0 where `cause` does not explain `symptom`."""
        rule = self._rules.get(cause.diagnosis.rule)
        one_host = cause.diagnosis.subject.host == symptom.diagnosis.subject.host
        if rule is None or cause.id == symptom.id or not one_host:
            return 0
        if not self._may_speak(cause.diagnosis, symptom.diagnosis):
            return 0
        if cause.diagnosis.rule == symptom.diagnosis.rule and self._told_twice(cause, symptom, rule):
            return LISTED
        one, other = cause.diagnosis, symptom.diagnosis
        same_record = self.bonds.same_record(one, other)
        if not same_record and not self._may_be_of_one_time(cause, symptom, rule):
            return 0
        if _lists(rule, other):
            host_wide = rule.reach == "host" or rule.subject != "domain"
            return LISTED if same_record or self.bonds.tied(one, other, host_wide=host_wide) else 0
        return self._unlisted(rule, one, other, same_record=same_record)

    def _may_be_of_one_time(self, cause: Incident, symptom: Incident, rule: Rule) -> bool:
        if not self.bonds.near(cause, symptom, rule.window) or self._was_tried_again(cause, symptom):
            return False
        return self.bonds.has_time(cause) or not _are_two_attempts(cause.diagnosis, symptom.diagnosis)

    def _was_tried_again(self, cause: Incident, symptom: Incident) -> bool:
        """Whether the symptom was seen last in an operation of its own, in which the cause was not seen."""
        last = max((e for e in symptom.diagnosis.evidence if e.operation), key=lambda e: e.at, default=None)
        if last is None or last.at < symptom.last_seen or last.operation in cause.diagnosis.operations:
            return False
        return not self.nearness(cause, symptom)

    def nearness(self, cause: Incident, symptom: Incident) -> int:
        """2: the cause was there when the symptom was seen last; 1: it may have been; 0: only before that."""
        latest = replace(symptom, opened=symptom.last_seen)
        if not self.bonds.near(cause, latest, self._rules[cause.diagnosis.rule].window):
            return 0
        return 1 + (self.bonds.has_time(cause) or not self.bonds.has_time(symptom))

    def _names(self, named: Incident, nameless: Incident, rule: Rule) -> bool:
        """Whether it tells the same trouble and says of which guest; a guest says it of no line but a guest's."""
        believed = named.diagnosis.guest_told <= nameless.diagnosis.guest_told
        return believed and self._told_twice(named, nameless, rule)

    def _may_speak(self, cause: Diagnosis, symptom: Diagnosis) -> bool:
        """What a guest may have written explains nothing but that guest's own trouble."""
        if not cause.guest_told:
            return True
        return str(cause.subject) == str(symptom.subject) or (
            self.bonds.guest(cause) is not None and self.bonds.guest(cause) == self.bonds.guest(symptom)
        )

    def _told_twice(self, named: Incident, nameless: Incident, rule: Rule) -> bool:
        """One trouble told by a log that names the guest or part, and by one that does not or knows its number."""
        one, other = named.diagnosis, nameless.diagnosis
        if not self.bonds.near(named, nameless, rule.window):
            return False
        if not _is_a_part(one.subject, other.subject) and not self._is_named_guest(one, other):
            return False
        shared = [name for name in other.fields if name in HOST_FIELDS or name in GUEST_FIELDS]
        return all(one.fields.get(name) == other.fields[name] for name in shared)

    def _is_named_guest(self, one: Diagnosis, other: Diagnosis) -> bool:
        """Whether the one names a guest and the other nobody, or that guest by its number."""
        if self.bonds.guest(one) is None:
            return False
        a_number = other.subject.name.isdigit() and self.bonds.guest(other) == one.subject.name
        return self.bonds.nobodys(other) or (a_number and one.subject.name != other.subject.name)

    def _unlisted(self, rule: Rule, cause: Diagnosis, symptom: Diagnosis, *, same_record: bool) -> int:
        """One that came first in the same operation, or lies deeper in the same record or trouble of one subject.

        It never hides a second cause, nor what by its rule explains it, whichever came first.
        """
        symptoms_rule = self._rules.get(symptom.rule)
        if cause.severity == "info" or (symptoms_rule is not None and _lists(symptoms_rule, cause)):
            return 0
        deeper = DEPTHS.index(cause.depth) < DEPTHS.index(symptom.depth)
        if same_record and (deeper or _repeated(rule, cause, symptom)):
            return ONE_RECORD
        if self.bonds.same_operation(cause, symptom):
            return ONE_OPERATION if self._came_first(cause, symptom) else 0
        if not deeper or not one_place(cause.subject, symptom.subject):
            return 0
        # What no log ascribed to a guest stands under the host: there, only one log's story is one operation.
        nobodys = cause.subject.is_host or symptom.subject.is_host
        return ONE_OPERATION if not nobodys or self.bonds.tied(cause, symptom, host_wide=False) else 0

    def _came_first(self, cause: Diagnosis, symptom: Diagnosis) -> bool:
        """The first thing to fail in an operation is its cause; a warning alone does not explain why it failed."""
        weak = SEVERITIES.index(cause.severity) < SEVERITIES.index("error") <= SEVERITIES.index(symptom.severity)
        if weak and symptom.depth == "cause":
            return False
        shared = cause.operations & symptom.operations
        return self._order(cause, shared) < self._order(symptom, shared)

    def _order(self, diagnosis: Diagnosis, within: Collection[str]) -> Order:
        """What only passes on that something failed comes last; then the depth, the phase and the place decide."""
        rule = self._rules.get(diagnosis.rule)
        fallback = rule is not None and rule.fallback
        first = min((_place(e) for e in diagnosis.evidence if e.operation in within), default=(0, "", 0))
        return (fallback, DEPTHS.index(diagnosis.depth), *first)


def _are_two_attempts(cause: Diagnosis, symptom: Diagnosis) -> bool:
    """Whether something was done to one guest twice: what has no time need not be of the other time, too."""
    known = cause.operations and symptom.operations and str(cause.subject) == str(symptom.subject)
    return bool(known) and cause.operations.isdisjoint(symptom.operations)


def _place(evidence: Evidence) -> tuple[int, str, int]:
    origin = evidence.origin
    if isinstance(origin, LogRecord):
        return rank(evidence.phase), origin.source.path, origin.position.offset
    return rank(evidence.phase), "", 0


def _lists(rule: Rule, symptom: Diagnosis) -> bool:
    return symptom.rule in rule.explains or f"class:{symptom.class_}" in rule.explains


def _repeated(rule: Rule, cause: Diagnosis, symptom: Diagnosis) -> bool:
    """Whether the symptom's message only passes on another's words, its `reason`, and in those the cause is told.

    `Error creating domain: Boot loader didn't return any data!`, again inside `xend_post: error from xen daemon: …`.
    """
    if cause.depth != symptom.depth or SEVERITIES.index(cause.severity) < SEVERITIES.index(symptom.severity):
        return False
    words = symptom.fields.get("reason")
    if words is None:
        return False
    text = Haystack(words)
    return any(first_match(signature.regex, text) is not None for signature in rule.signatures)


def _is_a_part(one: Subject, other: Subject) -> bool:
    """Whether one is a volume, an array, a bridge of the host that the other is: the kernel often names none."""
    return other.is_host and not one.is_host and one.kind in KINDS and not KINDS[one.kind].of_guest
