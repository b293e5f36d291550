"""A fleet rule: which incidents of hosts have one cause outside of the hosts, by what they have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenwatch.base.toml_file import read_toml
from xenwatch.fleet.host_report import HostIncident


@dataclass(frozen=True, slots=True, eq=False)
class FleetRule:
    """Incidents of one of `rules` or `classes` with the same value in a field, on enough hosts at once."""

    id: str
    title: str
    severity: str
    key: tuple[str, ...]
    """Fields that name what they have in common; the first that an incident has counts."""
    rules: frozenset[str]
    classes: frozenset[str]
    least_hosts: int
    cause: str
    verify: tuple[str, ...]
    tests: tuple[Mapping[str, Any], ...]

    def shared(self, incident: HostIncident) -> str | None:
        """What the incident has in common with others; None where the rule is not about it."""
        if incident.rule not in self.rules and incident.class_ not in self.classes:
            return None
        return next((incident.fields[name] for name in self.key if incident.fields.get(name)), None)


def fleet_rules() -> tuple[FleetRule, ...]:
    """Those that come with xenwatch: the TOML files in the folder `rules` beside this module."""
    found = sorted((Path(__file__).parent / "rules").glob("*.toml"))
    return tuple(_rule(path.stem, read_toml(path)[1]) for path in found)


def _rule(id_: str, body: Mapping[str, Any]) -> FleetRule:
    return FleetRule(
        id_,
        body["title"],
        body["severity"],
        tuple(body["key"]),
        frozenset(body.get("rules", ())),
        frozenset(body.get("classes", ())),
        body.get("least_hosts", 3),
        body["cause"],
        tuple(body["verify"]),
        tuple(body["tests"]),
    )
