"""All incidents that are known, in memory: what the web shows and the state database is given."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from xenwatch.diagnosis.incidents.ranking import ranked
from xenwatch.model.incident import Incident

MOST_RESOLVED = 5000
"""Resolved incidents kept in memory; older ones are in the database only."""


class IncidentRegistry:
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

    def forget(self, ids: Iterable[str]) -> None:
        """The database let go of these."""
        for one in ids:
            self._known.pop(one, None)

    def ranked(self) -> list[Incident]:
        """Those that are not over, the most likely root cause first; then the others in the same order."""
        listed = ranked(self._known.values())
        return [i for i in listed if i.state != "resolved"] + [i for i in listed if i.state == "resolved"]

    def _bound(self) -> None:
        resolved = [i for i in self._known.values() if i.state == "resolved"]
        if len(resolved) > MOST_RESOLVED:
            oldest: Callable[[Incident], float] = lambda i: i.last_seen  # noqa: E731
            for incident in sorted(resolved, key=oldest)[: len(resolved) - MOST_RESOLVED]:
                del self._known[incident.id]
