"""Which incidents of which hosts belong together by a rule: by a field, by a fact of the hosts, by a version."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from xenwatch.fleet.host_report import HostIncident
from xenwatch.fleet.rule import ANY_CLASS, FleetRule
from xenwatch.model.subject import without_transit

HostFacts = Mapping[str, Mapping[str, Sequence[str]]]
"""By host, then by kind: what the host says it has, `value` or `name=value`."""
_GUEST = "domain/"
_LEAST_SHARE = 0.2
_LEAST_HOSTS = 2
_LEAST_OTHERS = 3
_CHANCE = 0.05
"""A version is behind a class of failures where so many hosts would have it in common by chance this seldom."""


class Member(NamedTuple):
    """A host that has it in common, with its incident; a rule over facts alone has none."""

    host: str
    incident: str = ""


class OpenIncidents:
    """Those that are open, in etcd's order, by what a rule asks for: each rule is about few of the thousands."""

    def __init__(self, incidents: Iterable[HostIncident]) -> None:
        self._all = sorted((one for one in incidents if one.is_open), key=_order)
        self._by_rule: dict[str, list[HostIncident]] = {}
        self._by_class: dict[str, list[HostIncident]] = {}
        for incident in self._all:
            self._by_rule.setdefault(incident.rule, []).append(incident)
            self._by_class.setdefault(incident.class_, []).append(incident)

    def about(self, rule: FleetRule) -> Sequence[HostIncident]:
        """Each once; the class `*` is any."""
        if ANY_CLASS in rule.classes:
            return self._all
        found = [one for id_ in rule.rules for one in self._by_rule.get(id_, ())]
        found += [one for c in rule.classes for one in self._by_class.get(c, ()) if one.rule not in rule.rules]
        return sorted(found, key=_order)


def _order(incident: HostIncident) -> tuple[int, str]:
    return incident.order, incident.host


def groups_of(rule: FleetRule, incidents: OpenIncidents, facts: HostFacts) -> dict[str, list[Member]]:
    """What is in common and who has it, in the order of the incidents."""
    if rule.is_twice:
        return _twice(rule, facts)
    if rule.is_contrast:
        return _contrast(rule, incidents, facts)
    if rule.is_of_guest:
        return _of_guest(rule, incidents, facts)
    groups: dict[str, list[Member]] = {}
    for incident in incidents.about(rule):
        for key in _keys(rule, incident, facts.get(incident.host, {})):
            groups.setdefault(key, []).append(Member(incident.host, incident.id))
    return groups


class Sharing:
    """How many hosts have a value of a fact; counted once for all that is asked in one look at the fleet."""

    def __init__(self, facts: HostFacts) -> None:
        self._facts = facts
        self._counted: dict[str, Counter[str]] = {}

    def hosts(self, kind: str, value: str) -> int:
        """0 where none tells of it."""
        if kind not in self._counted:
            told = (set(map(_value, about.get(kind, ()))) for about in self._facts.values())
            self._counted[kind] = Counter(value for values in told for value in values)
        return self._counted[kind][value]


def is_enough(rule: FleetRule, key: str, hosts: int, sharing: Sharing) -> bool:
    """So many hosts that the cause must be outside of them; of few that share it, a fifth of them, and two at least."""
    if hosts >= rule.least_hosts:
        return True
    if hosts < _LEAST_HOSTS or not rule.key_fact:
        return False
    having = sharing.hosts(rule.key_fact, key)
    return having > 0 and hosts >= _LEAST_SHARE * having


def _keys(rule: FleetRule, incident: HostIncident, about: Mapping[str, Sequence[str]]) -> Iterable[str]:
    facts = about.get(rule.key_fact, ())
    if not rule.key:
        return dict.fromkeys(map(_value, facts))
    field = next((incident.fields[name] for name in rule.key if incident.fields.get(name)), "")
    if not field or (rule.pattern and not re.fullmatch(rule.pattern, field)):
        return _unnamed(facts) if rule.needs_fact else ()
    named = [_value(fact) for fact in facts if fact.startswith(f"{field}=")]
    return named[:1] or (_unnamed(facts) if rule.needs_fact else (field,))


def _unnamed(facts: Sequence[str]) -> list[str]:
    """What holds for the whole host, such as the switch that its configuration names."""
    return [fact for fact in facts if "=" not in fact]


def _value(fact: str) -> str:
    return fact.rpartition("=")[2]


def _twice(rule: FleetRule, facts: HostFacts) -> dict[str, list[Member]]:
    groups: dict[str, list[Member]] = {}
    for host in sorted(facts):
        for value in dict.fromkeys(map(_value, facts[host].get(rule.key_fact, ()))):
            groups.setdefault(value, []).append(Member(host))
    return {value: members for value, members in groups.items() if len(members) > 1}


def _of_guest(rule: FleetRule, incidents: OpenIncidents, facts: HostFacts) -> dict[str, list[Member]]:
    """Where it runs, its host knows its UUID; where it only was to arrive, it is the one that the fleet knows so."""
    guests = [one for one in incidents.about(rule) if one.subject.startswith(_GUEST)]
    about = [(one, without_transit(one.subject.removeprefix(_GUEST))) for one in guests]
    names = {name for _, name in about}
    uuids = {host: dict(_named(facts[host].get(rule.key_fact, ()), names)) for host in (facts if names else ())}
    groups: dict[str, list[Member]] = {}
    for incident, name in about:
        known = {uuid[name] for uuid in uuids.values() if name in uuid}
        own = uuids.get(incident.host, {}).get(name) or (known.pop() if len(known) == 1 else "")
        if own or not known:
            groups.setdefault(f"{name} {own}".rstrip(), []).append(Member(incident.host, incident.id))
    return groups


def _named(facts: Iterable[str], names: Collection[str]) -> Iterator[tuple[str, str]]:
    for fact in facts:
        name, _, value = fact.rpartition("=")
        if name in names:
            yield name, value


def _contrast(rule: FleetRule, incidents: OpenIncidents, facts: HostFacts) -> dict[str, list[Member]]:
    """A class of failures on hosts of one version alone, beside enough hosts of others that do not have it."""
    by_class: dict[str, list[Member]] = {}
    for incident in incidents.about(rule):
        is_serious = incident.severity in ("error", "critical")
        if is_serious and facts.get(incident.host, {}).get(rule.key_fact):
            by_class.setdefault(incident.class_, []).append(Member(incident.host, incident.id))
    versions = {host: about[rule.key_fact][0] for host, about in facts.items() if about.get(rule.key_fact)}
    return dict(_one_version(by_class, versions, rule.pattern))


def _one_version(
    by_class: Mapping[str, list[Member]], versions: Mapping[str, str], pattern: str
) -> Iterator[tuple[str, list[Member]]]:
    for class_, members in by_class.items():
        hosts = {member.host for member in members}
        having = {versions[host] for host in hosts}
        version = next(iter(having))
        if pattern and not re.fullmatch(pattern, version):
            continue
        with_it = sum(value == version for value in versions.values())
        by_chance = (with_it / len(versions)) ** len(hosts)
        if len(having) == 1 and len(versions) - with_it >= _LEAST_OTHERS and by_chance < _CHANCE:
            yield f"{class_} {version}", members
