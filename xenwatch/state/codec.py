"""Incidents as text and back, for the state database."""

import json

from xenwatch.model.incident import Incident
from xenwatch.model.serialize import incident_from_json, incident_json

LONGEST_TEXT = 4096
"""Characters of one evidence text that are kept: a guest or a dump must not fill the state disk."""


def encode(incident: Incident) -> str:
    """One incident as compact JSON."""
    return json.dumps(incident_json(incident, LONGEST_TEXT), separators=(",", ":"))


def decode(text: str) -> Incident:
    """The incident that `encode` wrote. ValueError, KeyError or TypeError where it did not."""
    return incident_from_json(json.loads(text))
