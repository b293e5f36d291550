"""All incidents in memory: what the web shows and what goes into the state database."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from xenwatch.diagnosis.incidents.ranking import ranked
from xenwatch.model.incident import Incident

MOST_RESOLVED = 5000
"""Resolved incidents kept in memory; older ones are in the database only."""


class IncidentRegistry:
    """The incidents by id, each as it is now."""

    def __init__(self, incidents: Iterable[Incident] = ()) -> None:
        self._incidents = {incident.id: incident for incident in incidents}
        self.opened: Counter[tuple[str, str, str]] = Counter()
        """How often incidents of each (rule, class, severity) opened or came back since the start."""
        self.version = 0
        """Higher after each change."""
        self._ranked: tuple[int, list[Incident]] = (-1, [])

    @property
    def incidents(self) -> Mapping[str, Incident]:
        return self._incidents

    def update(self, changed: Iterable[Incident]) -> None:
        """Take in changed incidents."""
        for incident in changed:
            before = self._incidents.get(incident.id)
            if before is None or (before.state == "resolved" and incident.state != "resolved"):
                diagnosis = incident.diagnosis
                self.opened[diagnosis.rule, diagnosis.class_, diagnosis.severity] += 1
            self._incidents[incident.id] = incident
            self.version += 1
        self._bound()

    def forget(self, ids: Iterable[str]) -> None:
        """Drop the incidents with these ids: they have left the database."""
        for id_ in ids:
            self._incidents.pop(id_, None)
            self.version += 1

    def ranked(self) -> list[Incident]:
        """Those that are not over, the most likely root cause first; then the others in the same order."""
        if self._ranked[0] != self.version:
            listed = ranked(self._incidents.values())
            live = [i for i in listed if i.state != "resolved"]
            self._ranked = self.version, live + [i for i in listed if i.state == "resolved"]
        return list(self._ranked[1])

    def _bound(self) -> None:
        resolved = [i for i in self._incidents.values() if i.state == "resolved"]
        if len(resolved) > MOST_RESOLVED:
            oldest: Callable[[Incident], float] = lambda i: i.last_seen  # noqa: E731
            for incident in sorted(resolved, key=oldest)[: len(resolved) - MOST_RESOLVED]:
                del self._incidents[incident.id]
