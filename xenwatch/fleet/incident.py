"""An incident of the fleet: one cause outside of the hosts, with the hosts' own incidents as its children."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from xenwatch.fleet.host_report import HostIncident
from xenwatch.fleet.rule import FleetRule

INCIDENTS = "/xenwatch/fleet/incidents/"
MOST_CHILDREN = 2000


@dataclass(frozen=True, slots=True)
class FleetIncident:
    """`id` follows from rule and key, so that every hub gives one cause the same one, also after etcd was lost."""

    id: str
    rule: str
    key: str
    title: str
    severity: str
    cause: str
    hosts: tuple[str, ...]
    """In the order in which their incidents reached etcd; no host's clock counts."""
    children: tuple[str, ...]
    """`host/incident id` of each."""
    state: str = "open"

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    @property
    def etcd_key(self) -> str:
        """Where it is kept."""
        return f"{INCIDENTS}{self.id}"

    def as_json(self) -> str:
        """What is kept and served."""
        return json.dumps(asdict(self), separators=(",", ":"))


def fleet_incident_of(text: str) -> FleetIncident | None:
    """The incident of `as_json`; None for any other text."""
    try:
        body = json.loads(text)
        return FleetIncident(**{**body, "hosts": tuple(body["hosts"]), "children": tuple(body["children"])})
    except (ValueError, TypeError, KeyError):
        return None


def judged(
    rules: Sequence[FleetRule], incidents: Iterable[HostIncident], known: Mapping[str, FleetIncident]
) -> dict[str, FleetIncident]:
    """What is to be known of the fleet: what opens, goes on, changes or ends, by id.

    It opens when enough hosts have it in common at once, and ends when the last one's is over: not in between,
    or each host that recovers would page again.
    """
    groups = _groups(rules, incidents)
    result: dict[str, FleetIncident] = {}
    for (rule, key), members in groups.items():
        incident = _incident(rule, key, members)
        is_known = incident.id in known and known[incident.id].is_open
        if is_known or len(incident.hosts) >= rule.least_hosts:
            result[incident.id] = incident
    for id_, before in known.items():
        if before.is_open and id_ not in result:
            result[id_] = replace(before, state="resolved")
    return result


def _groups(
    rules: Sequence[FleetRule], incidents: Iterable[HostIncident]
) -> dict[tuple[FleetRule, str], list[HostIncident]]:
    groups: dict[tuple[FleetRule, str], list[HostIncident]] = {}
    for incident in sorted(incidents, key=lambda incident: (incident.order, incident.host)):
        for rule in rules:
            if incident.is_open and (key := rule.shared(incident)) is not None:
                groups.setdefault((rule, key), []).append(incident)
    return groups


def _incident(rule: FleetRule, key: str, members: Sequence[HostIncident]) -> FleetIncident:
    id_ = hashlib.sha256(f"{rule.id}\0{key}".encode()).hexdigest()[:12]
    hosts = tuple(dict.fromkeys(member.host for member in members))
    children = tuple(f"{member.host}/{member.id}" for member in members[:MOST_CHILDREN])
    return FleetIncident(id_, rule.id, key, rule.title, rule.severity, rule.cause, hosts, children)
