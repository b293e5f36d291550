"""What a host tells the fleet of itself and of an incident: small JSON, evidence by reference."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from xenwatch.model.incident import Incident

PREFIX = "/xenwatch/hosts/"
LARGEST = 2048
"""Bytes of one incident."""
_LONGEST_TEXT = 300
_LONGEST_FIELD = 120
_MOST_FIELDS = 8
_MOST_VALUES = 1000
_TEXTS = ("rule", "class", "severity", "subject", "summary", "state")


@dataclass(frozen=True, slots=True)
class HostIncident:
    """An incident of one host, as the hub sees it; `order` is etcd's, in which no host's clock plays a part."""

    host: str
    id: str
    rule: str
    class_: str
    severity: str
    subject: str
    summary: str
    state: str
    opened: float
    fields: Mapping[str, str]
    order: int = 0

    @property
    def is_open(self) -> bool:
        return self.state != "resolved"


def host_prefix(host: str) -> str:
    """All keys of that host, and no key of another."""
    return f"{PREFIX}{host}/"


def self_key(host: str) -> str:
    """The key that says that the host is there."""
    return f"{host_prefix(host)}self"


def facts_key(host: str) -> str:
    """The key of what it has that others may have too."""
    return f"{host_prefix(host)}facts"


def facts_text(facts: Mapping[str, Iterable[str]]) -> str:
    """Small JSON by kind; of very many values the first ones in order stay, on every host the same."""
    return json.dumps({kind: sorted(set(values))[:_MOST_VALUES] for kind, values in sorted(facts.items())})


def facts_of(text: str) -> dict[str, tuple[str, ...]]:
    """Empty for any other text."""
    try:
        return {str(kind): tuple(map(str, values)) for kind, values in dict(json.loads(text)).items()}
    except (ValueError, TypeError):
        return {}


def incident_key(host: str, id_: str) -> str:
    """The key of one of its incidents."""
    return f"{host_prefix(host)}incidents/{id_}"


def incident_text(incident: Incident) -> str:
    """At most 2 KiB: the texts are cut, then the fields are left out."""
    diagnosis = incident.diagnosis
    fields = {name: str(value)[:_LONGEST_FIELD] for name, value in diagnosis.fields.items()}
    body: dict[str, Any] = {
        "rule": diagnosis.rule,
        "class": diagnosis.class_,
        "severity": diagnosis.severity,
        "subject": str(diagnosis.subject)[:_LONGEST_TEXT],
        "summary": diagnosis.summary[:_LONGEST_TEXT],
        "state": incident.state,
        "opened": incident.opened,
        "fields": dict(list(fields.items())[:_MOST_FIELDS]),
    }
    text = json.dumps(body, separators=(",", ":"))
    return text if len(text) <= LARGEST else _shorter(body)


def _shorter(body: dict[str, Any]) -> str:
    """Text in other scripts takes six bytes a character: there is room for a third of it."""
    short = {**body, "fields": {}, "summary": body["summary"][:80], "subject": body["subject"][:80]}
    return json.dumps(short, separators=(",", ":"))


def incident_of(key: str, value: str, order: int) -> HostIncident | None:
    """None where the key or the text is none of an incident: what another program writes there is not ours to read."""
    host, _, id_ = key.removeprefix(PREFIX).partition("/incidents/")
    if not id_:
        return None
    try:
        body = json.loads(value)
        fields = {str(name): str(text) for name, text in dict(body["fields"]).items()}
        rule, class_, severity, subject, summary, state = (str(body[name]) for name in _TEXTS)
        opened = float(body["opened"])
    except (ValueError, KeyError, TypeError):
        return None
    return HostIncident(host, id_, rule, class_, severity, subject, summary, state, opened, fields, order)
