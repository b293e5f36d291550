"""Holds back what must last before it opens: a guest that is being moved is on two hosts for a while."""

from collections.abc import Mapping

from xenwatch.base.clock import Clock
from xenwatch.fleet.incident import FleetIncident


class Patience:
    """By this hub's own time; another hub that takes over waits once more."""

    def __init__(self, holds: Mapping[str, float], clock: Clock) -> None:
        """`holds`: seconds, by the rule's id."""
        self._holds, self._clock = holds, clock
        self._since: dict[str, float] = {}

    def lasting(
        self, found: Mapping[str, FleetIncident], known: Mapping[str, FleetIncident]
    ) -> dict[str, FleetIncident]:
        """Without those that are new and have not lasted for long enough."""
        now = self._clock.monotonic()
        self._since = {id_: self._since.get(id_, now) for id_, incident in found.items() if incident.is_open}
        return {id_: one for id_, one in found.items() if self._is_due(one, known.get(id_), now)}

    def _is_due(self, incident: FleetIncident, before: FleetIncident | None, now: float) -> bool:
        if not incident.is_open or (before is not None and before.is_open):
            return True
        return now - self._since[incident.id] >= self._holds.get(incident.rule, 0.0)
