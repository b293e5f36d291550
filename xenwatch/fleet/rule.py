"""A fleet rule: which incidents of hosts have one cause outside of the hosts, by what they have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenwatch.base.toml_file import read_toml

ANY_CLASS = "*"


@dataclass(frozen=True, slots=True, eq=False)
class FleetRule:
    """Incidents of one of `rules` or `classes` with the same value in a field, on enough hosts at once."""

    id: str
    title: str
    severity: str
    key: tuple[str, ...]
    """Fields that name what they have in common; the first that an incident has counts. Empty: the fact does."""
    key_fact: str
    """The kind of facts of hosts that says who shares the key; of `name=value` the field is the name."""
    pattern: str
    """A field (in a contrast: a fact) that does not match it whole names nothing that is the same on every host."""
    needs_fact: bool
    """A field that no fact explains does not count: `vg0` is another group on every host."""
    is_contrast: bool
    """The key is the class and the fact, where hosts with another value of the fact do not have it."""
    is_twice: bool
    """No incidents: one value of the fact on two hosts is what is wrong."""
    is_of_guest: bool
    """The key is the guest that they are about: on two hosts, it is the same one where its UUID is."""
    hold: float
    """Seconds for which it must last."""
    rules: frozenset[str]
    classes: frozenset[str]
    least_hosts: int
    cause: str
    verify: tuple[str, ...]
    tests: tuple[Mapping[str, Any], ...]


def fleet_rules() -> tuple[FleetRule, ...]:
    """Those that come with xenwatch: the TOML files in the folder `rules` beside this module."""
    found = sorted((Path(__file__).parent / "rules").glob("*.toml"))
    return tuple(_rule(path.stem, read_toml(path)[1]) for path in found)


def _rule(id_: str, body: Mapping[str, Any]) -> FleetRule:
    return FleetRule(
        id_,
        body["title"],
        body["severity"],
        tuple(body.get("key", ())),
        body.get("key_fact", ""),
        body.get("pattern", ""),
        body.get("needs_fact", False),
        body.get("contrast", False),
        body.get("twice", False),
        body.get("of_guest", False),
        float(body.get("hold", 0)),
        frozenset(body.get("rules", ())),
        frozenset(body.get("classes", ())),
        body.get("least_hosts", 3),
        body["cause"],
        tuple(body["verify"]),
        tuple(body["tests"]),
    )
