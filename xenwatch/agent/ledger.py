"""All incidents that are known, in memory: what the web shows and the state database is given."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from xenwatch.model.diagnosis import DEPTHS, SEVERITIES
from xenwatch.model.incident import Incident

MOST_RESOLVED = 5000
"""Resolved incidents kept in memory; older ones are in the database only."""


class Ledger:
    """Incidents by id, the newest word of each."""

    def __init__(self, incidents: Iterable[Incident] = ()) -> None:
        self._known = {incident.id: incident for incident in incidents}
        self.opened: Counter[tuple[str, str, str]] = Counter()
        """How often incidents of each (rule, class, severity) opened or came back since the start."""

    @property
    def known(self) -> Mapping[str, Incident]:
        return self._known

    def take(self, changed: Iterable[Incident]) -> None:
        """Incidents as they are now."""
        for incident in changed:
            before = self._known.get(incident.id)
            if before is None or (before.state == "resolved" and incident.state != "resolved"):
                told = incident.diagnosis
                self.opened[told.rule, told.class_, told.severity] += 1
            self._known[incident.id] = incident
        self._bound()

    def acknowledge(self, wanted: str, who: str) -> Incident | None:
        """Note that a person looks after it; None where there is no such incident."""
        found = self._known.get(wanted)
        if found is None:
            return None
        self._known[wanted] = replace(found, acknowledged_by=who)
        return self._known[wanted]

    def forget(self, ids: Iterable[str]) -> None:
        """The database let go of these."""
        for one in ids:
            self._known.pop(one, None)

    def ranked(self) -> list[Incident]:
        """Open causes first, the worst and deepest in front; then what they explain; resolved ones last."""
        return sorted(self._known.values(), key=_rank)

    def _bound(self) -> None:
        resolved = [i for i in self._known.values() if i.state == "resolved"]
        if len(resolved) > MOST_RESOLVED:
            oldest: Callable[[Incident], float] = lambda i: i.last_seen  # noqa: E731
            for incident in sorted(resolved, key=oldest)[: len(resolved) - MOST_RESOLVED]:
                del self._known[incident.id]


_STATES = ("open", "explained", "resolved")


def _rank(incident: Incident) -> tuple[int, int, int, float]:
    told = incident.diagnosis
    severity = -SEVERITIES.index(told.severity)
    return (_STATES.index(incident.state), severity, DEPTHS.index(told.depth), -incident.last_seen)
