"""An incident of the fleet: one cause outside of the hosts, with the hosts' own incidents as its children."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from xenwatch.fleet.grouping import HostFacts, Member, OpenIncidents, Sharing, groups_of, is_enough
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
    rules: Sequence[FleetRule],
    incidents: Iterable[HostIncident],
    known: Mapping[str, FleetIncident],
    facts: HostFacts | None = None,
) -> dict[str, FleetIncident]:
    """What is to be known of the fleet: what opens, goes on, changes or ends, by id.

    It opens when enough hosts have it in common at once, and ends when the last one's is over: not in between,
    or each host that recovers would page again.
    """
    ordered, sharing = OpenIncidents(incidents), Sharing(facts or {})
    result: dict[str, FleetIncident] = {}
    for rule in rules:
        for key, members in groups_of(rule, ordered, facts or {}).items():
            incident = _incident(rule, key, members)
            is_known = incident.id in known and known[incident.id].is_open
            if is_known or is_enough(rule, key, len(incident.hosts), sharing):
                result[incident.id] = incident
    for id_, before in known.items():
        if before.is_open and id_ not in result:
            result[id_] = replace(before, state="resolved")
    return result


def _incident(rule: FleetRule, key: str, members: Sequence[Member]) -> FleetIncident:
    id_ = hashlib.sha256(f"{rule.id}\0{key}".encode()).hexdigest()[:12]
    hosts = tuple(dict.fromkeys(member.host for member in members))
    children = tuple(f"{member.host}/{member.incident}" for member in members[:MOST_CHILDREN] if member.incident)
    return FleetIncident(id_, rule.id, key, rule.title, rule.severity, rule.cause, hosts, children)
