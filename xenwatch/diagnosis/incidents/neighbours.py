"""Which incidents may be the cause of one: found by what ties them, so that nobody is compared with everybody."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping

from xenwatch.diagnosis.incidents.bonds import Bonds
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.incident import Incident
from xenwatch.model.subject import KINDS, Subject

_Ties = defaultdict[Hashable, list[Incident]]


class Neighbours:
    """Of the incidents of one round. Whatever `Relations.sureness` finds between two, `may_explain` names the one."""

    def __init__(self, incidents: Iterable[Incident], rules: Mapping[str, Rule], bonds: Bonds) -> None:
        self._bonds = bonds
        self._of_rule: _Ties = defaultdict(list)
        self._at_place: _Ties = defaultdict(list)
        self._in_operation: _Ties = defaultdict(list)
        self._of_subject: _Ties = defaultdict(list)
        self._listing: _Ties = defaultdict(list)
        """By a rule, or `class:` and a class: those that explain it by what their rules say."""
        for incident in incidents:
            self._add(incident, rules)

    def _add(self, incident: Incident, rules: Mapping[str, Rule]) -> None:
        diagnosis, basis = incident.diagnosis, self._bonds.basis(incident.diagnosis)
        self._of_rule[diagnosis.rule].append(incident)
        for place in basis.places:
            self._at_place[place].append(incident)
        for operation in basis.operations:
            self._in_operation[operation].append(incident)
        for key in _keys(diagnosis.subject):
            self._of_subject[key].append(incident)
        rule = rules.get(diagnosis.rule)
        for listed in rule.explains if rule is not None else ():
            self._listing[listed].append(incident)

    def may_explain(self, symptom: Incident) -> Iterator[Incident]:
        """Each incident once that may be the cause, the symptom itself among them."""
        seen: set[str] = set()
        for group in self._groups(symptom):
            for incident in group:
                if incident.id not in seen:
                    seen.add(incident.id)
                    yield incident

    def _groups(self, symptom: Incident) -> Iterator[list[Incident]]:
        diagnosis, basis = symptom.diagnosis, self._bonds.basis(symptom.diagnosis)
        yield self._listing.get(diagnosis.rule, [])
        yield self._listing.get(f"class:{diagnosis.class_}", [])
        if diagnosis.subject.name.isdigit() or self._bonds.nobodys(diagnosis):
            yield self._of_rule[diagnosis.rule]  # the same told of a guest that is named
        yield from (self._at_place[place] for place in basis.places)
        yield from (self._in_operation[operation] for operation in basis.operations)
        yield self._of_subject[str(diagnosis.subject)]
        if diagnosis.subject.is_host:
            yield self._of_subject[_PART_OF_HOST]
        if _is_part_of_host(diagnosis.subject):
            yield self._of_subject[_HOST]


_HOST, _PART_OF_HOST = ("host",), ("part of the host",)


def _keys(subject: Subject) -> Iterator[Hashable]:
    yield str(subject)
    if subject.is_host:
        yield _HOST
    if _is_part_of_host(subject):
        yield _PART_OF_HOST


def _is_part_of_host(subject: Subject) -> bool:
    return subject.kind in KINDS and not KINDS[subject.kind].of_guest
